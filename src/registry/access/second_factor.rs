//! The second factor where somebody signs in: one-time passwords and recovery codes, each of which opens once.

use super::{Denial, Why, lock};
use crate::auth::seal::MasterKey;
use crate::auth::{recovery_code, totp};
use crate::db::users::UserRow;
use crate::db::{Tx, second_factors};
use crate::mail::FactorNews;
use crate::registry::accounts::AccountError;
use crate::registry::mails::{self, Notes};
use crate::registry::{Ctx, Error, Event, Registry};

/// With so many wrong codes of an account, its owner is told: whoever gives them knows the password.
const TOLD_AT: u32 = 10;
/// At most this many second factors are looked at in one step.
const STEP: i64 = 500;

/// For what the secret of a user's one-time passwords is sealed.
pub(in crate::registry) fn purpose(public_id: &str) -> String {
    format!("second factor {public_id}")
}

/// What somebody gave as a code; nothing where there is nothing.
pub(in crate::registry) fn given(code: Option<&str>) -> Option<&str> {
    code.filter(|code| !code.trim().is_empty())
}

/// Uses up a code, in the transaction of what it opens; tells whether it was one.
pub(in crate::registry) fn take(
    tx: &mut Tx<'_>,
    notes: &Notes,
    ctx: &Ctx,
    user: &UserRow,
    code: &str,
) -> Result<bool, Error> {
    let Some(factor) = second_factors::find(tx, user.id)? else { return Ok(false) };
    if let Some(hash) = recovery_code::hash(code) {
        if !second_factors::use_code(tx, user.id, &hash)? {
            return Ok(false);
        }
        notes.tell(tx, user, FactorNews::RecoveryCode, ctx.now)?;
        let detail = serde_json::json!({ "user": user.public_id }).to_string();
        let person = Some(format!("user:{}", user.public_id));
        ctx.record(tx, &Event { kind: "user.recovery_code", detail: Some(detail), person, ..Event::default() })?;
        return Ok(true);
    }
    // Of another master key, which the operator has replaced: recovery codes still open.
    let sealed = notes.access.master()?.open(&purpose(&user.public_id), &factor.sealed);
    let secret = sealed.map_err(|_| AccountError::FactorLost)?;
    // Apps show six digits in two groups, and people type them so.
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    match totp::accepted(&secret, &code, factor.last_step, ctx.now) {
        // Of two who show it at once, one finds it used.
        Some(step) => Ok(second_factors::step(tx, user.id, step)?),
        None => Ok(false),
    }
}

/// Has a code looked at, unless too many were wrong before. `attempt` says what a right one opened. It is counted before it
/// is looked at, so that many at once do not slip through; what fails for another reason is not.
pub(in crate::registry) async fn guarded<T>(
    registry: &Registry,
    ctx: &Ctx,
    user: &UserRow,
    code: &str,
    attempt: impl Future<Output = Result<Option<T>, Error>>,
) -> Result<Option<T>, Error> {
    let is_recovery = recovery_code::hash(code).is_some();
    let codes = if is_recovery { &registry.access.recovery_codes } else { &registry.access.codes };
    let refused = || registry.audit.refused(ctx, &user.name, Some(&user.public_id));
    let wrong = {
        let mut codes = lock(codes);
        if let Some(wait) = codes.wait(&user.name, ctx.address, ctx.now) {
            refused();
            return Err(Denial::of(Why::Throttled(wait)).into());
        }
        codes.charge(&user.name, ctx.address, ctx.now)
    };
    let opened = attempt.await.inspect_err(|_| lock(codes).take_back(&user.name, ctx.address))?;
    if opened.is_some() {
        lock(codes).forgive(&user.name, ctx.address, ctx.now);
        return Ok(opened);
    }
    refused();
    if wrong == TOLD_AT && !is_recovery {
        mails::warn_of_wrong_codes(registry, ctx, user).await;
    }
    Ok(opened)
}

/// The names of the users whose second factor cannot be opened with `master`.
pub(super) async fn lost(registry: &Registry, master: &MasterKey) -> Result<Vec<String>, Error> {
    let (mut lost, mut after) = (Vec::new(), 0);
    loop {
        let page = registry.db.scan(move |tx| second_factors::list(tx, after, STEP)).await?;
        let Some(last) = page.last() else { return Ok(lost) };
        after = last.user_id;
        let closed = page.into_iter().filter(|row| master.open(&purpose(&row.public_id), &row.sealed).is_err());
        lost.extend(closed.map(|row| row.name));
    }
}
