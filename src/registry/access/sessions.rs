//! Sessions: sign-ins of browsers. A cookie holds the secret; the database knows its hash.
//!
//! A session is *pending* while the second factor is still to be shown, or set up where the instance asks everybody for one.
//! It ends when it was not used for a while, when its time is over, and with what it was made from: the password, the
//! second factor, the account.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{Access, Denial, Why, second_factor, sign_in};
use crate::auth::scope::Bound;
use crate::auth::seal::random;
use crate::auth::{Credential, Principal, Proof, Secret, SecretKind};
pub use crate::db::sessions::SessionRow;
use crate::db::sessions::{self, NewSession};
use crate::db::users::{self, UserRow};
use crate::db::{self, Tx};
use crate::registry::accounts::AccountError;
use crate::registry::context::{Account, Identity};
use crate::registry::{Ctx, Error, Event, Registry};

/// The use of a session is recorded once in this time, in microseconds: not every request shall write.
const USE_RECORDED: i64 = 60 * 1_000_000;
/// How long ago somebody may have shown the password, and the second factor, who changes how the account is opened; in
/// microseconds.
const RECENT: i64 = 10 * 60 * 1_000_000;
/// At most this many sessions of a user are kept, the latest.
const MOST: i64 = 50;

/// What is still to be done before a session opens anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing: it opens what its user may.
    Full,
    /// A code of the second factor is to be shown.
    Code,
    /// A second factor is to be set up, which the instance asks everybody for.
    SetUp,
}

/// A session that begins, or goes on under another secret. The secret goes into a cookie, and nowhere else.
#[derive(Debug)]
pub struct Opened {
    /// The secret.
    pub secret: Secret,
    /// What is still to be done.
    pub stage: Stage,
    /// The user's name.
    pub user: String,
    /// When it ends at the latest, in microseconds since 1970.
    pub expires_at: i64,
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn stage(row: &SessionRow, user: &UserRow) -> Stage {
    match (row.is_pending(), user.second_factor) {
        (false, _) => Stage::Full,
        (true, true) => Stage::Code,
        (true, false) => Stage::SetUp,
    }
}

/// The session that a caller shows.
fn shown(ctx: &Ctx) -> Option<Arc<str>> {
    match &ctx.credential.as_ref()?.proof.credential {
        Credential::Session(id) => Some(Arc::clone(id)),
        Credential::None | Credential::Password { .. } | Credential::Token(_) => None,
    }
}

/// Whether a session holds, and of whom.
fn holder(tx: &mut Tx<'_>, access: &Access, row: &SessionRow, now: i64) -> Result<Option<UserRow>, db::Error> {
    let unused = now.saturating_sub(row.last_seen_at);
    if now >= row.expires_at || unused >= micros(access.session_idle) {
        return Ok(None);
    }
    let user = users::by_id(tx, row.user_id)?.filter(UserRow::is_active);
    Ok(user.filter(|user| user.password_version == row.password_version))
}

/// The session that the caller shows, while it holds.
async fn own(registry: &Registry, ctx: &Ctx) -> Result<(SessionRow, UserRow), Error> {
    let (id, access, now) = (shown(ctx), Arc::clone(&registry.access), ctx.now);
    let Some(id) = id else { return Err(Denial::of(Why::ProveAgain).into()) };
    let find = move |tx: &mut Tx<'_>| {
        let Some(row) = sessions::by_public_id(tx, &id)? else { return Ok(None) };
        Ok::<_, db::Error>(holder(tx, &access, &row, now)?.map(|user| (row, user)))
    };
    registry.db.read(find).await?.ok_or_else(|| Denial::of(Why::Over).into())
}

/// Whom an event is about who signs in.
fn acting(ctx: &Ctx, user: &UserRow) -> Ctx {
    Ctx { identity: Identity::User(Arc::new(Account::of(user))), ..ctx.clone() }
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, kind: &'static str, id: &str, pending: bool) -> Result<(), db::Error> {
    let detail = Some(json!({ "session": id, "pending": pending }).to_string());
    ctx.record(tx, &Event { kind, detail, ..Event::default() })?;
    Ok(())
}

