//! Sign-up: an account that somebody makes by themselves, once they have shown that the e-mail address is theirs.
//!
//! Until then there is no account, only a row that holds the name for a day. Whether an address has an account already is
//! told by mail alone: the answers, and what they take, are the same.

use serde_json::json;

use super::{AccountError, changed, taken, users};
use crate::auth::{account_name, password};
use crate::config::SignUp as Policy;
use crate::db::sign_ups::{self, NewSignUp};
use crate::db::users::{self as rows, NewUser};
use crate::db::{Tx, namespaces};
use crate::mail::{Language, Letter};
use crate::registry::access::{Denial, Why};
use crate::registry::{Ctx, Error, Registry, mails};

/// How long a sign-up waits for its link to be followed, in microseconds.
const HOLDS: i64 = 24 * 3600 * 1_000_000;
/// Sign-ups that may wait at once, from one address and from all.
const MOST: (i64, i64) = (10, 2_000);
/// When to come again while too many wait.
const FULL: std::time::Duration = std::time::Duration::from_hours(1);
/// Most characters of a display name.
const LONGEST_DISPLAY_NAME: usize = 100;

/// What somebody signs up with. Not `Debug`, because it holds a password.
#[derive(Clone)]
pub struct SignUp {
    /// The name of the account.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// What people call the person.
    pub display_name: Option<String>,
    /// The password.
    pub password: String,
    /// The language of mails.
    pub language: Language,
}

/// Begins a sign-up: a mail goes to the address, with a link for [`verify`] or the word that there is an account already.
pub async fn start(registry: &Registry, ctx: &Ctx, new: SignUp) -> Result<(), Error> {
    match (registry.people.sign_up, registry.people.mail) {
        (Policy::Open, true) => {}
        (Policy::Open, false) => {
            return Err(AccountError::NotOffered("sign-up needs mails, and none are sent here").into());
        }
        (Policy::Invite, _) => {
            return Err(AccountError::NotOffered("accounts are made by invitation; ask for one").into());
        }
        (Policy::Off, _) => {
            return Err(AccountError::NotOffered("accounts are made by the operator; ask for one").into());
        }
    }
    let email = users::email(&new.email)?;
    allow_domain(registry, &email)?;
    check(&new.name, &new.password, &email, new.display_name.as_deref())?;
    registry.access.count_request(ctx, "sign-up")?;
    let hash = hash(registry, new.password.clone()).await?;
    let (secret, link) = mails::link(&registry.people, "verify");
    let verify = mails::seal(registry, &email, new.language, Letter::Verify { name: new.name.clone(), link })?;
    let lookup = email.clone();
    let owner = registry.db.read(move |tx| rows::by_email(tx, &lookup)).await?;
    // Sealed in either case, so that both take the same.
    let name = owner.as_ref().map_or_else(|| new.name.clone(), |owner| owner.name.clone());
    let known = mails::seal(registry, &email, new.language, Letter::Known { name })?;
    let (ctx, secret_hash) = (ctx.clone(), secret.hash());
    let insert = move |tx: &mut Tx<'_>| {
        sign_ups::expire(tx, ctx.now)?;
        // Somebody who begins anew takes the place of what they began before.
        sign_ups::delete_email(tx, &email)?;
        if namespaces::find(tx, &new.name)?.is_some() || sign_ups::holds_name(tx, &new.name)? {
            return Err(Error::from(taken("user", &new.name)));
        }
        let address = ctx.address.map(|address| address.to_string());
        let (from, all) = sign_ups::count(tx, address.as_deref())?;
        if from >= MOST.0 || all >= MOST.1 {
            return Err(Denial::of(Why::Throttled(FULL)).into());
        }
        let has_account = rows::email_is_taken(tx, &email)?;
        let row = NewSignUp {
            name: &new.name,
            email: &email,
            display_name: new.display_name.as_deref(),
            password_hash: &hash,
            language: new.language.as_str(),
            address: address.as_deref(),
            // Of an address that has an account, the link is sent to nobody.
            secret_hash,
            expires_at: ctx.now.saturating_add(HOLDS),
        };
        sign_ups::insert(tx, &row, ctx.now)?;
        mails::queue(tx, if has_account { known.as_ref() } else { verify.as_ref() }, ctx.now)?;
        Ok(())
    };
    registry.db.write(insert).await
}

