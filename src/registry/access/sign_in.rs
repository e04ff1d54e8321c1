//! From what a request shows to what it proves.

use std::sync::Arc;
use std::time::Duration;

use super::{Access, Denial, Why, keys, lock};
use crate::auth::bearer::{self, Invalid};
use crate::auth::presented::{MAX_NAME, MAX_PASSWORD};
use crate::auth::scope::Bound;
use crate::auth::surface::{self, Shown, Surface};
use crate::auth::{Credential, Presented, Principal, Proof, Secret, account_name, password};
use crate::db::tokens::TokenRow;
use crate::db::users::UserRow;
use crate::db::{self, Tx, robots, tokens, users};
use crate::registry::context::{Account, Identity};
use crate::registry::{Ctx, Error, Event, Registry};

/// The use of a token is recorded once in this time, in microseconds: not every request shall write.
const USE_RECORDED: i64 = 60 * 1_000_000;
/// Longest token in bytes that is remembered: one with a great many scopes is verified anew each time.
const REMEMBERED_LEN: usize = 1536;
/// How long a password waits for its turn to be hashed before the client is told to come again.
const QUEUE: Duration = Duration::from_secs(10);

/// Finds out what a request proves.
pub async fn authenticate(registry: &Registry, ctx: &Ctx, presented: Presented) -> Result<Arc<Proof>, Error> {
    match presented {
        Presented::Nothing => Ok(registry.access.anonymous()),
        _ if registry.access.open => Ok(registry.access.anonymous()),
        Presented::Bearer(token) => by_bearer(registry, &token, ctx.now).await,
        Presented::Basic { name, secret } => match Secret::parse(&secret) {
            // Boxed: every request would carry the room for it.
            Some(secret) => Box::pin(by_secret(registry, ctx, Some(&name), &secret)).await.map(Arc::new),
            None => Box::pin(by_password(registry, ctx, &name, &secret)).await.map(Arc::new),
        },
    }
}

async fn by_bearer(registry: &Registry, token: &str, now: i64) -> Result<Arc<Proof>, Error> {
    let access = &registry.access;
    if let Some(proof) = access.verified.get(token) {
        return if now < proof.until { Ok(proof) } else { Err(Denial::of(Why::Expired).into()) };
    }
    let mut verified = bearer::verify(&access.keys.load(), token, now);
    if verified == Err(Invalid::UnknownKey) {
        keys::seek(registry, now).await?;
        verified = bearer::verify(&access.keys.load(), token, now);
    }
    let proof = verified.map(Arc::new).map_err(|invalid| match invalid {
        Invalid::Expired => Denial::of(Why::Expired),
        Invalid::UnknownKey | Invalid::Forged => Denial::of(Why::Over),
    })?;
    if token.len() <= REMEMBERED_LEN {
        access.verified.insert(token.into(), Arc::clone(&proof));
    }
    Ok(proof)
}

/// Finds out what the secret of a personal token or of a robot proves, where nobody asks for a name beside it.
pub async fn authenticate_secret(registry: &Registry, ctx: &Ctx, secret: &Secret) -> Result<Arc<Proof>, Error> {
    Box::pin(by_secret(registry, ctx, None, secret)).await.map(Arc::new)
}

