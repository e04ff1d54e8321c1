//! The second factor where somebody signs in: one-time passwords and recovery codes, each of which opens once.

use super::{Access, Denial, Why, lock};
use crate::auth::{recovery_code, totp};
use crate::db::users::UserRow;
use crate::db::{Tx, second_factors};
use crate::registry::{Ctx, Error, Event, Registry};

/// For what the secret of a user's one-time passwords is sealed.
pub(in crate::registry) fn purpose(public_id: &str) -> String {
    format!("second factor {public_id}")
}

/// Uses up a code, in the transaction of what it opens; tells whether it was one.
pub(in crate::registry) fn take(
    tx: &mut Tx<'_>,
    access: &Access,
    ctx: &Ctx,
    user: &UserRow,
    code: &str,
) -> Result<bool, Error> {
    let Some(factor) = second_factors::find(tx, user.id)? else { return Ok(false) };
    if let Some(hash) = recovery_code::hash(code) {
        if !second_factors::use_code(tx, user.id, &hash)? {
            return Ok(false);
        }
        let detail = serde_json::json!({ "user": user.public_id }).to_string();
        let person = Some(format!("user:{}", user.public_id));
        ctx.record(tx, &Event { kind: "user.recovery_code", detail: Some(detail), person, ..Event::default() })?;
        return Ok(true);
    }
    let sealed = access.master()?.open(&purpose(&user.public_id), &factor.sealed);
    let secret = sealed.map_err(|_| Error::MasterKey)?;
    match totp::accepted(&secret, code.trim(), factor.last_step, ctx.now) {
        // Of two who show it at once, one finds it used.
        Some(step) => Ok(second_factors::step(tx, user.id, step)?),
        None => Ok(false),
    }
}

/// Has a code looked at, unless too many were wrong before. `attempt` says what a right one opened. It is counted before it
/// is looked at, so that many at once do not slip through.
pub(in crate::registry) async fn guarded<T>(
    registry: &Registry,
    ctx: &Ctx,
    user: &UserRow,
    attempt: impl Future<Output = Result<Option<T>, Error>>,
) -> Result<Option<T>, Error> {
    let codes = &registry.access.codes;
    let refused = || registry.audit.refused(ctx, &user.name, Some(&user.public_id));
    {
        let mut codes = lock(codes);
        if let Some(wait) = codes.wait(&user.name, ctx.address, ctx.now) {
            refused();
            return Err(Denial::of(Why::Throttled(wait)).into());
        }
        codes.charge(&user.name, ctx.address, ctx.now);
    }
    let opened = attempt.await?;
    match opened {
        Some(_) => lock(codes).forgive(&user.name, ctx.address, ctx.now),
        None => refused(),
    }
    Ok(opened)
}