/// Which name a link's sign-up asks for, while it holds; looking uses nothing up.
pub async fn waiting(registry: &Registry, ctx: &Ctx, secret: &str) -> Result<String, Error> {
    let (hash, now) = (mails::read(secret)?, ctx.now);
    let find = move |tx: &mut Tx<'_>| sign_ups::name(tx, hash, now);
    Ok(registry.db.read(find).await?.ok_or(AccountError::Link)?)
}

/// Makes the account of a sign-up whose link was followed; returns its name.
///
/// The link shows that the address is theirs, the password that the sign-up is: somebody else may have signed up with
/// their address and a password of his own, and would otherwise be let into what the owner of the address opens.
pub async fn verify(registry: &Registry, ctx: &Ctx, secret: &str, given: &str) -> Result<String, Error> {
    let (hash, ctx) = (mails::read(secret)?, ctx.clone());
    registry.access.count_request(&ctx, "sign-up")?;
    let now = ctx.now;
    let known = registry.db.read(move |tx| sign_ups::password_hash(tx, hash, now)).await?.ok_or(AccountError::Link)?;
    if !users::is_password(registry, given, Some(known.clone())).await? {
        return Err(Denial::of(Why::WrongCredentials).into());
    }
    let verify = move |tx: &mut Tx<'_>| {
        let row = sign_ups::take(tx, hash, ctx.now)?.filter(|row| row.password_hash == known);
        let row = row.ok_or(AccountError::Link)?;
        let new = NewUser {
            name: &row.name,
            email: Some(&row.email),
            display_name: row.display_name.as_deref(),
            admin: false,
            password_hash: Some(&row.password_hash),
        };
        make(tx, &ctx, &new, &row.language, "sign-up")?;
        Ok::<_, Error>(row.name)
    };
    registry.db.write(verify).await
}

/// Makes a user, with the namespace, whose address was shown to be theirs.
pub(super) fn make(tx: &mut Tx<'_>, ctx: &Ctx, new: &NewUser<'_>, language: &str, by: &str) -> Result<i64, Error> {
    if let Some(email) = new.email
        && rows::email_is_taken(tx, email)?
    {
        return Err(AccountError::Link.into());
    }
    let namespace = namespaces::insert(tx, new.name, "user", None, None, ctx.now)?;
    let namespace = namespace.ok_or_else(|| taken("user", new.name))?;
    let (id, public_id) = rows::insert(tx, new, ctx.now)?;
    rows::set_language(tx, id, language)?;
    namespaces::set_owner(tx, namespace, "user", Some(id))?;
    changed(tx, ctx, "user.create", &json!({ "user": public_id, "admin": false, "by": by }))?;
    Ok(id)
}

/// Checks what somebody chose for their account.
pub(super) fn check(name: &str, given: &str, email: &str, display_name: Option<&str>) -> Result<(), AccountError> {
    account_name::check(name).map_err(|why| AccountError::Name { name: name.to_owned(), why })?;
    password::check(given, name, Some(email))?;
    match display_name {
        Some(text) if text.chars().count() > LONGEST_DISPLAY_NAME || text.chars().any(char::is_control) => {
            let known = "at most 100 printable characters".to_owned();
            Err(AccountError::Word { kind: "display name", word: text.chars().take(20).collect(), known })
        }
        _ => Ok(()),
    }
}

fn allow_domain(registry: &Registry, email: &str) -> Result<(), AccountError> {
    let domains = &registry.people.domains;
    let host = email.rsplit_once('@').map_or("", |(_, host)| host);
    if domains.is_empty() || domains.iter().any(|domain| domain == host) {
        return Ok(());
    }
    Err(AccountError::Word {
        kind: "host of addresses that may sign up",
        word: host.to_owned(),
        known: domains.join(", "),
    })
}

/// Hashes a password when it is its turn.
pub(super) async fn hash(registry: &Registry, given: String) -> Result<String, Error> {
    Ok(users::hash_in_turn(registry, Some(given)).await?.unwrap_or_default())
}