/// Signs in with the secret of a personal token or of a robot. A name must be its own.
async fn by_secret(registry: &Registry, ctx: &Ctx, name: Option<&str>, secret: &Secret) -> Result<Proof, Error> {
    let wrong = || Error::from(Denial::of(Why::WrongCredentials));
    // Of `/v2` and `/token`: what does not open the one by a name and a secret does not open the other either.
    let (surface, shown) = match name {
        Some(_) => (Surface::Token, Shown::Basic),
        None => (Surface::Api, Shown::Bearer),
    };
    if !surface::opens(surface::Kind::Secret(secret.kind()), surface, shown) {
        return Err(wrong());
    }
    let (hash, given, name, now) = (secret.hash(), name, name.map(str::to_owned), ctx.now);
    let find = move |tx: &mut Tx<'_>| {
        let token = tokens::by_secret(tx, &hash, now)?.filter(|token| token.holds(now));
        let principal = match (&token, &name) {
            (Some(token), Some(name)) => principal_of(tx, token, name)?,
            (Some(token), None) => owner(tx, token)?,
            (None, _) => None,
        };
        // Whose name was tried, so that it goes when that person is erased.
        let tried = match &name {
            Some(name) if principal.is_none() => users::by_name(tx, name)?.map(|user| user.public_id),
            _ => None,
        };
        Ok::<_, db::Error>((principal.zip(token), tried))
    };
    let (found, tried) = registry.db.read(find).await?;
    let Some((principal, token)) = found else {
        registry.audit.refused(ctx, given.unwrap_or_default(), tried.as_deref());
        return Err(wrong());
    };
    record_use(registry, ctx, &token);
    let until = token.expires_at.unwrap_or(i64::MAX);
    Ok(Proof::new(principal, Credential::Token(token.public_id.into()), Bound::Unbounded, until))
}

/// Whom a token speaks for, if that is who `name` says.
fn principal_of(tx: &mut Tx<'_>, token: &TokenRow, name: &str) -> Result<Option<Principal>, db::Error> {
    if let Some((namespace, robot)) = account_name::split_robot(name) {
        let robot = robots::by_name(tx, namespace, robot)?.filter(|robot| token.robot_id == Some(robot.id));
        return Ok(robot.map(|robot| Principal::Robot(robot.public_id.into())));
    }
    let user = users::by_name(tx, name)?.filter(|user| token.user_id == Some(user.id));
    Ok(user.map(|user| Principal::User(user.public_id.into())))
}

/// Whom a token speaks for.
fn owner(tx: &mut Tx<'_>, token: &TokenRow) -> Result<Option<Principal>, db::Error> {
    if let Some(id) = token.user_id {
        return Ok(users::public_id(tx, id)?.map(|id| Principal::User(id.into())));
    }
    let robot = token.robot_id.map(|id| robots::public_id(tx, id)).transpose()?.flatten();
    Ok(robot.map(|id| Principal::Robot(id.into())))
}

/// Records when and from where a token was used, without making the request wait for it.
pub(super) fn record_use(registry: &Registry, ctx: &Ctx, token: &TokenRow) {
    if token.last_used_at.is_some_and(|last| ctx.now.saturating_sub(last) < USE_RECORDED) {
        return;
    }
    let (db, id, now) = (Arc::clone(&registry.db), token.id, ctx.now);
    let address = ctx.address.map(|address| address.to_string());
    tokio::spawn(async move {
        let record = move |tx: &mut Tx<'_>| tokens::used(tx, id, address.as_deref(), now);
        if let Err(error) = db.write_soft(record).await {
            tracing::warn!(%error, "cannot record when a token was used");
        }
    });
}

/// Signs in with a password.
async fn by_password(registry: &Registry, ctx: &Ctx, name: &str, secret: &str) -> Result<Proof, Error> {
    let (user, fresh) = right_password(registry, ctx, name, secret).await?;
    // Only who has the password reads what is wanted instead of it.
    let why = match (user.second_factor, registry.access.requires_factor) {
        (true, _) => Some(Why::TokenInstead),
        (false, true) => Some(Why::FactorMissing),
        (false, false) => None,
    };
    if let Some(why) = why {
        registry.audit.refused(ctx, name, Some(&user.public_id));
        return Err(Denial { name: Some(name.into()), ..Denial::of(why) }.into());
    }
    if fresh {
        record(registry, ctx, &user);
    }
    let credential = Credential::Password { version: user.password_version };
    Ok(Proof::new(Principal::User(user.public_id.into()), credential, Bound::Unbounded, i64::MAX))
}

