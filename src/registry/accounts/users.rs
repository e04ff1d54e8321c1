//! Users.

use serde_json::json;

use super::namespaces::adopts;
use super::{AccountError, Language, changed, display_name_is_plain, taken, user};
use crate::auth::{account_name, password};
use crate::db::users::{self, NewUser, UserRow};
use crate::db::{self, Tx, invitations, links, namespaces, outbox, roles, second_factors, sign_ups, teams, tokens};
use crate::registry::access::manage::still_may;
use crate::registry::access::{Denial, Why, sessions};
use crate::registry::{Ctx, Error, Event, Identity, Registry, audit};

/// The name of the first account.
pub const FIRST: &str = "admin";

/// A user to make. Not `Debug`, because it holds a password.
#[derive(Clone)]
pub struct Add {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// What people call the user.
    pub display_name: Option<String>,
    /// Whether the user administers the instance.
    pub admin: bool,
    /// The password; none when the user signs in with tokens only.
    pub password: Option<String>,
}

/// Makes a user with a namespace of the same name; for an administrator, one that exists without an owner becomes the
/// user's.
pub async fn add(registry: &Registry, ctx: &Ctx, add: Add) -> Result<(), Error> {
    account_name::check(&add.name).map_err(|why| AccountError::Name { name: add.name.clone(), why })?;
    let add = Add { email: add.email.as_deref().map(email).transpose()?, ..add };
    if let Some(given) = &add.password {
        password::check(given, &add.name, add.email.as_deref()).map_err(AccountError::from)?;
    }
    display_name_is_plain(add.display_name.as_deref())?;
    let hash = hash_in_turn(registry, add.password.clone()).await?;
    let ctx = ctx.clone();
    registry.db.write(move |tx| insert(tx, &ctx, &add, hash.as_deref())).await
}

fn insert(tx: &mut Tx<'_>, ctx: &Ctx, add: &Add, hash: Option<&str>) -> Result<(), Error> {
    let namespace = match namespaces::find(tx, &add.name)? {
        Some(found) if found.owner_kind == "none" && adopts(ctx) => Some(found.id),
        Some(_) => None,
        None => namespaces::insert(tx, &add.name, "user", None, None, ctx.now)?,
    };
    let namespace = namespace.ok_or_else(|| taken("user", &add.name))?;
    if let Some(email) = &add.email
        && users::email_is_taken(tx, email)?
    {
        return Err(AccountError::InUse(format!("another user has the e-mail address {email}")).into());
    }
    let new = NewUser {
        name: &add.name,
        email: add.email.as_deref(),
        display_name: add.display_name.as_deref(),
        admin: add.admin,
        password_hash: hash,
    };
    let (id, public_id) = users::insert(tx, &new, ctx.now)?;
    namespaces::set_owner(tx, namespace, "user", Some(id))?;
    changed(tx, ctx, "user.create", &json!({ "user": public_id, "admin": add.admin }))?;
    Ok(())
}

/// Hashes a password when it is its turn: each takes a core for a while, and 19 MiB.
pub(super) async fn hash_in_turn(registry: &Registry, given: Option<String>) -> Result<Option<String>, Error> {
    let Some(given) = given else { return Ok(None) };
    let _turn = registry.access.hashing_turn().await?;
    hash(Some(given)).await
}

/// Compares a password with that of a user when it is its turn; without a word to the throttle, so it is for those who
/// may know the answer.
pub async fn has_password(registry: &Registry, row: &UserRow, given: &str) -> Result<bool, Error> {
    is_password(registry, given, row.password_hash.clone()).await
}

/// Compares a password with a hash when it is its turn.
pub(super) async fn is_password(registry: &Registry, given: &str, hash: Option<String>) -> Result<bool, Error> {
    let _turn = registry.access.hashing_turn().await?;
    let given = given.to_owned();
    let compared = tokio::task::spawn_blocking(move || password::verify(&given, hash.as_deref())).await;
    Ok(compared.unwrap_or(false))
}

/// Hashing takes a while and a core.
pub(super) async fn hash(given: Option<String>) -> Result<Option<String>, Error> {
    let Some(given) = given else { return Ok(None) };
    let hashed = tokio::task::spawn_blocking(move || password::hash(&given)).await;
    let hashed = hashed.map_err(|error| db::Error::new(db::Kind::Internal, format!("hashing ended early: {error}")))?;
    Ok(Some(hashed.map_err(AccountError::from)?))
}

