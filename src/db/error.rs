//! What can go wrong with the database, in the words of neither engine.

use std::sync::Arc;

/// The kinds of failure that a caller or an operator tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Another process or transaction holds it; trying again helps.
    Busy,
    /// The disk is full.
    Full,
    /// It may not be written: permissions, or a read-only file system.
    ReadOnly,
    /// It cannot be reached or opened.
    Unavailable,
    /// A UNIQUE, CHECK or FOREIGN KEY constraint refused the change.
    Constraint,
    /// Its file is damaged, or a column does not hold what the schema says.
    Corrupt,
    /// Its schema is newer than this binary knows.
    SchemaTooNew,
    /// Its schema is older than this binary needs, and it was not to be migrated.
    SchemaTooOld,
    /// The two sides of a transaction ran into each other: the door runs it again.
    Conflict,
    /// Anything else: a fault of ours.
    Internal,
}

/// A failure of the database.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What sort of failure it is.
    pub kind: Kind,
    message: String,
    #[source]
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Makes an error of our own words.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(super) fn caused(
        kind: Kind,
        message: impl Into<String>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self { kind, message: message.into(), source: Some(Arc::new(source)) }
    }

    pub(super) fn decode(index: usize, expected: &str, found: &str) -> Self {
        Self::new(Kind::Corrupt, format!("column {index}: expected {expected}, found {found}"))
    }

    /// Tells whether the fault lies in the surroundings, so that the same request may succeed later.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.kind, Kind::Busy | Kind::Full | Kind::ReadOnly | Kind::Unavailable | Kind::Conflict)
    }
}
