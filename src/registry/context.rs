//! Who asks, in which request, and when: what every rule is told.

use std::net::IpAddr;
use std::sync::Arc;

use oci::{Digest, RepositoryName};

use crate::db::{self, Tx, events};

/// Whom a request acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Somebody unknown.
    Anonymous,
    /// The server itself: the sweeper, `havre check --repair`.
    System,
}

impl Identity {
    /// The name under which sessions and events are kept.
    pub fn principal(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::System => "system",
        }
    }
}

/// The circumstances of one call. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Whom it acts for.
    pub identity: Identity,
    /// The credential that proved it.
    pub credential: Option<Arc<str>>,
    /// The request's id, as logs and answers show it.
    pub request_id: Arc<str>,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// The client's program, as it names itself.
    pub user_agent: Option<Arc<str>>,
    /// Microseconds since 1970 (UTC).
    pub now: i64,
}

/// A change, as its event tells it.
#[derive(Debug, Clone, Default)]
pub struct Event<'a> {
    /// What happened, for example `manifest.push`.
    pub kind: &'static str,
    /// The repository.
    pub repository: Option<&'a RepositoryName>,
    /// The tag.
    pub tag: Option<&'a str>,
    /// The digest.
    pub digest: Option<&'a Digest>,
    /// Particulars, a JSON object.
    pub detail: Option<String>,
}

impl Ctx {
    /// The circumstances of work that nobody asked for.
    pub fn system(now: i64) -> Self {
        Self {
            identity: Identity::System,
            credential: None,
            request_id: Arc::from(""),
            address: None,
            user_agent: None,
            now,
        }
    }

    /// Inserts the event of a change into the change's own transaction; returns its key.
    pub fn record(&self, tx: &mut Tx<'_>, event: &Event<'_>) -> Result<i64, db::Error> {
        let address = self.address.map(|address| address.to_string());
        events::insert(
            tx,
            &events::NewEvent {
                at: self.now,
                kind: event.kind,
                repository: event.repository.map(RepositoryName::as_str),
                tag: event.tag,
                digest: event.digest,
                actor: self.identity.principal(),
                credential: self.credential.as_deref(),
                request_id: &self.request_id,
                address: address.as_deref(),
                user_agent: self.user_agent.as_deref(),
                detail: event.detail.as_deref(),
            },
        )
    }
}
