//! The metadata database.

use std::fmt;

use super::Literal;
use super::concern::concern;
use super::value::Value;

/// What stands in the place of a password.
const MASK: &str = "********";

concern! {
    /// The metadata database.
    pub struct Database in database {
        /// URL of a PostgreSQL database. Left empty, the metadata is kept in the SQLite file `havre.db` of the data
        /// directory. The password is never shown.
        url: DatabaseUrl = DatabaseUrl::Embedded,
            flag = "--database-url", example = "postgres://havre:secret@db.example.org/havre";
        /// Most connections to PostgreSQL at once. SQLite opens readers as it needs them.
        pool_size: usize = 16, within = 1..=1000, example = "32";
    }
}

/// Which database holds the metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The SQLite file in the data directory.
    #[default]
    Embedded,
    /// A PostgreSQL server.
    Postgres(PostgresUrl),
}

/// The URL of a PostgreSQL database. It may hold a password, which neither `Debug` nor `Display` shows.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// Reads a URL whose scheme is `postgres` or `postgresql`; the rest is judged by the driver.
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"))?;
        let plain = !rest.is_empty() && !text.contains(|c: char| c.is_control() || c.is_whitespace());
        plain.then(|| Self(text.to_owned()))
    }

    /// Returns the URL with its password, for the driver and for no one else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask_userinfo(&mask_parameters(&self.0)))
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

/// Masks the values of query parameters whose name speaks of a password.
fn mask_parameters(url: &str) -> String {
    let Some((head, query)) = url.split_once('?') else { return url.to_owned() };
    let masked = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("pass") => format!("{name}={MASK}"),
        _ => parameter.to_owned(),
    });
    format!("{head}?{}", masked.collect::<Vec<_>>().join("&"))
}

/// Masks what stands between the first `:` and the last `@` behind the scheme. The last one, so that a password with an
/// unescaped `@` shows nothing of itself, even though the driver would misread it.
fn mask_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return MASK.to_owned() };
    let Some((userinfo, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    let Some((user, _)) = userinfo.split_once(':') else { return url.to_owned() };
    format!("{scheme}://{user}:{MASK}@{host}")
}

impl Value for DatabaseUrl {
    const KIND: &'static str = "a URL that begins with `postgres://`, or nothing for the embedded database";
    const EXAMPLE: &'static str = "postgres://havre:secret@db.example.org/havre";
    const PLACEHOLDER: &'static str = "URL";
    const SECRET: bool = true;

    fn parse(literal: &Literal) -> Option<Self> {
        match literal.text()? {
            "" => Some(Self::Embedded),
            text => PostgresUrl::parse(text).map(Self::Postgres),
        }
    }

    fn literal(&self) -> Literal {
        Literal::Text(match self {
            Self::Embedded => String::new(),
            Self::Postgres(url) => url.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_shown_nowhere() {
        let cases = [
            ("postgres://u:hush@h/db", "postgres://u:********@h/db"),
            ("postgresql://u:hu@sh@h:5432/db?sslmode=require", "postgresql://u:********@h:5432/db?sslmode=require"),
            ("postgres://u:hu?sh@h/db", "postgres://u:********@h/db"),
            ("postgres://h:5432/db?user=u&password=hush", "postgres://h:5432/db?user=u&password=********"),
            ("postgres://h:5432/db?password=hu@sh", "postgres://h:5432/db?password=********"),
            ("postgres://u@h/db", "postgres://u@h/db"),
            ("postgres://h1:1,h2:2/db", "postgres://h1:1,h2:2/db"),
        ];
        for (url, shown) in cases {
            let url = PostgresUrl::parse(url).unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("PostgresUrl({shown})"));
        }
    }

    #[test]
    fn only_postgres_urls_are_taken() {
        for text in ["mysql://h/db", "postgres", "postgres://", "/var/lib/havre.db", "postgres://a b"] {
            assert_eq!(DatabaseUrl::parse(&Literal::Text(text.to_owned())), None, "{text}");
        }
        assert_eq!(DatabaseUrl::parse(&Literal::Text(String::new())), Some(DatabaseUrl::Embedded));
    }
}
