//! Sessions: sign-ins of browsers. A cookie holds the secret; the database knows its hash.
//!
//! A session is *pending* while the second factor is still to be shown, or set up where the instance asks everybody for one.
//! It ends when it was not used for a while, when its time is over, and with what it was made from: the password, the
//! second factor, the account. One that is pending ends soon: a password that was shown yesterday is no half of a sign-in
//! today.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::manage::still_may;
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
use crate::registry::mails::Notes;
use crate::registry::{Ctx, Error, Event, Registry};

/// The use of a session is recorded once in this time, in microseconds: not every request shall write.
const USE_RECORDED: i64 = 60 * 1_000_000;
/// How long ago somebody may have shown the password, and the second factor, who changes how the account is opened; in
/// microseconds.
const RECENT: i64 = 10 * 60 * 1_000_000;
/// How long a session waits for the code of the second factor once the password was shown, in microseconds.
const WAITS_FOR_CODE: i64 = 10 * 60 * 1_000_000;
/// How long one waits for a second factor to be set up, in microseconds.
const WAITS_FOR_SET_UP: i64 = 3600 * 1_000_000;
/// At most this many sessions of a user are kept, the latest.
const MOST: i64 = 50;
/// At most this many that are pending, the latest. Counted apart: who knows the password alone ends no other session.
const MOST_PENDING: i64 = 5;

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

/// What is still to be done. A session that waits for a factor to be set up is full once nobody asks for one any more.
fn stage(access: &Access, pending: bool, user: &UserRow) -> Stage {
    if !pending {
        Stage::Full
    } else if user.second_factor {
        Stage::Code
    } else if access.requires_factor {
        Stage::SetUp
    } else {
        Stage::Full
    }
}

/// When a session ends, however much it is used.
fn ends_at(pending: bool, user: &UserRow, proved_at: i64, expires_at: i64) -> i64 {
    if !pending {
        return expires_at;
    }
    let waits = if user.second_factor { WAITS_FOR_CODE } else { WAITS_FOR_SET_UP };
    expires_at.min(proved_at.saturating_add(waits))
}

/// Whether a session goes on: its time is not over, and the password is the one it was made with.
fn goes_on(row: &SessionRow, user: &UserRow, now: i64) -> bool {
    let ends_at = ends_at(row.is_pending(), user, row.proved_at, row.expires_at);
    user.is_active() && user.password_version == row.password_version && now < ends_at
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
    if now.saturating_sub(row.last_seen_at) >= micros(access.session_idle) {
        return Ok(None);
    }
    Ok(users::by_id(tx, row.user_id)?.filter(|user| goes_on(row, user, now)))
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

/// The user as of now, whose password was compared a moment ago; nothing when that proves nothing any more.
fn as_proved(tx: &mut Tx<'_>, proved: &UserRow) -> Result<Option<UserRow>, db::Error> {
    let user = users::by_id(tx, proved.id)?.filter(UserRow::is_active);
    Ok(user.filter(|user| user.password_version == proved.password_version))
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
    let code = second_factor::given(code).filter(|_| user.second_factor);
    let pending = if user.second_factor { code.is_none() } else { registry.access.requires_factor };
    let expires_at = ctx.now.saturating_add(micros(registry.access.session_lifetime));
    let (notes, acting, hash) = (Notes::of(registry), acting(ctx, &user), secret.hash());
    let (proved, given) = (user.clone(), code.map(str::to_owned));
    let insert = move |tx: &mut Tx<'_>| {
        let Some(row) = as_proved(tx, &proved)? else { return Ok(None) };
        if let Some(code) = &given
            && !second_factor::take(tx, &notes, &acting, &row, code)?
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
        sessions::prune(tx, row.id, pending, if pending { MOST_PENDING } else { MOST })?;
        record(tx, &acting, "session.start", &id, pending)?;
        Ok::<_, Error>(Some(()))
    };
    let begun = match code {
        Some(code) => second_factor::guarded(registry, ctx, &user, code, registry.db.write(insert)).await?,
        None => registry.db.write(insert).await?,
    };
    // Which of the two was wrong is not told.
    begun.ok_or_else(|| Error::from(Denial::of(Why::WrongCredentials)))?;
    let stage = stage(&registry.access, pending, &user);
    let expires_at = ends_at(pending, &user, ctx.now, expires_at);
    Ok(Opened { secret, stage, user: user.name, expires_at })
}

/// Ends the session of a browser that has just signed in anew, so that it does not go on unseen.
pub async fn end_replaced(registry: &Registry, ctx: &Ctx, secret: &Secret) -> Result<(), Error> {
    let (ctx, hash) = (ctx.clone(), secret.hash());
    let end = move |tx: &mut Tx<'_>| {
        let Some(row) = sessions::by_secret(tx, &hash)? else { return Ok(()) };
        sessions::delete(tx, row.id)?;
        if let Some(user) = users::by_id(tx, row.user_id)? {
            let detail = Some(json!({ "session": row.public_id }).to_string());
            acting(&ctx, &user).record(tx, &Event { kind: "session.end", detail, ..Event::default() })?;
        }
        Ok::<_, db::Error>(())
    };
    Ok(registry.db.write(end).await?)
}