/// Signs in with name and password; where there is a second factor, with its code too, or without it to show it later.
pub async fn start(
    registry: &Registry,
    ctx: &Ctx,
    name: &str,
    password: &str,
    code: Option<&str>,
) -> Result<Opened, Error> {
    let user = Box::pin(sign_in::prove_password(registry, ctx, name, password)).await?;
    let secret = Secret::new(SecretKind::Session, random());
    let pending = if user.second_factor { code.is_none() } else { registry.access.requires_factor };
    let expires_at = ctx.now.saturating_add(micros(registry.access.session_lifetime));
    let (access, acting, hash) = (Arc::clone(&registry.access), acting(ctx, &user), secret.hash());
    let (row, given) = (user.clone(), code.filter(|_| user.second_factor).map(str::to_owned));
    let insert = move |tx: &mut Tx<'_>| {
        if let Some(code) = &given
            && !second_factor::take(tx, &access, &acting, &row, code)?
        {
            return Ok(None);
        }
        let address = acting.address.map(|address| address.to_string());
        let new = NewSession {
            user_id: row.id,
            secret_hash: hash,
            pending,
            password_version: row.password_version,
            expires_at,
            address: address.as_deref(),
            user_agent: acting.user_agent.as_deref(),
        };
        let id = sessions::insert(tx, &new, acting.now)?;
        sessions::prune(tx, row.id, MOST)?;
        record(tx, &acting, "session.start", &id, pending)?;
        Ok::<_, Error>(Some(()))
    };
    let begun = match code.filter(|_| user.second_factor) {
        Some(_) => second_factor::guarded(registry, ctx, &user, registry.db.write(insert)).await?,
        None => registry.db.write(insert).await?,
    };
    // Which of the two was wrong is not told.
    begun.ok_or_else(|| Error::from(Denial::of(Why::WrongCredentials)))?;
    let stage = match (pending, user.second_factor) {
        (false, _) => Stage::Full,
        (true, true) => Stage::Code,
        (true, false) => Stage::SetUp,
    };
    Ok(Opened { secret, stage, user: user.name, expires_at })
}

/// Shows what the caller's session still asks for, or password and second factor once more. It goes on under another secret.
pub async fn prove(
    registry: &Registry,
    ctx: &Ctx,
    password: Option<&str>,
    code: Option<&str>,
) -> Result<Opened, Error> {
    let (row, user) = own(registry, ctx).await?;
    if stage(&row, &user) != Stage::Code {
        let wrong = || Error::from(Denial::of(Why::WrongCredentials));
        Box::pin(sign_in::prove_password(registry, ctx, &user.name, password.ok_or_else(wrong)?)).await?;
    }
    let secret = Secret::new(SecretKind::Session, random());
    let pending = !user.second_factor && registry.access.requires_factor;
    let (access, acting, hash) = (Arc::clone(&registry.access), acting(ctx, &user), secret.hash());
    let (of, session, given) = (user.clone(), row.clone(), code.unwrap_or_default().to_owned());
    let renew = move |tx: &mut Tx<'_>| {
        if of.second_factor && !second_factor::take(tx, &access, &acting, &of, &given)? {
            return Ok(None);
        }
        if !sessions::renew(tx, session.id, &hash, pending, of.password_version, acting.now)? {
            return Err(Denial::of(Why::Over).into());
        }
        record(tx, &acting, "session.prove", &session.public_id, pending)?;
        Ok::<_, Error>(Some(()))
    };
    let proved = match user.second_factor {
        true => second_factor::guarded(registry, ctx, &user, registry.db.write(renew)).await?,
        false => registry.db.write(renew).await?,
    };
    proved.ok_or(AccountError::Code)?;
    let stage = if pending { Stage::SetUp } else { Stage::Full };
    Ok(Opened { secret, stage, user: user.name, expires_at: row.expires_at })
}

