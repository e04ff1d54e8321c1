//! Where the value of an option came from.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the value of an option came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// No source names it.
    Default,
    /// A line, counted from 1, of the configuration file.
    File {
        /// The file, as it was named.
        path: Arc<Path>,
        /// The line, counted from 1.
        line: usize,
    },
    /// The environment variable of that name.
    Environment(String),
    /// The flag of that name, such as `--listen` or `--set log.access`.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "env {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// Where each value of a configuration came from.
#[derive(Debug, Clone)]
pub struct Origins {
    file: Option<PathBuf>,
    by_key: HashMap<&'static str, Origin>,
}

impl Origins {
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        Self { file, by_key: HashMap::new() }
    }

    /// Remembers where the last source that named `key` stands; earlier ones were overridden.
    pub(super) fn record(&mut self, key: &'static str, origin: Origin) {
        self.by_key.insert(key, origin);
    }

    /// Returns where the value of `key` came from.
    #[must_use]
    pub fn get(&self, key: &str) -> &Origin {
        self.by_key.get(key).unwrap_or(&Origin::Default)
    }

    /// Returns the file that was read, if any.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}
