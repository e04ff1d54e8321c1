//! What can be wrong with a configuration.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::{Literal, Origin};

/// The most characters of a refused value that a message repeats.
const MAX_SHOWN: usize = 120;

/// Everything that is wrong with a configuration, one problem per line.
#[derive(Debug)]
pub struct Error {
    problems: Vec<Problem>,
}

impl Error {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Returns the problems, in the order of the sources.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used")?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// One thing that is wrong, with the place to mend it.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than any configuration.
    #[error("{}: larger than {limit}; this is not a configuration file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit: super::ByteSize,
    },
    /// The file is not TOML.
    #[error("{origin}: not valid TOML: {message}")]
    Syntax {
        /// Where it breaks.
        origin: Origin,
        /// What the parser says.
        message: String,
    },
    /// A key that no option has.
    #[error("{origin}: unknown key `{key}`{}", suggestion(nearest.as_deref()))]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// The key as it was given, with its section; quoted and cut where it could do harm.
        key: String,
        /// The known key that looks most like it.
        nearest: Option<String>,
    },
    /// An environment variable that begins with `HAVRE_` but belongs to no option.
    #[error("unknown environment variable {name}{}", suggestion(nearest.as_deref()))]
    UnknownVariable {
        /// The variable.
        name: String,
        /// The known variable that looks most like it.
        nearest: Option<String>,
    },
    /// An environment variable that is not UTF-8.
    #[error("env {name}: is not UTF-8 text")]
    NotUnicode {
        /// The variable.
        name: String,
    },
    /// Both names of one option are set in the environment.
    #[error("environment variables {first} and {second} both set `{key}`; keep one of them")]
    TwoVariables {
        /// The option.
        key: &'static str,
        /// Its first variable.
        first: String,
        /// Its second variable.
        second: String,
    },
    /// A value that its option does not take.
    #[error("{origin}: {key}{}: expected {expected}, such as {example}", refused(given.as_ref()))]
    Invalid {
        /// Where it stands.
        origin: Origin,
        /// The option.
        key: &'static str,
        /// What was given; `None` if it may be a secret.
        given: Option<Literal>,
        /// What was expected.
        expected: String,
        /// A value that would do.
        example: Literal,
    },
    /// A single value where a section belongs.
    #[error("{origin}: `{section}` is a section, expected `[{section}]` and its keys below, such as `{example}`")]
    NotASection {
        /// Where it stands.
        origin: Origin,
        /// The section.
        section: &'static str,
        /// One of its keys.
        example: &'static str,
    },
    /// An option that needs another one.
    #[error("{origin}: `{given}` needs `{missing}` as well")]
    Alone {
        /// Where the one that is there stands.
        origin: Origin,
        /// The one that is there.
        given: &'static str,
        /// The one that is missing.
        missing: &'static str,
    },
    /// Two options, or an option and its value, that exclude each other.
    #[error("{origin}: `{given}` does not go with `{other}`: {why}")]
    Clash {
        /// Where the first one stands.
        origin: Origin,
        /// The first one.
        given: &'static str,
        /// The other one.
        other: &'static str,
        /// Why.
        why: &'static str,
    },
}

impl Problem {
    /// Returns the option that was given a value it does not take.
    pub(super) fn key(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { key, .. } => Some(key),
            _ => None,
        }
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None => "; `havre config reference` lists all".to_owned(),
    }
}

fn refused(given: Option<&Literal>) -> String {
    given.map_or_else(String::new, |given| format!(" = {}", shorten(&given.to_string())))
}

/// Cuts a text that a source gave to a length fit for a message.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