/// Shows what the caller's session still asks for, or password and second factor once more. It goes on under another secret.
pub async fn prove(
    registry: &Registry,
    ctx: &Ctx,
    password: Option<&str>,
    code: Option<&str>,
) -> Result<Opened, Error> {
    let (row, user) = own(registry, ctx).await?;
    let code = second_factor::given(code).filter(|_| user.second_factor);
    // What is missing is said before anything is compared, and counts as no wrong code.
    if user.second_factor && code.is_none() {
        return Err(Denial::of(Why::FactorPending).into());
    }
    if stage(&registry.access, row.is_pending(), &user) != Stage::Code {
        let wrong = || Error::from(Denial::of(Why::WrongCredentials));
        Box::pin(sign_in::prove_password(registry, ctx, &user.name, password.ok_or_else(wrong)?)).await?;
    }
    let secret = Secret::new(SecretKind::Session, random());
    let pending = !user.second_factor && registry.access.requires_factor;
    let (notes, acting, hash) = (Notes::of(registry), acting(ctx, &user), secret.hash());
    let (proved, session, given) = (user.clone(), row.clone(), code.map(str::to_owned));
    let renew = move |tx: &mut Tx<'_>| {
        let over = || Error::from(Denial::of(Why::Over));
        let of = as_proved(tx, &proved)?.ok_or_else(over)?;
        if let Some(code) = &given
            && !second_factor::take(tx, &notes, &acting, &of, code)?
        {
            return Ok(None);
        }
        if !sessions::renew(tx, session.id, &hash, pending, of.password_version, acting.now)? {
            return Err(over());
        }
        if !pending {
            sessions::prune(tx, of.id, pending, MOST)?;
        }
        record(tx, &acting, "session.prove", &session.public_id, pending)?;
        Ok::<_, Error>(Some(()))
    };
    let proved = match code {
        Some(code) => second_factor::guarded(registry, ctx, &user, code, registry.db.write(renew)).await?,
        None => registry.db.write(renew).await?,
    };
    proved.ok_or(AccountError::Code)?;
    let stage = stage(&registry.access, pending, &user);
    let expires_at = ends_at(pending, &user, ctx.now, row.expires_at);
    Ok(Opened { secret, stage, user: user.name, expires_at })
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
    match stage(&registry.access, row.is_pending(), &user) {
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

/// When a session of a user ends, by its public id; nothing where it is over, or a code of the second factor is still to be
/// shown. Whether everybody has to have a factor is not asked here: who lacks it is refused whatever credential it is.
pub(super) fn end_of(tx: &mut Tx<'_>, id: &str, user: &UserRow, now: i64) -> Result<Option<i64>, db::Error> {
    let row = sessions::by_public_id(tx, id)?.filter(|row| row.user_id == user.id && goes_on(row, user, now));
    let row = row.filter(|row| !(row.is_pending() && user.second_factor));
    Ok(row.map(|row| ends_at(row.is_pending(), user, row.proved_at, row.expires_at)))
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
    let Some(row) = sessions::by_public_id(tx, id)? else { return Ok(false) };
    Ok(users::by_id(tx, row.user_id)?.is_some_and(|user| goes_on(&row, &user, now)))
}

/// Whether the caller's credential was not taken away in a way that does not count the epoch up, as the end of a session
/// does not.
pub(super) fn is_there(tx: &mut Tx<'_>, proof: &Proof) -> Result<bool, db::Error> {
    match &proof.credential {
        Credential::Session(id) => Ok(sessions::by_public_id(tx, id)?.is_some()),
        Credential::None | Credential::Password { .. } | Credential::Token(_) => Ok(true),
    }
}

/// How far the caller's session is.
pub async fn look(registry: &Registry, ctx: &Ctx) -> Result<(SessionRow, Stage), Error> {
    let (row, user) = own(registry, ctx).await?;
    let stage = stage(&registry.access, row.is_pending(), &user);
    let expires_at = ends_at(row.is_pending(), &user, row.proved_at, row.expires_at);
    Ok((SessionRow { expires_at, ..row }, stage))
}

/// Refuses who has not shown password, and second factor, in a session a short while ago: to change how an account is
/// opened takes more than a browser that somebody has left open.
pub async fn refuse_unless_recent(registry: &Registry, ctx: &Ctx) -> Result<(), Error> {
    let (row, user) = own(registry, ctx).await?;
    let waits = stage(&registry.access, row.is_pending(), &user) == Stage::Code;
    let recent = ctx.now.saturating_sub(row.proved_at) <= RECENT && !waits;
    if recent { Ok(()) } else { Err(Denial::of(Why::ProveAgain).into()) }
}

/// As [`refuse_unless_recent`], for who shows a session; another credential is let through.
pub(in crate::registry) async fn refuse_unless_fresh(registry: &Registry, ctx: &Ctx) -> Result<(), Error> {
    if shown(ctx).is_some() { refuse_unless_recent(registry, ctx).await } else { Ok(()) }
}

/// Refuses to change how the account of `user` is opened: for oneself, and for another administrator, as
/// [`refuse_unless_recent`] does, so that no token that was stolen takes such an account over; for others, which is for
/// administrators, as [`refuse_unless_fresh`]. What the operator types is let through.
pub(in crate::registry) async fn refuse_to_reopen(registry: &Registry, ctx: &Ctx, user: &UserRow) -> Result<(), Error> {
    match &ctx.identity {
        Identity::System => Ok(()),
        Identity::User(account) if account.id != user.id && !user.admin => refuse_unless_fresh(registry, ctx).await,
        Identity::User(_) | Identity::Robot(_) | Identity::Anonymous => refuse_unless_recent(registry, ctx).await,
    }
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
        still_may(tx, &ctx)?;
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
        still_may(tx, &ctx)?;
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

/// Removes sessions that are over, at most `limit` of each kind; tells how many.
pub(in crate::registry) async fn expire(registry: &Registry, now: i64, limit: i64) -> Result<u64, Error> {
    let unused_since = now.saturating_sub(micros(registry.access.session_idle));
    Ok(registry.db.write(move |tx| sessions::expire(tx, unused_since, now, limit)).await?)
}
