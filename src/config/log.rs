//! What is written to the logs.

use std::fmt;

use tracing_subscriber::EnvFilter;

use super::Literal;
use super::concern::{choice, concern};
use super::value::Value;

concern! {
    /// What is written to the logs.
    pub struct Log in log {
        /// Form of both logs: `text` for people, `json` with one object per line for machines.
        format: LogFormat = LogFormat::Text, flag = "--log-format";
        /// What the log on standard error holds: a level (`error`, `warn`, `info`, `debug`, `trace`), or several
        /// directives by module.
        level: LogFilter = LogFilter::info(), flag = "--log-level", example = "info,havre::db=debug";
        /// Whether each request writes one line to standard output.
        access: bool = true;
    }
}

choice! {
    /// The form of the logs.
    pub enum LogFormat {
        /// Lines for people.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

/// The levels, from the one that lets everything pass to the one that lets nothing pass.
const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "off"];

/// Directives that say which events are logged, known to be well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// Returns the filter that lets `info` and what is graver pass.
    #[must_use]
    pub fn info() -> Self {
        Self("info".to_owned())
    }

    /// Reads directives such as `info` or `info,havre::db=debug`; `None` if they are not well formed. A single word
    /// must be a level: as a directive it could also name a module, so that a mistyped level would silence the log.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_word = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let meant = text.split(',').all(|part| !is_word(part) || is_level(part));
        (meant && EnvFilter::try_new(text).is_ok()).then(|| Self(text.to_owned()))
    }

    /// Returns the directives.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_level(word: &str) -> bool {
    LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word))
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Value for LogFilter {
    const KIND: &'static str = "a log level (`error`, `warn`, `info`, `debug`, `trace`) or directives by module";
    const EXAMPLE: &'static str = "info";
    const PLACEHOLDER: &'static str = "LEVEL";

    fn parse(literal: &Literal) -> Option<Self> {
        literal.text().and_then(Self::parse)
    }

    fn literal(&self) -> Literal {
        Literal::Text(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_directives_are_taken() {
        for text in ["info", "WARN", "off", "info,havre::db=debug", "warn,havre=trace", "[request{id}]=debug"] {
            assert_eq!(LogFilter::parse(text).map(|filter| filter.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_mistyped_level_is_refused() {
        for text in ["", "inof", "info,", "info,debgu", "havre=loud", "4"] {
            assert_eq!(LogFilter::parse(text), None, "{text}");
        }
    }
}
