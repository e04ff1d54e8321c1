//! Who may manage what: accounts, namespaces, roles. The management API asks here before it does anything.

use std::sync::Arc;

use oci::RepositoryName;

use super::{Denial, Why, admit, admit_again, standing};
use crate::auth::policy::{self, Decision};
use crate::auth::{Pattern, Permissions, Proof};
use crate::db::{self, Tx, access, epoch, namespaces};
use crate::registry::context::{Held, Identity};
use crate::registry::{Ctx, Error, Registry};

/// What is to be managed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// What anybody may ask for, also without an account.
    Nothing,
    /// Nothing in particular: whoever shows a credential that holds.
    Anybody,
    /// The whole instance.
    Instance,
    /// A user, by name: the user's own, and the administrators'.
    Account(String),
    /// Everything that a pattern matches, such as a whole namespace.
    Over(Pattern),
    /// One repository, by its canonical name.
    Repository(RepositoryName),
}

/// What was asked for, and what it takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    target: Target,
    needed: Permissions,
}

/// Decides whether the caller may do what takes `needed` there, and writes into `ctx` who the caller is and what it may
/// hand on to others.
///
/// A namespace may be seen (`READ`) by whoever holds a role in it, or may read a repository of it without one.
pub async fn admit_to(
    registry: &Registry,
    ctx: &mut Ctx,
    proof: &Arc<Proof>,
    target: &Target,
    needed: Permissions,
) -> Result<(), Error> {
    if registry.access.open {
        return Err(Denial::of(Why::Open).into());
    }
    if *target == Target::Nothing {
        return Ok(());
    }
    ctx.managing = Some(Arc::new(Asked { target: target.clone(), needed }));
    if let Target::Repository(name) = target {
        admit(registry, ctx, proof, name, needed).await?;
        ctx.hands_on = needed;
        return Ok(());
    }
    // Before anything is looked at, which would take time that tells what there is.
    if proof.is_anonymous() {
        return Err(Denial { needed, ..Denial::of(Why::SignIn) }.into());
    }
    let (asked, about, now) = (Arc::clone(proof), target.clone(), ctx.now);
    let look = move |tx: &mut Tx<'_>| stand(tx, &asked, &about, now);
    let Some(stand) = registry.db.read(look).await? else { return Err(Denial::of(Why::Over).into()) };
    stand.decide(needed)?;
    ctx.identity = stand.identity;
    // No more than its credential: a token makes nothing that reaches further than itself.
    ctx.hands_on = stand.rights & stand.reach;
    let (reach, token, epoch) = (stand.reach, stand.token, stand.epoch);
    ctx.credential = Some(Arc::new(Held { proof: Arc::clone(proof), reach, token, epoch }));
    Ok(())
}

/// Decides once more, within the transaction that does what was asked for: a right may have been taken away since.
pub(in crate::registry) fn still_may(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<(), Error> {
    let (Some(held), Some(asked)) = (&ctx.credential, &ctx.managing) else { return Ok(()) };
    if let Target::Repository(name) = &asked.target {
        return admit_again(tx, ctx, name, asked.needed);
    }
    if epoch::current(tx)? == held.epoch {
        return Ok(());
    }
    let Some(stand) = stand(tx, &held.proof, &asked.target, ctx.now)? else {
        return Err(Denial::of(Why::Over).into());
    };
    stand.decide(asked.needed | ctx.hands_on)
}

/// How a caller stands to what it wants to manage.
struct Stand {
    identity: Identity,
    rights: Permissions,
    reach: Permissions,
    token: i64,
    epoch: i64,
}

impl Stand {
    fn decide(&self, needed: Permissions) -> Result<(), Error> {
        let why = match policy::check(true, self.rights, self.reach, needed) {
            Decision::Allow => return Ok(()),
            Decision::SignIn => Why::SignIn,
            Decision::BeyondCredential => Why::BeyondCredential,
            Decision::Forbidden => Why::Forbidden,
            Decision::Hidden => Why::Hidden,
        };
        Err(Denial { needed, name: self.identity.name(), ..Denial::of(why) }.into())
    }
}

fn stand(tx: &mut Tx<'_>, proof: &Proof, target: &Target, now: i64) -> Result<Option<Stand>, db::Error> {
    let epoch = epoch::current(tx)?;
    let Some(who) = standing::who_in(tx, proof, now)? else { return Ok(None) };
    // A token that is about some repositories only lets nothing else be managed, and the rest be looked at at most.
    let whole = if who.limits.is_empty() { who.reach } else { who.reach & Permissions::READ };
    let (rights, reach) = match target {
        Target::Anybody => (Permissions::NONE, who.reach),
        Target::Instance => (of_instance(&who.identity), whole),
        Target::Account(name) => (of_account(&who.identity, name), whole),
        Target::Over(pattern) => {
            let about = who.limits.is_empty() || who.limits.iter().any(|limit| limit.covers(pattern));
            (over(tx, &who.identity, who.token, pattern)?, if about { who.reach } else { whole })
        }
        Target::Repository(_) | Target::Nothing => (Permissions::NONE, Permissions::NONE),
    };
    Ok(Some(Stand { rights, reach, token: who.token, epoch, identity: who.identity }))
}

/// That there is an instance is no secret, so whoever may not administer it is told so.
fn of_instance(identity: &Identity) -> Permissions {
    match identity {
        Identity::User(account) if account.admin => Permissions::ALL,
        Identity::System => Permissions::ALL,
        Identity::User(_) | Identity::Robot(_) => Permissions::READ,
        Identity::Anonymous => Permissions::NONE,
    }
}

fn of_account(identity: &Identity, name: &str) -> Permissions {
    match identity {
        Identity::User(account) if account.admin => Permissions::ALL,
        Identity::System => Permissions::ALL,
        Identity::User(account) if &*account.name == name => Permissions::NAMESPACE,
        Identity::User(_) | Identity::Robot(_) | Identity::Anonymous => Permissions::NONE,
    }
}

fn over(tx: &mut Tx<'_>, identity: &Identity, token: i64, pattern: &Pattern) -> Result<Permissions, db::Error> {
    let administers = of_instance(identity) == Permissions::ALL;
    let Some(namespace) = namespaces::find(tx, pattern.namespace_name())? else {
        return Ok(if administers { Permissions::ALL } else { Permissions::NONE });
    };
    let facts = standing::facts_of_namespace(tx, identity, &namespace)?;
    let rights = policy::rights_over(&facts, pattern);
    let seen = access::sees_namespace(tx, Ctx::viewer_of(identity, token), namespace.id)?;
    Ok(if seen { rights | Permissions::READ } else { rights })
}