/// Finds out what the secret of a session proves. One that is pending proves something only where `pending` says so.
pub async fn find(registry: &Registry, ctx: &Ctx, secret: &Secret, pending: bool) -> Result<Arc<Proof>, Error> {
    let (access, hash, now) = (Arc::clone(&registry.access), secret.hash(), ctx.now);
    let find = move |tx: &mut Tx<'_>| {
        let Some(row) = sessions::by_secret(tx, &hash)? else { return Ok(None) };
        Ok::<_, db::Error>(holder(tx, &access, &row, now)?.map(|user| (row, user)))
    };
    let found = registry.db.read(find).await?;
    let (row, user) = found.ok_or_else(|| Error::from(Denial::of(Why::Over)))?;
    match stage(&row, &user) {
        Stage::Code if !pending => return Err(Denial::of(Why::FactorPending).into()),
        Stage::SetUp if !pending => return Err(Denial::of(Why::FactorMissing).into()),
        Stage::Full | Stage::Code | Stage::SetUp => {}
    }
    record_use(registry, ctx, &row);
    let credential = Credential::Session(row.public_id.into());
    // What ends it is looked at with every request; what is made with it may hold longer.
    Ok(Arc::new(Proof::new(Principal::User(user.public_id.into()), credential, Bound::Unbounded, i64::MAX)))
}

/// Records when and from where a session was used, without making the request wait for it.
fn record_use(registry: &Registry, ctx: &Ctx, row: &SessionRow) {
    if ctx.now.saturating_sub(row.last_seen_at) < USE_RECORDED {
        return;
    }
    let (db, id, ctx) = (Arc::clone(&registry.db), row.id, ctx.clone());
    tokio::spawn(async move {
        let address = ctx.address.map(|address| address.to_string());
        let seen =
            move |tx: &mut Tx<'_>| sessions::seen(tx, id, address.as_deref(), ctx.user_agent.as_deref(), ctx.now);
        if let Err(error) = db.write_soft(seen).await {
            tracing::warn!(%error, "cannot record when a session was used");
        }
    });
}

/// The user of a session by its public id, when it holds and is not pending; with it, when it ends.
pub(super) fn user_of(tx: &mut Tx<'_>, id: &str, user: &UserRow, now: i64) -> Result<Option<i64>, db::Error> {
    let row = sessions::by_public_id(tx, id)?.filter(|row| row.user_id == user.id && !row.is_pending());
    let row = row.filter(|row| row.password_version == user.password_version && now < row.expires_at);
    Ok(row.map(|row| row.expires_at))
}

/// Which account the caller's session is of, pending or not; nothing where the caller shows none.
pub(super) fn account_of(
    tx: &mut Tx<'_>,
    access: &Access,
    proof: &Proof,
    now: i64,
) -> Result<Option<Account>, db::Error> {
    let Credential::Session(id) = &proof.credential else { return Ok(None) };
    let Some(row) = sessions::by_public_id(tx, id)? else { return Ok(None) };
    Ok(holder(tx, access, &row, now)?.map(|user| Account::of(&user)))
}

/// Whether the caller's session is still there, pending or not.
pub(super) fn still_holds(tx: &mut Tx<'_>, proof: &Proof, now: i64) -> Result<bool, db::Error> {
    let Credential::Session(id) = &proof.credential else { return Ok(false) };
    let Some(row) = sessions::by_public_id(tx, id)?.filter(|row| now < row.expires_at) else { return Ok(false) };
    let user = users::by_id(tx, row.user_id)?.filter(UserRow::is_active);
    Ok(user.is_some_and(|user| user.password_version == row.password_version))
}

/// How far the caller's session is.
pub async fn look(registry: &Registry, ctx: &Ctx) -> Result<(SessionRow, Stage), Error> {
    let (row, user) = own(registry, ctx).await?;
    let stage = stage(&row, &user);
    Ok((row, stage))
}

/// Refuses who has not shown password, and second factor, in a session a short while ago: to change how an account is
/// opened takes more than a browser that somebody has left open.
pub async fn refuse_unless_recent(registry: &Registry, ctx: &Ctx) -> Result<(), Error> {
    let (row, user) = own(registry, ctx).await?;
    let recent = ctx.now.saturating_sub(row.proved_at) <= RECENT && stage(&row, &user) != Stage::Code;
    if recent { Ok(()) } else { Err(Denial::of(Why::ProveAgain).into()) }
}

