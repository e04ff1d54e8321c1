//! How each type of option is read and printed.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::duration::{format_duration, parse_duration};
use super::{ByteSize, Literal};

/// A type that an option can have.
pub(super) trait Value: Sized {
    /// What is expected, for error messages and the reference; reads well after "expected".
    const KIND: &'static str;
    /// A value as it would stand in an environment variable.
    const EXAMPLE: &'static str;
    /// The name of the value in `--help`.
    const PLACEHOLDER: &'static str;
    /// Whether the value must not be shown.
    const SECRET: bool = false;
    /// Whether several flags make one value.
    const LIST: bool = false;

    /// Reads what a source gave; `None` if it is something else than [`Self::KIND`].
    fn parse(literal: &Literal) -> Option<Self>;

    /// Returns what is shown; unless it is a secret, reading it again gives the same value.
    fn literal(&self) -> Literal;
}

impl Value for bool {
    const KIND: &'static str = "`true` or `false`";
    const EXAMPLE: &'static str = "true";
    const PLACEHOLDER: &'static str = "true|false";

    fn parse(literal: &Literal) -> Option<Self> {
        match literal {
            Literal::Boolean(value) => Some(*value),
            Literal::Text(text) => match text.as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    fn literal(&self) -> Literal {
        Literal::Boolean(*self)
    }
}

impl Value for usize {
    const KIND: &'static str = "a whole number";
    const EXAMPLE: &'static str = "16";
    const PLACEHOLDER: &'static str = "NUMBER";

    fn parse(literal: &Literal) -> Option<Self> {
        match literal {
            Literal::Integer(integer) => Self::try_from(*integer).ok(),
            Literal::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn literal(&self) -> Literal {
        Literal::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl Value for Duration {
    const KIND: &'static str = "a duration with its unit";
    const EXAMPLE: &'static str = "1h 30m";
    const PLACEHOLDER: &'static str = "DURATION";

    fn parse(literal: &Literal) -> Option<Self> {
        literal.text().and_then(|text| parse_duration(text).ok())
    }

    fn literal(&self) -> Literal {
        Literal::Text(format_duration(*self))
    }
}

impl Value for ByteSize {
    const KIND: &'static str = "a size";
    const EXAMPLE: &'static str = "4 MiB";
    const PLACEHOLDER: &'static str = "SIZE";

    fn parse(literal: &Literal) -> Option<Self> {
        match literal {
            Literal::Integer(bytes) => u64::try_from(*bytes).ok().map(Self::new),
            Literal::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn literal(&self) -> Literal {
        Literal::Text(self.to_string())
    }
}

/// A limit: zero stands for none.
impl Value for Option<ByteSize> {
    const KIND: &'static str = "a size, or 0 for no limit";
    const EXAMPLE: &'static str = ByteSize::EXAMPLE;
    const PLACEHOLDER: &'static str = ByteSize::PLACEHOLDER;

    fn parse(literal: &Literal) -> Option<Self> {
        <ByteSize as Value>::parse(literal).map(|size| (size != ByteSize::new(0)).then_some(size))
    }

    fn literal(&self) -> Literal {
        self.as_ref().map_or(Literal::Integer(0), Value::literal)
    }
}

impl Value for PathBuf {
    const KIND: &'static str = "a path";
    const EXAMPLE: &'static str = "/var/lib/havre";
    const PLACEHOLDER: &'static str = "PATH";

    fn parse(literal: &Literal) -> Option<Self> {
        let text = literal.text()?;
        (!text.is_empty() && !text.contains('\0')).then(|| Self::from(text))
    }

    fn literal(&self) -> Literal {
        Literal::Text(self.display().to_string())
    }
}

/// An empty string stands for none.
impl Value for Option<PathBuf> {
    const KIND: &'static str = "the path of a file";
    const EXAMPLE: &'static str = "/etc/havre/tls.crt";
    const PLACEHOLDER: &'static str = "FILE";

    fn parse(literal: &Literal) -> Option<Self> {
        if literal.text()?.is_empty() { Some(None) } else { <PathBuf as Value>::parse(literal).map(Some) }
    }

    fn literal(&self) -> Literal {
        self.as_ref().map_or_else(|| Literal::from(""), Value::literal)
    }
}

/// An empty string stands for none.
impl Value for Option<Url> {
    const KIND: &'static str = "an http or https URL without credentials, query or fragment";
    const EXAMPLE: &'static str = "https://registry.example.org";
    const PLACEHOLDER: &'static str = "URL";

    fn parse(literal: &Literal) -> Option<Self> {
        let text = literal.text()?;
        if text.is_empty() {
            return Some(None);
        }
        let url = Url::parse(text).ok()?;
        let web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
        let anonymous = url.username().is_empty() && url.password().is_none();
        let bare = url.query().is_none() && url.fragment().is_none();
        (web && anonymous && bare).then_some(Some(url))
    }

    fn literal(&self) -> Literal {
        Literal::Text(self.as_ref().map_or_else(String::new, Url::to_string))
    }
}

/// May be empty. Nothing that could end a line.
impl Value for String {
    const KIND: &'static str = "a text of one line";
    const EXAMPLE: &'static str = "text";
    const PLACEHOLDER: &'static str = "TEXT";

    fn parse(literal: &Literal) -> Option<Self> {
        literal.text().filter(|text| !text.chars().any(char::is_control)).map(str::to_owned)
    }

    fn literal(&self) -> Literal {
        Literal::Text(self.clone())
    }
}

impl Value for Vec<String> {
    const KIND: &'static str = "a list of texts";
    const EXAMPLE: &'static str = "example.org";
    const PLACEHOLDER: &'static str = "TEXT";
    const LIST: bool = true;

    fn parse(literal: &Literal) -> Option<Self> {
        parse_list(literal, |text| <String as Value>::parse(&Literal::from(text)).filter(|text| !text.is_empty()))
    }

    fn literal(&self) -> Literal {
        print_list(self)
    }
}

impl Value for Vec<SocketAddr> {
    const KIND: &'static str = "at least one address with its port";
    const EXAMPLE: &'static str = "127.0.0.1:5000";
    const PLACEHOLDER: &'static str = "ADDRESS:PORT";
    const LIST: bool = true;

    fn parse(literal: &Literal) -> Option<Self> {
        parse_list(literal, |text| text.parse().ok()).filter(|list| !list.is_empty())
    }

    fn literal(&self) -> Literal {
        print_list(self)
    }
}

impl Value for Vec<IpNet> {
    const KIND: &'static str = "a list of addresses or networks";
    const EXAMPLE: &'static str = "10.0.0.0/8";
    const PLACEHOLDER: &'static str = "NETWORK";
    const LIST: bool = true;

    fn parse(literal: &Literal) -> Option<Self> {
        parse_list(literal, parse_network)
    }

    fn literal(&self) -> Literal {
        print_list(self)
    }
}

/// Reads a network, or a single address as the network of that address alone.
fn parse_network(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>().ok().map(|network| network.trunc());
    network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Reads a list of strings, or one string in which commas separate the items.
pub(super) fn parse_list<T>(literal: &Literal, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    match literal {
        Literal::Text(text) if text.trim().is_empty() => Some(Vec::new()),
        Literal::Text(text) => text.split(',').map(|item| parse(item.trim())).collect(),
        Literal::List(items) => items.iter().map(|item| parse(item.text()?)).collect(),
        _ => None,
    }
}

pub(super) fn print_list<T: ToString>(items: &[T]) -> Literal {
    Literal::List(items.iter().map(|item| Literal::Text(item.to_string())).collect())
}
