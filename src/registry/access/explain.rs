//! Why somebody may, or may not, do something: the same look-up and the same decision as a request's, told in full.

use std::sync::Arc;

use oci::RepositoryName;

use super::standing;
use crate::auth::policy::{self, Decision, Facts, Ground};
use crate::auth::{Permissions, account_name};
use crate::db::{Tx, robots, users};
use crate::registry::accounts::AccountError;
use crate::registry::context::{Account, Identity};
use crate::registry::{Ctx, Error, Registry};

/// What was decided, and on what grounds.
#[derive(Debug)]
pub struct Explanation {
    /// What would be decided, by a credential that reaches everywhere.
    pub decision: Decision,
    /// The grounds that allow it.
    pub allowing: Vec<Ground>,
    /// The grounds that allow something else there.
    pub other: Vec<Ground>,
    /// The grounds that wait for a second factor, which the namespace asks for and the user has not.
    pub waiting: Vec<Ground>,
    /// Whether the user may do nothing at all until a second factor is set up, which everybody has to have.
    pub shut_out: bool,
}

/// Explains what `name` (a user, or a robot such as `acme+ci`; nothing for somebody who is not signed in) may do in a
/// repository, by its canonical name.
///
/// That somebody has no second factor is told to administrators, to oneself, and of who holds a role there. Others are
/// answered as if there were one.
pub async fn explain(
    registry: &Registry,
    ctx: &Ctx,
    name: Option<&str>,
    needed: Permissions,
    repository: &RepositoryName,
) -> Result<Explanation, Error> {
    let (name, repository) = (name.map(str::to_owned), repository.clone());
    let (requires, ctx) = (registry.access.requires_factor, ctx.clone());
    let look = move |tx: &mut Tx<'_>| {
        let identity = match &name {
            Some(name) => identity(tx, name)?,
            None => Identity::Anonymous,
        };
        let facts = standing::facts(tx, &identity, &repository)?;
        let is_oneself = ctx.identity.principal() == identity.principal();
        let told = ctx.may_administer() || is_oneself || !facts.bindings.is_empty();
        let facts = Facts { factor_missing: told && facts.factor_missing, ..facts };
        let rights = policy::rights(&facts, &repository);
        let decision = policy::check(facts.signed_in, rights, Permissions::ALL, needed);
        let counting = policy::grounds(&facts, &repository);
        let mut waiting = policy::grounds(&Facts { factor_missing: false, ..facts }, &repository);
        waiting.retain(|ground| !counting.contains(ground));
        let (allowing, other) = counting.into_iter().partition(|ground| ground.permissions().contains(needed));
        Ok::<_, Error>(Explanation {
            decision,
            allowing,
            other,
            waiting,
            shut_out: told && requires && standing::lacks_factor(&identity),
        })
    };
    registry.db.read(look).await
}

fn identity(tx: &mut Tx<'_>, name: &str) -> Result<Identity, Error> {
    let unknown = |kind| AccountError::Unknown { kind, name: name.to_owned() };
    if let Some((namespace, own)) = account_name::split_robot(name) {
        let robot = robots::by_name(tx, namespace, own)?.ok_or_else(|| unknown("robot"))?;
        let name = robot.full_name().into();
        return Ok(Identity::Robot(Arc::new(Account {
            id: robot.id,
            public_id: robot.public_id.into(),
            name,
            admin: false,
            second_factor: false,
        })));
    }
    let user = users::by_name(tx, name)?.filter(users::UserRow::is_active).ok_or_else(|| unknown("active user"))?;
    Ok(Identity::User(Arc::new(Account::of(&user))))
}