/// Reads an e-mail address, its letters made small: two that differ in nothing else reach one person.
pub(super) fn email(text: &str) -> Result<String, AccountError> {
    let parts = text.split_once('@').filter(|(local, host)| {
        !local.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !host.contains('@')
    });
    let plain = text.len() <= 254 && text.chars().all(|c| !c.is_whitespace() && !c.is_control());
    if parts.is_some() && plain { Ok(text.to_lowercase()) } else { Err(AccountError::Email(text.to_owned())) }
}

/// Makes the account `admin` where there is no user yet; tells whether it did.
pub async fn add_first(registry: &Registry, ctx: &Ctx, given: String) -> Result<bool, Error> {
    if registry.db.read(users::any).await? {
        return Ok(false);
    }
    password::check(&given, FIRST, None).map_err(AccountError::from)?;
    let hash = hash(Some(given)).await?;
    let ctx = ctx.clone();
    let first = move |tx: &mut Tx<'_>| {
        // Two nodes may start at the same moment.
        db::epoch::lock(tx)?;
        if users::any(tx)? {
            return Ok(false);
        }
        let new = NewUser {
            name: FIRST,
            email: None,
            display_name: Some("Administrator"),
            admin: true,
            password_hash: hash.as_deref(),
        };
        let (id, public_id) = users::insert(tx, &new, ctx.now)?;
        // Somebody may have pushed into it while the registry was open.
        match namespaces::find(tx, FIRST)? {
            Some(namespace) => namespaces::set_owner(tx, namespace.id, "user", Some(id))?,
            None => {
                namespaces::insert(tx, FIRST, "user", Some(id), None, ctx.now)?;
            }
        }
        changed(tx, &ctx, "user.create", &json!({ "user": public_id, "admin": true }))?;
        Ok::<_, Error>(true)
    };
    registry.db.write(first).await
}

/// Changes a password. What the earlier one proved, the tokens of `docker login` among it, proves nothing any more.
pub async fn set_password(registry: &Registry, ctx: &Ctx, name: &str, given: String) -> Result<(), Error> {
    let owned = name.to_owned();
    let row = registry.db.read(move |tx| user(tx, &owned)).await?;
    password::check(&given, name, row.email.as_deref()).map_err(AccountError::from)?;
    let hash = hash_in_turn(registry, Some(given)).await?.unwrap_or_default();
    let (ctx, id) = (ctx.clone(), row.id);
    let change = move |tx: &mut Tx<'_>| {
        let version = users::set_password(tx, id, &hash, ctx.now)?;
        sessions::end_others(tx, &ctx, id, Some(version))?;
        changed(tx, &ctx, "user.password", &json!({ "user": row.public_id }))
    };
    registry.db.write(change).await
}

/// Sets what people call a user.
pub async fn set_display_name(
    registry: &Registry,
    ctx: &Ctx,
    name: &str,
    display_name: Option<String>,
) -> Result<(), Error> {
    display_name_is_plain(display_name.as_deref())?;
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let set = move |tx: &mut Tx<'_>| {
        let row = user(tx, &name)?;
        users::set_display_name(tx, row.id, display_name.as_deref(), ctx.now)?;
        let event = Event {
            kind: "user.profile",
            detail: Some(json!({ "user": row.public_id }).to_string()),
            ..Event::default()
        };
        ctx.record(tx, &event)?;
        Ok::<_, Error>(())
    };
    registry.db.write(set).await
}

/// What a user sees of the own account, besides what everybody does.
#[derive(Debug)]
pub struct Profile {
    /// The user.
    pub user: UserRow,
    /// The language of mails.
    pub language: Language,
    /// When the e-mail address was shown to be the user's, in microseconds since 1970.
    pub email_verified_at: Option<i64>,
}

/// Tells what a user sees of the own account.
pub async fn profile(registry: &Registry, name: &str) -> Result<Profile, Error> {
    let name = name.to_owned();
    let look = move |tx: &mut Tx<'_>| {
        let user = user(tx, &name)?;
        let (language, email_verified_at) = users::mail_facts(tx, user.id)?;
        Ok::<_, Error>(Profile { user, language: Language::of(&language.unwrap_or_default()), email_verified_at })
    };
    registry.db.read(look).await
}

/// Sets what people call a user, and in which language mails are.
pub async fn set_profile(
    registry: &Registry,
    ctx: &Ctx,
    name: &str,
    display_name: Option<String>,
    language: Language,
) -> Result<(), Error> {
    display_name_is_plain(display_name.as_deref())?;
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let set = move |tx: &mut Tx<'_>| {
        let row = user(tx, &name)?;
        users::set_display_name(tx, row.id, display_name.as_deref(), ctx.now)?;
        users::set_language(tx, row.id, language.as_str())?;
        let detail = Some(json!({ "user": row.public_id }).to_string());
        ctx.record(tx, &Event { kind: "user.profile", detail, ..Event::default() })?;
        Ok::<_, Error>(())
    };
    registry.db.write(set).await
}