/// Lists a user's sessions that hold, the oldest first; tells which of them is the caller's.
pub async fn list(registry: &Registry, ctx: &Ctx, name: &str) -> Result<Vec<(SessionRow, bool)>, Error> {
    let (name, access, now, own) = (name.to_owned(), Arc::clone(&registry.access), ctx.now, shown(ctx));
    let list = move |tx: &mut Tx<'_>| {
        let user = crate::registry::accounts::user(tx, &name)?;
        let mut found = Vec::new();
        for row in sessions::of_user(tx, user.id)? {
            if holder(tx, &access, &row, now)?.is_some() {
                let is_own = own.as_deref() == Some(row.public_id.as_str());
                found.push((row, is_own));
            }
        }
        Ok::<_, Error>(found)
    };
    registry.db.scan(list).await
}

/// Ends the caller's session.
pub async fn sign_out(registry: &Registry, ctx: &Ctx) -> Result<(), Error> {
    let Some(id) = shown(ctx) else { return Ok(()) };
    let ctx = ctx.clone();
    let end = move |tx: &mut Tx<'_>| {
        if let Some(row) = sessions::by_public_id(tx, &id)? {
            sessions::delete(tx, row.id)?;
            let detail = Some(json!({ "session": row.public_id }).to_string());
            ctx.record(tx, &Event { kind: "session.end", detail, ..Event::default() })?;
        }
        Ok::<_, db::Error>(())
    };
    Ok(registry.db.write(end).await?)
}

/// Ends one of a user's sessions.
pub async fn end(registry: &Registry, ctx: &Ctx, name: &str, id: &str) -> Result<(), Error> {
    let (ctx, name, id) = (ctx.clone(), name.to_owned(), id.to_owned());
    let end = move |tx: &mut Tx<'_>| {
        let user = crate::registry::accounts::user(tx, &name)?;
        let row = sessions::by_public_id(tx, &id)?.filter(|row| row.user_id == user.id);
        let row = row.ok_or_else(|| AccountError::Unknown { kind: "session", name: id.clone() })?;
        sessions::delete(tx, row.id)?;
        let detail = Some(json!({ "user": user.public_id, "session": row.public_id }).to_string());
        ctx.record(tx, &Event { kind: "session.end", detail, ..Event::default() })?;
        Ok::<_, Error>(())
    };
    registry.db.write(end).await
}

/// Ends the sessions of a user, but for the one that asks for it; tells how many.
pub async fn end_all(registry: &Registry, ctx: &Ctx, name: &str) -> Result<u64, Error> {
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let end = move |tx: &mut Tx<'_>| {
        let user = crate::registry::accounts::user(tx, &name)?;
        let ended = end_others(tx, &ctx, user.id, None)?;
        let detail = Some(json!({ "user": user.public_id, "sessions": ended }).to_string());
        ctx.record(tx, &Event { kind: "session.end", detail, ..Event::default() })?;
        Ok::<_, Error>(ended)
    };
    registry.db.write(end).await
}

/// Ends the sessions of a user, but for the one that asks for it, which goes on under the new version of the password.
pub(in crate::registry) fn end_others(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    user_id: i64,
    version: Option<i64>,
) -> Result<u64, db::Error> {
    let own = own_row(tx, ctx, user_id)?;
    if let (Some(own), Some(version)) = (&own, version) {
        sessions::carry_over(tx, own.id, version)?;
    }
    sessions::delete_of(tx, user_id, own.map_or(0, |own| own.id))
}

/// The session of a user by which the caller asks.
pub(in crate::registry) fn own_row(tx: &mut Tx<'_>, ctx: &Ctx, user_id: i64) -> Result<Option<SessionRow>, db::Error> {
    let Some(id) = shown(ctx) else { return Ok(None) };
    Ok(sessions::by_public_id(tx, &id)?.filter(|row| row.user_id == user_id))
}

/// Removes the sessions that are over; tells how many.
pub(in crate::registry) async fn expire(registry: &Registry, now: i64) -> Result<u64, Error> {
    let unused_since = now.saturating_sub(micros(registry.access.session_idle));
    Ok(registry.db.write(move |tx| sessions::expire(tx, unused_since, now)).await?)
}
