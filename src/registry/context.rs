//! Who asks, in which request, and when: what every rule is told.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use oci::{Digest, RepositoryName};

use super::access::manage::Asked;
use crate::auth::proof::credential_text;
use crate::auth::seal::random;
use crate::auth::{Permissions, Proof};
use crate::db::access::Viewer;
use crate::db::users::UserRow;
use crate::db::{self, Tx, events};

/// Whom a request acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Somebody unknown.
    Anonymous,
    /// The server itself: the sweeper, a command that an operator typed.
    System,
    /// A user.
    User(Arc<Account>),
    /// A robot.
    Robot(Arc<Account>),
}

/// A user or a robot, as it stood when it was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The row's key.
    pub id: i64,
    /// The id that is shown, and that outlives a change of name.
    pub public_id: Arc<str>,
    /// The name with which it signs in.
    pub name: Arc<str>,
    /// Whether it administers the instance.
    pub admin: bool,
    /// Whether it has a second factor; a robot has none, and needs none.
    pub second_factor: bool,
}

impl Account {
    /// A user, as the row tells.
    pub(super) fn of(row: &UserRow) -> Self {
        Self {
            id: row.id,
            public_id: row.public_id.as_str().into(),
            name: row.name.as_str().into(),
            admin: row.admin,
            second_factor: row.second_factor,
        }
    }
}

impl Identity {
    /// The text under which sessions and events are kept. It tells no name: names change and are erased.
    pub fn principal(&self) -> Cow<'static, str> {
        match self {
            Self::Anonymous => "anonymous".into(),
            Self::System => "system".into(),
            Self::User(account) => format!("user:{}", account.public_id).into(),
            Self::Robot(account) => format!("robot:{}", account.public_id).into(),
        }
    }

    /// The name with which it signs in.
    pub fn name(&self) -> Option<Arc<str>> {
        match self {
            Self::Anonymous | Self::System => None,
            Self::User(account) | Self::Robot(account) => Some(Arc::clone(&account.name)),
        }
    }
}

/// The credential that a caller holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What was proved with it.
    pub proof: Arc<Proof>,
    /// How far it reaches in the repository that was decided about.
    pub reach: Permissions,
    /// The row of the token, which may be about some repositories only; 0 for none.
    pub token: i64,
    /// The epoch of access at which that was found out; 0 where no repository was decided about.
    pub epoch: i64,
    /// Whether every user has to have a second factor.
    pub requires_factor: bool,
}

/// The circumstances of one call. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Whom it acts for.
    pub identity: Identity,
    /// The credential that proved it; nothing where none was asked for.
    pub credential: Option<Arc<Held>>,
    /// What the caller may do where it was let in, and so may hand on to others there at most.
    pub hands_on: Permissions,
    /// The key under which a create that is sent again is the same one, and gives the same secret.
    pub once: Option<Arc<str>>,
    /// What the management API was asked for, so that it can be decided about once more when it is done.
    pub managing: Option<Arc<Asked>>,
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
    /// Particulars, a JSON object. Nothing of a person stands there but public ids.
    pub detail: Option<String>,
    /// Whether it was refused.
    pub refused: bool,
    /// Whose the address is, as [`Identity::principal`] writes it, where that is not who acts.
    pub person: Option<String>,
    /// What somebody who is unknown gave as a name.
    pub name: Option<String>,
}

impl Ctx {
    /// The circumstances of work that nobody asked for.
    pub fn system(now: i64) -> Self {
        Self {
            identity: Identity::System,
            credential: None,
            hands_on: Permissions::ALL,
            once: None,
            managing: None,
            request_id: Arc::from(""),
            address: None,
            user_agent: None,
            now,
        }
    }

    /// Whose eyes a list is for, where access is decided.
    pub(super) fn viewer(&self) -> Viewer {
        Self::viewer_of(&self.identity, self.credential.as_ref().map_or(0, |held| held.token))
    }

    /// Whose eyes a list is for that an identity asks for by a token; 0 for none.
    pub(super) fn viewer_of(identity: &Identity, token: i64) -> Viewer {
        match identity {
            Identity::System => Viewer::ALL,
            Identity::Anonymous => Viewer::ANYONE,
            Identity::User(user) => Viewer { all: user.admin, user: user.id, robot: 0, token },
            Identity::Robot(robot) => Viewer { all: false, user: 0, robot: robot.id, token },
        }
    }

    /// Whether the caller administers the instance, and its credential reaches that far.
    pub fn may_administer(&self) -> bool {
        self.hands_on.contains(Permissions::INSTANCE) && self.reach().contains(Permissions::INSTANCE)
    }

    /// How far the caller's credential reaches; what the operator types reaches everywhere.
    pub(super) fn reach(&self) -> Permissions {
        self.credential.as_ref().map_or(Permissions::ALL, |held| held.reach)
    }

    /// Whether the caller's credential lets anything be read.
    pub fn may_read_at_all(&self) -> bool {
        self.credential.as_ref().is_none_or(|held| held.reach.contains(Permissions::READ))
    }

    /// Inserts the event of a change into the change's own transaction; returns its key.
    pub fn record(&self, tx: &mut Tx<'_>, event: &Event<'_>) -> Result<i64, db::Error> {
        let address = self.address.map(|address| address.to_string());
        let credential = self.credential.as_ref().map(|held| credential_text(&held.proof.credential));
        let actor = self.identity.principal();
        let tells = address.is_some() || self.user_agent.is_some() || event.name.is_some();
        let personal = tells.then(|| events::NewPersonal {
            person: event.person.as_deref().unwrap_or(&actor),
            salt: random(),
            address: address.as_deref(),
            user_agent: self.user_agent.as_deref(),
            name: event.name.as_deref(),
        });
        events::insert(
            tx,
            &events::NewEvent {
                at: self.now,
                kind: event.kind,
                refused: event.refused,
                repository: event.repository.map(RepositoryName::as_str),
                tag: event.tag,
                digest: event.digest,
                actor: &actor,
                credential: credential.as_deref().filter(|text| !text.is_empty()),
                request_id: &self.request_id,
                detail: event.detail.as_deref(),
                personal,
            },
        )
    }
}
