//! Pages of a repository by a name that it had before: they stand under its new one.

use std::sync::Arc;

use oci::RepositoryName;

use super::answer::Answer;
use super::failure::Failure;
use super::visit::Visit;
use crate::app::App;
use crate::auth::Proof;
use crate::registry::access::former;
use crate::registry::{Ctx, Error};

/// What is kept of a visit, in case that it finds nothing.
pub(super) struct Trail {
    app: Arc<App>,
    ctx: Ctx,
    proof: Arc<Proof>,
    name: RepositoryName,
    path: String,
}

impl Trail {
    /// Nothing where the page is not one of a repository.
    pub fn of(visit: &Visit) -> Option<Self> {
        let name = RepositoryName::parse(visit.argument("repository")).ok()?.canonical();
        Some(Self {
            app: Arc::clone(&visit.exchange.app),
            ctx: visit.ctx().clone(),
            proof: Arc::clone(&visit.proof),
            name,
            path: visit.path().to_owned(),
        })
    }

    /// The same page of the repository that was called so before; nothing where there is none for this reader.
    pub async fn follow(mut self) -> Result<Option<Answer>, Error> {
        let found = former::follow(&self.app.registry, &mut self.ctx, &self.proof, &self.name).await?;
        Ok(found.map(|name| Answer::moved(format!("/{name}{}", behind_name(&self.path)))))
    }
}

/// What follows the name in a path: no name holds `/-` or `?`.
fn behind_name(path: &str) -> &str {
    let end = [path.find("/-"), path.find('?')].into_iter().flatten().min();
    end.and_then(|at| path.get(at..)).unwrap_or_default()
}

/// Whether a failure says that there is nothing, or nothing for this reader.
pub(super) fn found_nothing(failure: &Failure) -> bool {
    use crate::registry::access::Why;
    match failure {
        Failure::NotFound | Failure::Rule(Error::NameUnknown(_)) => true,
        Failure::Rule(Error::Denied(denial)) => matches!(denial.why, Why::Hidden | Why::SignIn),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::behind_name;

    #[test]
    fn what_follows_a_name_is_kept() {
        for (path, rest) in [
            ("/acme/app", ""),
            ("/acme/app?x=/-/y", "?x=/-/y"),
            ("/acme/app/-/tags/1.0?a=b", "/-/tags/1.0?a=b"),
            ("/app/-", "/-"),
        ] {
            assert_eq!(behind_name(path), rest, "{path}");
        }
    }
}
