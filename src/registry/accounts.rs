//! Accounts: users, organisations, teams, robots, their roles and their tokens.
//!
//! Each function is one transaction, which inserts its event and counts up the epoch of access, so that what it changes
//! holds from the next request on.

pub mod export;
pub mod invitations;
pub mod namespaces;
pub mod recovery;
pub mod robots;
pub mod roles;
pub mod second_factor;
pub mod sign_up;
pub mod teams;
pub mod tokens;
pub mod users;

use serde_json::Value;

use super::{Ctx, Event};
use crate::auth::Permissions;
use crate::auth::account_name::InvalidName;
use crate::auth::password::{HashError, Weak};
pub use crate::db::namespaces::NamespaceRow;
pub use crate::db::robots::RobotRow;
pub use crate::db::roles::RoleRow;
pub use crate::db::users::UserRow;
use crate::db::{self, Tx, epoch};

/// Why an account, a role or a token cannot be made or changed as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// There is none of that name.
    #[error("there is no {kind} {name}")]
    Unknown {
        /// A user, an organisation …
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// The name is taken, or was used before.
    #[error("the {kind} name {name} is taken; a name that was ever used is not given again")]
    Taken {
        /// A user, an organisation …
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// The text names no account.
    #[error("{name:?} cannot be a name: {why}")]
    Name {
        /// The text.
        name: String,
        /// Why not.
        why: InvalidName,
    },
    /// The password is not taken.
    #[error(transparent)]
    Password(#[from] Weak),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A word of the request is not one there is.
    #[error("{word:?} is no {kind}; there are: {known}")]
    Word {
        /// A role, a scope, a visibility …
        kind: &'static str,
        /// What was given.
        word: String,
        /// Those there are.
        known: String,
    },
    /// A text is not a pattern of repositories.
    #[error("{0:?} names no repositories; write acme (all of it), acme/app, or acme/web-*")]
    Pattern(String),
    /// An e-mail address is not one.
    #[error("{0:?} is not an e-mail address")]
    Email(String),
    /// Accounts are not made like that here.
    #[error("{0}")]
    NotOffered(&'static str),
    /// A link in a mail opens nothing.
    #[error("this link is not valid: it has expired, was used, or was replaced by a newer one; ask for another one")]
    Link,
    /// It would leave nobody who can administer the instance.
    #[error("{0} is the only administrator; make another one first")]
    LastAdministrator(String),
    /// It is still needed.
    #[error("{0}")]
    InUse(String),
    /// A one-time password or recovery code is not one.
    #[error(
        "the code is wrong or was used already; wait for the next one that your app shows, and see that the clock of its \
         device is right"
    )]
    Code,
    /// Nobody gives what they do not have themselves.
    #[error("you cannot give what you may not do yourself here: {0}")]
    Beyond(String),
}

/// Refuses to hand on what the caller may not do where it was let in.
fn within(ctx: &Ctx, handed: Permissions) -> Result<(), AccountError> {
    if ctx.hands_on.contains(handed) {
        return Ok(());
    }
    let beyond: Vec<&str> =
        handed.words().filter(|word| Permissions::parse(word).is_none_or(|one| !ctx.hands_on.contains(one))).collect();
    Err(AccountError::Beyond(beyond.join(", ")))
}

/// Whether people can be called that: at most 128 characters, none that moves others about.
fn display_name_is_plain(name: Option<&str>) -> Result<(), AccountError> {
    let plain = |name: &str| (1..=128).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    match name {
        Some(name) if !plain(name) => Err(AccountError::Word {
            kind: "display name",
            word: name.chars().take(32).collect(),
            known: "1 to 128 printable characters".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn unknown(kind: &'static str, name: &str) -> AccountError {
    AccountError::Unknown { kind, name: name.to_owned() }
}

fn taken(kind: &'static str, name: &str) -> AccountError {
    AccountError::Taken { kind, name: name.to_owned() }
}

/// Finds a namespace that is in use.
fn namespace(tx: &mut Tx<'_>, name: &str) -> Result<NamespaceRow, super::Error> {
    let found = db::namespaces::find(tx, name)?.filter(|namespace| namespace.owner_kind != "retired");
    Ok(found.ok_or_else(|| unknown("namespace", name))?)
}

/// Finds a user who was not erased.
pub(super) fn user(tx: &mut Tx<'_>, name: &str) -> Result<UserRow, super::Error> {
    let found = db::users::by_name(tx, name)?.filter(|user| user.state != "erased");
    Ok(found.ok_or_else(|| unknown("user", name))?)
}

/// Writes down a change of access, and has everything decided anew.
fn changed(tx: &mut Tx<'_>, ctx: &Ctx, kind: &'static str, detail: &Value) -> Result<(), db::Error> {
    ctx.record(tx, &Event { kind, detail: Some(detail.to_string()), ..Event::default() })?;
    epoch::bump(tx)
}
