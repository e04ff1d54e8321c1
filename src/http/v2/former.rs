//! Reads by a name that a repository had before. Looked for only where a read would be refused or find nothing.

use std::sync::Arc;

use super::route::Action;
use crate::auth::Permissions;
use crate::auth::scope::Bound;
use crate::http::exchange::Exchange;
use crate::registry::Error;
use crate::registry::access::former;

/// Has a read be about the repository that was called so before, if the caller may read that; tells whether it is now.
/// Answers go on to name it as it was asked for.
///
/// Who pushes is not led on: it would be told of blobs and manifests that the repository which its push makes has not.
pub(super) async fn follow(exchange: &mut Exchange, action: &mut Action) -> Result<bool, Error> {
    let app = Arc::clone(&exchange.app);
    let held = exchange.ctx.credential.as_ref().map(|held| Arc::clone(&held.proof));
    let proof = held.unwrap_or_else(|| app.registry.access.anonymous());
    let asks_for_a_blob = matches!(action, Action::BlobHead(..));
    let Some(repository) = action.read_from() else { return Ok(false) };
    let pushes = match &proof.bound {
        Bound::Scopes(_) => proof.bound.on(&repository.name).contains(Permissions::WRITE),
        // Nothing tells, and nobody asks for a blob without fetching it but who is about to push it.
        Bound::Unbounded => asks_for_a_blob,
    };
    if pushes {
        return Ok(false);
    }
    let found = former::follow(&app.registry, &mut exchange.ctx, &proof, &repository.name).await?;
    let Some(current) = found else { return Ok(false) };
    repository.name = current;
    Ok(true)
}

/// The same request, to be asked once more.
pub(super) fn again(exchange: &Exchange) -> Exchange {
    Exchange {
        app: Arc::clone(&exchange.app),
        ctx: exchange.ctx.clone(),
        host: exchange.host.clone(),
        scheme: exchange.scheme,
        started: exchange.started,
    }
}
