//! A repository that is asked for by a name which it had before.

use std::sync::Arc;

use oci::RepositoryName;

use super::{Denial, Why, decide, standing};
use crate::auth::policy::{self, Decision};
use crate::auth::{Permissions, Proof};
use crate::db::{self, Tx, epoch, former_names};
use crate::registry::context::Held;
use crate::registry::{Ctx, Error, Registry};

/// Finds the repository that was called `asked` before and that the caller may read, and writes into `ctx` who the caller
/// is. Nothing where there is none, or the caller may not read it: one must not tell from the other.
///
/// What the caller may do is decided by the name that it has now. How far the credential reaches is decided by the name
/// that was asked for: whoever made a token for `acme/app` meant the repository that was called so.
pub async fn follow(
    registry: &Registry,
    ctx: &mut Ctx,
    proof: &Arc<Proof>,
    asked: &RepositoryName,
) -> Result<Option<RepositoryName>, Error> {
    let (by, name, open, now) = (Arc::clone(proof), asked.clone(), registry.access.open, ctx.now);
    let requires_factor = registry.access.requires_factor;
    let look = move |tx: &mut Tx<'_>| {
        let Some(current) = former_names::current(tx, &name)? else { return Ok(None) };
        let current = RepositoryName::parse(&current)
            .map_err(|e| db::Error::new(db::Kind::Corrupt, format!("a repository's name is not one: {e}")))?;
        if open {
            return Ok(Some((current, None)));
        }
        let epoch = epoch::current(tx)?;
        let Some(who) = standing::who_in(tx, &by, now)? else { return Ok(None) };
        let Some((found, _)) = standing::load(tx, &by, &current, epoch, now)? else { return Ok(None) };
        let reach = who.reach_on(&name);
        let allowed = policy::check(found.signed_in, found.rights, reach & by.bound.on(&name), Permissions::READ);
        let held = Held { proof: by, reach, token: found.token, epoch, requires_factor };
        Ok::<_, Error>((allowed == Decision::Allow).then_some((current, Some((found.identity, held)))))
    };
    let Some((current, caller)) = registry.db.read(look).await? else { return Ok(None) };
    if let Some((identity, held)) = caller {
        if registry.access.lacks_factor(&identity) {
            return Ok(None);
        }
        ctx.identity = identity;
        ctx.credential = Some(Arc::new(held));
    }
    Ok(Some(current))
}

/// Decides, within a transaction, about another repository than the one that was asked for; tells all that the caller may do
/// there.
pub(in crate::registry) fn also_may(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    name: &RepositoryName,
    needed: Permissions,
) -> Result<Permissions, Error> {
    let Some(held) = &ctx.credential else { return Ok(Permissions::ALL) };
    let epoch = epoch::current(tx)?;
    let Some((found, _)) = standing::load(tx, &held.proof, name, epoch, ctx.now)? else {
        return Err(Denial { repository: Some(name.clone()), needed, ..Denial::of(Why::Over) }.into());
    };
    decide(&found, &held.proof, name, needed)?;
    Ok(found.rights & found.reach & held.proof.bound.on(name))
}
