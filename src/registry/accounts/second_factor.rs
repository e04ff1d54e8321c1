//! The second factor of a user: begun with a secret that an app takes over, confirmed with the first code that it shows.
//!
//! Whoever turns it on or off has shown password, and second factor, in a session a short while ago; a token is not enough,
//! for a token that was stolen would then keep its owner out. An operator takes it off from whoever lost it.

use serde_json::json;

use super::{AccountError, changed, unknown, user};
use crate::auth::seal::random;
use crate::auth::totp::{self, SECRET_LEN};
use crate::auth::{Secret, SecretKind, recovery_code};
use crate::db::{self, Tx, second_factors, sessions as session_rows, users};
use crate::mail::FactorNews;
use crate::registry::access::{second_factor as factor, sessions};
use crate::registry::mails::Notes;
use crate::registry::{Ctx, Error, Registry};

/// A second factor that was begun: what an app has to know, shown once.
pub struct Begun {
    /// The link that an app reads, as a QR code mostly.
    pub link: String,
    /// The secret alone, to be typed.
    pub secret: String,
}

/// A second factor that is on from now on.
pub struct Confirmed {
    /// The recovery codes, shown once.
    pub codes: Vec<String>,
    /// The new secret of the session that asked for it.
    pub session: Option<Secret>,
}

/// What is told of a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Since when it is on, in microseconds since 1970; nothing while it is off.
    pub since: Option<i64>,
    /// How many recovery codes are left.
    pub codes_left: i64,
}

fn on_already(name: &str) -> AccountError {
    AccountError::InUse(format!("{name} has a second factor; turn it off first"))
}

fn shown(registry: &Registry, name: &str, secret: &[u8; SECRET_LEN]) -> Result<Begun, Error> {
    let issuer = if registry.people.host.is_empty() { "Havre" } else { &registry.people.host };
    let link = totp::link(secret, issuer, name);
    let link = link.map_err(|error| db::Error::new(db::Kind::Internal, error.to_string()))?;
    Ok(Begun { link, secret: totp::typed(secret) })
}

/// What an app has to know of a second factor that was begun and not confirmed, once more: a page may be loaded again, or
/// the first code be mistyped. Nothing where none was begun.
pub async fn begun(registry: &Registry, ctx: &Ctx, name: &str) -> Result<Option<Begun>, Error> {
    sessions::refuse_unless_recent(registry, ctx).await?;
    let owned = name.to_owned();
    let find = move |tx: &mut Tx<'_>| {
        let row = user(tx, &owned)?;
        let factor = second_factors::find(tx, row.id)?.filter(|factor| factor.confirmed_at.is_none());
        Ok::<_, Error>(factor.map(|factor| (row, factor)))
    };
    let Some((row, factor)) = registry.db.read(find).await? else { return Ok(None) };
    let secret = registry.access.master()?.open(&factor::purpose(&row.public_id), &factor.sealed);
    let secret = secret.ok().and_then(|secret| <[u8; SECRET_LEN]>::try_from(secret).ok()).ok_or(Error::MasterKey)?;
    Ok(Some(shown(registry, name, &secret)?))
}

/// Begins a second factor, in place of one that was begun and not confirmed.
pub async fn begin(registry: &Registry, ctx: &Ctx, name: &str) -> Result<Begun, Error> {
    sessions::refuse_unless_recent(registry, ctx).await?;
    let owned = name.to_owned();
    let row = registry.db.read(move |tx| user(tx, &owned)).await?;
    let secret: [u8; SECRET_LEN] = random();
    let begun = shown(registry, name, &secret)?;
    let sealed = registry.access.master()?.seal(&factor::purpose(&row.public_id), &secret);
    let (now, name) = (ctx.now, name.to_owned());
    let begin = move |tx: &mut Tx<'_>| {
        let row = user(tx, &name)?;
        if row.second_factor || !second_factors::begin(tx, row.id, sealed.clone(), now)? {
            return Err(on_already(&name).into());
        }
        Ok::<_, Error>(())
    };
    registry.db.write(begin).await?;
    Ok(begun)
}