/// Keeps a user from signing in, or lets the user in again; all that was proved before proves nothing meanwhile.
pub async fn set_active(registry: &Registry, ctx: &Ctx, name: &str, active: bool) -> Result<(), Error> {
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let change = move |tx: &mut Tx<'_>| {
        let row = user(tx, &name)?;
        if !active {
            spare_the_last(tx, &row)?;
        }
        let (state, kind) = if active { ("active", "user.activate") } else { ("deactivated", "user.deactivate") };
        users::set_state(tx, row.id, state, ctx.now)?;
        if !active {
            sessions::end_others(tx, &ctx, row.id, None)?;
        }
        changed(tx, &ctx, kind, &json!({ "user": row.public_id }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(change).await
}

/// Makes a user an administrator, or no longer one.
pub async fn set_admin(registry: &Registry, ctx: &Ctx, name: &str, admin: bool) -> Result<(), Error> {
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let change = move |tx: &mut Tx<'_>| {
        let row = user(tx, &name)?;
        if !admin {
            spare_the_last(tx, &row)?;
        }
        users::set_admin(tx, row.id, admin, ctx.now)?;
        changed(tx, &ctx, "user.admin", &json!({ "user": row.public_id, "admin": admin }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(change).await
}

/// Erases what is known of who asks for it, and has shown password, and second factor, a short while ago.
pub async fn erase_oneself(registry: &Registry, ctx: &Ctx) -> Result<(), Error> {
    let Identity::User(account) = &ctx.identity else { return Err(Denial::of(Why::SignIn).into()) };
    sessions::refuse_unless_recent(registry, ctx).await?;
    erase(registry, ctx, &account.name).await
}

/// Erases what is known of a person. The images stay, in a namespace that only administrators reach.
pub async fn erase(registry: &Registry, ctx: &Ctx, name: &str) -> Result<(), Error> {
    let (now, ctx, name) = (ctx.now, ctx.clone(), name.to_owned());
    let change = move |tx: &mut Tx<'_>| {
        let row = user(tx, &name)?;
        spare_the_last(tx, &row)?;
        // Asked before anything is erased: whoever erases the own account may do nothing afterwards.
        still_may(tx, &ctx)?;
        let ctx = Ctx { managing: None, ..ctx.clone() };
        tokens::revoke_all(tx, row.id, ctx.now)?;
        tokens::forget_all(tx, row.id)?;
        second_factors::delete(tx, row.id)?;
        roles::revoke_all(tx, row.id)?;
        teams::remove_everywhere(tx, row.id)?;
        for address in links::addresses(tx, row.id)? {
            outbox::delete_to(tx, &address)?;
        }
        links::delete_of(tx, row.id)?;
        db::stars::remove_all(tx, row.id)?;
        if let Some(email) = &row.email {
            sign_ups::delete_email(tx, email)?;
            invitations::delete_email(tx, email)?;
            outbox::delete_to(tx, email)?;
        }
        users::erase(tx, row.id, ctx.now)?;
        if let Some(namespace) = namespaces::find(tx, &name)? {
            namespaces::retire(tx, namespace.id)?;
        }
        db::audit::erase_person(tx, &format!("user:{}", row.public_id), ctx.now)?;
        changed(tx, &ctx, "user.erase", &json!({ "user": row.public_id }))?;
        // Last: an administrator's own erasure may be asked for by one of them.
        db::sessions::delete_of(tx, row.id, 0)?;
        Ok::<_, Error>(())
    };
    registry.db.write(change).await?;
    // What is left of it if this ends early, the sweeper does.
    audit::erase(registry, now).await
}

fn spare_the_last(tx: &mut Tx<'_>, row: &UserRow) -> Result<(), Error> {
    // Of two administrators who do this to each other at the same moment, the second sees what the first did.
    db::epoch::lock(tx)?;
    if row.admin && row.is_active() && users::other_admins(tx, row.id)? == 0 {
        return Err(AccountError::LastAdministrator(row.name.clone()).into());
    }
    Ok(())
}

/// Lists users behind `after`.
pub async fn list(registry: &Registry, after: &str, limit: usize) -> Result<Vec<UserRow>, Error> {
    let after = after.to_owned();
    Ok(registry.db.scan(move |tx| users::list(tx, &after, limit as i64)).await?)
}

/// Finds a user.
pub async fn find(registry: &Registry, name: &str) -> Result<UserRow, Error> {
    let name = name.to_owned();
    registry.db.read(move |tx| user(tx, &name)).await
}