/// The user whose password it is; with it, whether it was compared just now.
async fn right_password(registry: &Registry, ctx: &Ctx, name: &str, secret: &str) -> Result<(UserRow, bool), Error> {
    // As no header can show them; no text column of PostgreSQL takes a NUL.
    let plain = |text: &str, most| text.len() <= most && !text.contains('\0');
    if !plain(name, MAX_NAME) || !plain(secret, MAX_PASSWORD) {
        return Err(Denial::of(Why::WrongCredentials).into());
    }
    let user = find_user(registry, name).await?;
    let fresh = verify_password(registry, ctx, name, user.as_ref(), secret).await?;
    // An account that is not there has no password that is right.
    let user = user.ok_or_else(|| Error::from(Denial::of(Why::WrongCredentials)))?;
    Ok((user, fresh))
}

/// The user whose password it is, for what asks for a second factor after it.
pub(super) async fn prove_password(registry: &Registry, ctx: &Ctx, name: &str, secret: &str) -> Result<UserRow, Error> {
    Ok(right_password(registry, ctx, name, secret).await?.0)
}

async fn find_user(registry: &Registry, name: &str) -> Result<Option<UserRow>, Error> {
    let name = name.to_owned();
    let user = registry.db.read(move |tx| users::by_name(tx, &name)).await?;
    Ok(user.filter(UserRow::is_active))
}

/// Compares a user's own password, for what asks for it again.
pub async fn check_password(registry: &Registry, ctx: &Ctx, name: &str, secret: &str) -> Result<(), Error> {
    let (user, fresh) = right_password(registry, ctx, name, secret).await?;
    if fresh {
        record(registry, ctx, &user);
    }
    Ok(())
}

/// Compares a password; tells whether that was done just now, or is remembered. It takes the same time, and is slowed the
/// same way, whether or not there is such an account.
async fn verify_password(
    registry: &Registry,
    ctx: &Ctx,
    name: &str,
    user: Option<&UserRow>,
    secret: &str,
) -> Result<bool, Error> {
    let access = &registry.access;
    let version = user.map_or(0, |user| user.password_version);
    let known = || user.is_some() && lock(&access.passwords).knows(name, version, secret, ctx.now);
    if known() {
        return Ok(false);
    }
    let refused = || registry.audit.refused(ctx, name, user.map(|user| user.public_id.as_str()));
    slow_down(access, ctx, name).inspect_err(|_| refused())?;
    let turn = tokio::time::timeout(QUEUE, access.hashing.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return Err(Denial::of(Why::Throttled(QUEUE)).into()) };
    // Whoever was before us in the queue may have tried the same.
    if known() {
        return Ok(false);
    }
    slow_down(access, ctx, name).inspect_err(|_| refused())?;
    lock(&access.throttle).charge(name, ctx.address, ctx.now);
    let hash = user.and_then(|user| user.password_hash.clone());
    let given = secret.to_owned();
    let right = tokio::task::spawn_blocking(move || password::verify(&given, hash.as_deref())).await.unwrap_or(false);
    if right && user.is_some() {
        lock(&access.throttle).forgive(name, ctx.address, ctx.now);
        lock(&access.passwords).remember(name, version, secret, ctx.now);
        return Ok(true);
    }
    refused();
    Err(Denial::of(Why::WrongCredentials).into())
}

fn slow_down(access: &Access, ctx: &Ctx, name: &str) -> Result<(), Error> {
    match lock(&access.throttle).wait(name, ctx.address, ctx.now) {
        Some(wait) => Err(Denial::of(Why::Throttled(wait)).into()),
        None => Ok(()),
    }
}

/// Writes down that somebody signed in. The request does not wait for it.
fn record(registry: &Registry, ctx: &Ctx, user: &UserRow) {
    let identity = Identity::User(Arc::new(Account::of(user)));
    let (db, ctx) = (Arc::clone(&registry.db), Ctx { identity, ..ctx.clone() });
    tokio::spawn(async move {
        let record = move |tx: &mut Tx<'_>| {
            ctx.record(tx, &Event { kind: "account.sign_in", ..Event::default() })?;
            Ok::<_, db::Error>(())
        };
        if let Err(error) = db.write_soft(record).await {
            tracing::warn!(%error, "cannot write down who signed in");
        }
    });
}
