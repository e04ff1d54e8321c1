//! What each action takes, and whether the caller may.

use std::sync::Arc;

use http::{HeaderMap, header};

use super::former;
use super::route::{Action, Repository};
use crate::auth::{Permissions, Presented};
use crate::http::exchange::Exchange;
use crate::registry::Error;
use crate::registry::access::{self, Denial, Why};
use oci::Reference;

/// What an action takes.
enum Need<'a> {
    /// Anybody who has shown any credential.
    Anybody,
    /// The same, and a token that was asked for it.
    Catalog,
    /// These permissions in this repository.
    In(&'a Repository, Permissions),
}

/// Every action has a decision: one without does not compile.
fn need(action: &Action) -> Need<'_> {
    match action {
        Action::Base | Action::Discover => Need::Anybody,
        Action::Catalog(_) => Need::Catalog,
        Action::Tags(repository, _)
        | Action::ManifestGet(repository, _)
        | Action::ManifestHead(repository, _)
        | Action::BlobGet(repository, _)
        | Action::BlobHead(repository, _)
        | Action::Referrers(repository, ..) => Need::In(repository, Permissions::READ),
        Action::ManifestPut(repository, ..)
        | Action::UploadStart(repository, _)
        | Action::UploadStatus(repository, _)
        | Action::UploadPatch(repository, _)
        | Action::UploadPut(repository, ..)
        | Action::UploadCancel(repository, _) => Need::In(repository, Permissions::WRITE),
        Action::ManifestDelete(repository, Reference::Tag(_)) => Need::In(repository, Permissions::DELETE_TAG),
        Action::ManifestDelete(repository, Reference::Digest(_)) | Action::BlobDelete(repository, _) => {
            Need::In(repository, Permissions::DELETE_MANIFEST)
        }
    }
}

/// Reads what the request shows. A header that no text can be is one that cannot be read.
pub(in crate::http) fn presented(headers: &HeaderMap) -> Result<Presented, Error> {
    let malformed = || Error::from(Denial::of(Why::Malformed));
    let text = headers.get(header::AUTHORIZATION).map(|value| value.to_str().map_err(|_| malformed())).transpose()?;
    Presented::parse(text).map_err(|_| malformed())
}

/// Decides about an action, and writes into the exchange who asks. A read by a name that a repository had before is about
/// that repository afterwards.
pub(super) async fn admit(exchange: &mut Exchange, action: &mut Action, headers: &HeaderMap) -> Result<(), Error> {
    let app = Arc::clone(&exchange.app);
    let registry = &app.registry;
    if registry.access.open {
        return Ok(());
    }
    let decide = async {
        let proof = access::authenticate(registry, &exchange.ctx, presented(headers)?).await?;
        match need(action) {
            Need::Anybody => access::admit_anybody(registry, &mut exchange.ctx, &proof, false).await,
            Need::Catalog => access::admit_anybody(registry, &mut exchange.ctx, &proof, true).await,
            Need::In(repository, needed) => {
                access::admit(registry, &mut exchange.ctx, &proof, &repository.name, needed).await
            }
        }
    };
    let refused = match decide.await {
        Err(Error::Denied(denial)) if matches!(denial.why, Why::Hidden | Why::SignIn) => {
            match Box::pin(former::follow(exchange, action)).await? {
                true => return Ok(()),
                false => Err(Error::Denied(denial)),
            }
        }
        decided => decided,
    };
    match (refused, need(action)) {
        // Whatever was wrong with the credential, the challenge tells which token to fetch.
        (Err(Error::Denied(mut denial)), Need::In(repository, needed)) => {
            denial.repository = Some(repository.asked.clone());
            denial.needed = needed;
            Err(Error::Denied(denial))
        }
        (Err(Error::Denied(mut denial)), Need::Catalog) => {
            denial.needed = Permissions::READ;
            Err(Error::Denied(denial))
        }
        (refused, _) => refused,
    }
}