/// Turns a second factor on that was begun, with the first code of it. What the password alone had proved proves nothing any
/// more, and every other session ends.
pub async fn confirm(registry: &Registry, ctx: &Ctx, name: &str, code: &str) -> Result<Confirmed, Error> {
    sessions::refuse_unless_recent(registry, ctx).await?;
    let code = factor::given(Some(code)).ok_or(AccountError::Code)?;
    let owned = name.to_owned();
    let row = registry.db.read(move |tx| user(tx, &owned)).await?;
    if row.second_factor {
        return Err(on_already(name).into());
    }
    let codes = recovery_code::generate();
    let hashes: Vec<[u8; 32]> = codes.iter().filter_map(|code| recovery_code::hash(code)).collect();
    let secret = Secret::new(SecretKind::Session, random());
    let (notes, ctx_of, hash) = (Notes::of(registry), ctx.clone(), secret.hash());
    let (name, given) = (name.to_owned(), code.to_owned());
    let confirm = move |tx: &mut Tx<'_>| {
        let row = user(tx, &name)?;
        if row.second_factor || !factor::take(tx, &notes, &ctx_of, &row, &given)? {
            return Ok(None);
        }
        second_factors::confirm(tx, row.id, ctx_of.now)?;
        second_factors::replace_codes(tx, row.id, &hashes)?;
        let version = users::set_second_factor(tx, row.id, true, ctx_of.now)?;
        sessions::end_others(tx, &ctx_of, row.id, Some(version))?;
        // The session may do more from now on: it goes on under another secret.
        let own = sessions::own_row(tx, &ctx_of, row.id)?;
        if let Some(own) = &own {
            session_rows::renew(tx, own.id, &hash, false, version, ctx_of.now)?;
        }
        notes.tell(tx, &row, FactorNews::On, ctx_of.now)?;
        changed(tx, &ctx_of, "user.second_factor.enable", &json!({ "user": row.public_id }))?;
        Ok::<_, Error>(Some(own.is_some()))
    };
    let confirmed = factor::guarded(registry, ctx, &row, code, registry.db.write(confirm)).await?;
    let renewed = confirmed.ok_or(AccountError::Code)?;
    Ok(Confirmed { codes, session: renewed.then_some(secret) })
}

/// Turns a user's own second factor off.
pub async fn disable(registry: &Registry, ctx: &Ctx, name: &str) -> Result<(), Error> {
    sessions::refuse_unless_recent(registry, ctx).await?;
    remove(registry, ctx, name, ("user.second_factor.disable", FactorNews::Off)).await
}

/// Takes the second factor off from a user who lost it; the password alone signs in again, and every session ends.
pub async fn reset(registry: &Registry, ctx: &Ctx, name: &str) -> Result<(), Error> {
    let owned = name.to_owned();
    let row = registry.db.read(move |tx| user(tx, &owned)).await?;
    sessions::refuse_to_reopen(registry, ctx, &row).await?;
    remove(registry, ctx, name, ("user.second_factor.reset", FactorNews::Reset)).await
}

async fn remove(
    registry: &Registry,
    ctx: &Ctx,
    name: &str,
    (kind, news): (&'static str, FactorNews),
) -> Result<(), Error> {
    let (notes, ctx, name) = (Notes::of(registry), ctx.clone(), name.to_owned());
    let remove = move |tx: &mut Tx<'_>| {
        let row = user(tx, &name)?;
        if second_factors::find(tx, row.id)?.is_none() {
            return Err(unknown("second factor of", &name).into());
        }
        second_factors::delete(tx, row.id)?;
        if !row.second_factor {
            // Only begun: it opened nothing, and nothing that holds was made with it.
            return Ok(());
        }
        let version = users::set_second_factor(tx, row.id, false, ctx.now)?;
        sessions::end_others(tx, &ctx, row.id, Some(version))?;
        notes.tell(tx, &row, news, ctx.now)?;
        changed(tx, &ctx, kind, &json!({ "user": row.public_id }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(remove).await
}

/// Makes recovery codes in place of all there were.
pub async fn new_codes(registry: &Registry, ctx: &Ctx, name: &str) -> Result<Vec<String>, Error> {
    sessions::refuse_unless_recent(registry, ctx).await?;
    let codes = recovery_code::generate();
    let hashes: Vec<[u8; 32]> = codes.iter().filter_map(|code| recovery_code::hash(code)).collect();
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let replace = move |tx: &mut Tx<'_>| {
        let row = user(tx, &name)?;
        if !row.second_factor {
            return Err(unknown("second factor of", &name).into());
        }
        second_factors::replace_codes(tx, row.id, &hashes)?;
        changed(tx, &ctx, "user.recovery_codes", &json!({ "user": row.public_id }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(replace).await?;
    Ok(codes)
}

/// Tells whether a user has a second factor.
pub async fn status(registry: &Registry, name: &str) -> Result<Status, Error> {
    let name = name.to_owned();
    let look = move |tx: &mut Tx<'_>| {
        let row = user(tx, &name)?;
        let since = second_factors::find(tx, row.id)?.and_then(|factor| factor.confirmed_at);
        Ok::<_, Error>(Status { since, codes_left: second_factors::codes_left(tx, row.id)? })
    };
    registry.db.read(look).await
}
