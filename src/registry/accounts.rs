//! Accounts: users, organisations, teams, robots, their roles and their tokens.
//!
//! Each function is one transaction, which inserts its event and counts up the epoch of access, so that what it changes
//! holds from the next request on.

pub mod export;
pub mod invitations;
pub mod namespaces;
pub mod recovery;
pub mod repositories;
pub mod robots;
pub mod roles;
pub mod second_factor;
pub mod sign_up;
pub mod teams;
pub mod tokens;
pub mod users;

use oci::RepositoryName;
use serde_json::Value;

use super::access::manage::still_may;
use super::{Ctx, Error, Event, Registry};
use crate::auth::account_name::InvalidName;
use crate::auth::password::{HashError, Weak};
use crate::auth::seal::random;
use crate::auth::{Permissions, Secret, SecretKind};
pub use crate::db::namespaces::NamespaceRow;
pub use crate::db::robots::RobotRow;
pub use crate::db::roles::{BindingRow, RoleRow};
use crate::db::tokens::TokenRow;
pub use crate::db::users::UserRow;
use crate::db::{self, Tx, epoch};
pub use crate::mail::Language;

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
    /// The master key that sealed the second factor is no more.
    #[error(
        "your second factor cannot be looked at any more, for the registry has another master key since; sign in with a \
         recovery code, or ask the operator to take it off: havre admin reset-second-factor"
    )]
    FactorLost,
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
    let plain = |name: &str| (1..=128).contains(&name.chars().count()) && !name.chars().any(is_confusing);
    match name {
        Some(name) if !plain(name) => Err(AccountError::Word {
            kind: "display name",
            word: name.chars().take(32).filter(|c| !is_confusing(*c)).collect(),
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
fn namespace(tx: &mut Tx<'_>, name: &str) -> Result<NamespaceRow, Error> {
    let found = db::namespaces::find(tx, name)?.filter(|namespace| namespace.owner_kind != "retired");
    Ok(found.ok_or_else(|| unknown("namespace", name))?)
}

/// Finds a user who was not erased.
pub(super) fn user(tx: &mut Tx<'_>, name: &str) -> Result<UserRow, Error> {
    let found = db::users::by_name(tx, name)?.filter(|user| user.state != "erased");
    Ok(found.ok_or_else(|| unknown("user", name))?)
}

/// How long a create that is sent again gives the same secret, in microseconds.
const ONCE_HOLDS: i64 = 24 * 3600 * 1_000_000;

/// Makes a secret: of random bytes, or, for a create that may be sent again, the one that belongs to it.
fn secret(registry: &Registry, ctx: &Ctx, kind: SecretKind, about: &Value) -> Result<Secret, Error> {
    let Some(once) = &ctx.once else { return Ok(Secret::new(kind, random())) };
    let text = [kind.as_str().into(), about.clone(), ctx.identity.principal().into(), once.to_string().into()];
    let text = Value::from(text.to_vec()).to_string();
    let bytes = registry.access.master()?.bytes_of("secrets of creates that are sent again", &text);
    Ok(Secret::new(kind, bytes))
}

/// Finds what a create that is sent again made the first time.
fn made_before(tx: &mut Tx<'_>, ctx: &Ctx, hash: &[u8; 32]) -> Result<Option<TokenRow>, Error> {
    if ctx.once.is_none() {
        return Ok(None);
    }
    let Some(row) = db::tokens::by_secret(tx, hash, ctx.now)? else { return Ok(None) };
    let holds = row.holds(ctx.now) && ctx.now.saturating_sub(row.created_at) < ONCE_HOLDS;
    if holds { Ok(Some(row)) } else { Err(used_up().into()) }
}

fn used_up() -> AccountError {
    AccountError::InUse("this Idempotency-Key was used for something else, or too long ago; take a new one".to_owned())
}

/// Writes down a change of access, and has everything decided anew; unless the caller has lost the right to it meanwhile.
fn changed(tx: &mut Tx<'_>, ctx: &Ctx, kind: &'static str, detail: &Value) -> Result<(), Error> {
    changed_in(tx, ctx, kind, None, detail)
}

/// As [`changed`], of one repository.
fn changed_in(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    kind: &'static str,
    repository: Option<&RepositoryName>,
    detail: &Value,
) -> Result<(), Error> {
    // Of two changes at once, the later one sees what the earlier one took away.
    epoch::lock(tx)?;
    still_may(tx, ctx)?;
    ctx.record(tx, &Event { kind, repository, detail: Some(detail.to_string()), ..Event::default() })?;
    Ok(epoch::bump(tx)?)
}

/// Whether a text describes something in a line: at most 256 characters, none that moves others about.
pub(super) fn description_is_plain(text: Option<&str>) -> Result<(), AccountError> {
    match text {
        Some(text) if text.chars().count() > 256 || text.chars().any(is_confusing) => Err(AccountError::Word {
            kind: "description",
            word: text.chars().take(32).filter(|c| !is_confusing(*c)).collect(),
            known: "at most 256 printable characters".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Controls, and marks that turn the direction of what stands beside them.
fn is_confusing(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
