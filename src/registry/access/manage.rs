//! Who may manage what: accounts, namespaces, roles. The management API asks here before it does anything.

use std::sync::Arc;

use oci::RepositoryName;

use super::{Denial, Why, admit, admit_again, refuse_read_only, sessions, standing};
use crate::auth::policy::{self, Decision, Facts};
use crate::auth::{Credential, Pattern, Permissions, Proof};
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
    /// The session that the caller shows, whether or not the second factor was shown yet; of this user, where one is named.
    Session(Option<String>),
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
    if let Target::Session(user) = target {
        return admit_session(registry, ctx, proof, user.as_deref()).await;
    }
    let (asked, about, now) = (Arc::clone(proof), target.clone(), ctx.now);
    let look = move |tx: &mut Tx<'_>| stand(tx, &asked, &about, now);
    let Some(stand) = registry.db.read(look).await? else { return Err(Denial::of(Why::Over).into()) };
    if registry.access.lacks_factor(&stand.identity) {
        return Err(stand.denial(needed, Why::FactorMissing).into());
    }
    stand.decide(needed)?;
    // Whoever administers the instance can still do so, and ends it.
    if !needed.contains(Permissions::INSTANCE) {
        refuse_read_only(registry, needed)?;
    }
    ctx.identity = stand.identity;
    // No more than its credential: a token makes nothing that reaches further than itself.
    ctx.hands_on = stand.rights & stand.reach;
    let (reach, token, epoch) = (stand.reach, stand.token, stand.epoch);
    let requires_factor = registry.access.requires_factor;
    ctx.credential = Some(Arc::new(Held { proof: Arc::clone(proof), reach, token, epoch, requires_factor }));
    Ok(())
}

/// Decides once more, within the transaction that does what was asked for: a right may have been taken away since.
pub(in crate::registry) fn still_may(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<(), Error> {
    let (Some(held), Some(asked)) = (&ctx.credential, &ctx.managing) else { return Ok(()) };
    if let Target::Repository(name) = &asked.target {
        return admit_again(tx, ctx, name, asked.needed);
    }
    let known = |holds| if holds { Ok(()) } else { Err(Error::from(Denial::of(Why::Over))) };
    if epoch::current(tx)? == held.epoch {
        return known(sessions::is_there(tx, &held.proof)?);
    }
    if let Target::Session(_) = asked.target {
        return known(sessions::still_holds(tx, &held.proof, ctx.now)?);
    }
    let Some(stand) = stand(tx, &held.proof, &asked.target, ctx.now)? else {
        return Err(Denial::of(Why::Over).into());
    };
    stand.decide(asked.needed | ctx.hands_on)
}

/// Lets in who shows a session, for what is about the session and the second factor themselves.
async fn admit_session(
    registry: &Registry,
    ctx: &mut Ctx,
    proof: &Arc<Proof>,
    user: Option<&str>,
) -> Result<(), Error> {
    let (asked, access, now) = (Arc::clone(proof), Arc::clone(&registry.access), ctx.now);
    let look = move |tx: &mut Tx<'_>| {
        Ok::<_, db::Error>((sessions::account_of(tx, &access, &asked, now)?, epoch::current(tx)?))
    };
    let (account, epoch) = registry.db.read(look).await?;
    let account = match (account, &proof.credential) {
        (Some(account), _) => account,
        (None, Credential::None) => return Err(Denial::of(Why::SignIn).into()),
        (None, Credential::Session(_)) => return Err(Denial::of(Why::Over).into()),
        (None, Credential::Password { .. } | Credential::Token(_)) => return Err(Denial::of(Why::ProveAgain).into()),
    };
    if user.is_some_and(|user| *user != *account.name) {
        return Err(Denial { name: Some(Arc::clone(&account.name)), ..Denial::of(Why::Hidden) }.into());
    }
    ctx.identity = Identity::User(Arc::new(account));
    ctx.hands_on = Permissions::NONE;
    let requires_factor = registry.access.requires_factor;
    let (proof, reach) = (Arc::clone(proof), Permissions::NONE);
    ctx.credential = Some(Arc::new(Held { proof, reach, token: 0, epoch, requires_factor }));
    Ok(())
}

/// How a caller stands to what it wants to manage.
struct Stand {
    identity: Identity,
    rights: Permissions,
    /// What they would be with the second factor that the namespace asks for.
    with_factor: Permissions,
    reach: Permissions,
    token: i64,
    epoch: i64,
}

impl Stand {
    fn decide(&self, needed: Permissions) -> Result<(), Error> {
        let why = match policy::check(true, self.rights, self.reach, needed) {
            Decision::Allow => return Ok(()),
            _ if policy::check(true, self.with_factor, self.reach, needed) == Decision::Allow => Why::FactorWanted,
            Decision::SignIn => Why::SignIn,
            Decision::BeyondCredential => Why::BeyondCredential,
            Decision::Forbidden => Why::Forbidden,
            Decision::Hidden => Why::Hidden,
        };
        Err(self.denial(needed, why).into())
    }

    fn denial(&self, needed: Permissions, why: Why) -> Denial {
        Denial { needed, name: self.identity.name(), ..Denial::of(why) }
    }
}

fn stand(tx: &mut Tx<'_>, proof: &Proof, target: &Target, now: i64) -> Result<Option<Stand>, db::Error> {
    let epoch = epoch::current(tx)?;
    let Some(who) = standing::who_in(tx, proof, now)? else { return Ok(None) };
    // A token that is about some repositories only lets nothing else be managed, and the rest be looked at at most.
    let whole = if who.limits.is_empty() { who.reach } else { who.reach & Permissions::READ };
    let same = |rights| (rights, rights);
    let ((rights, with_factor), reach) = match target {
        Target::Anybody => (same(Permissions::NONE), who.reach),
        Target::Instance => (same(of_instance(&who.identity)), whole),
        Target::Account(name) => (same(of_account(&who.identity, name)), whole),
        Target::Over(pattern) => {
            let about = who.limits.is_empty() || who.limits.iter().any(|limit| limit.covers(pattern));
            (over(tx, &who.identity, who.token, pattern)?, if about { who.reach } else { whole })
        }
        Target::Nothing | Target::Session(_) | Target::Repository(_) => (same(Permissions::NONE), Permissions::NONE),
    };
    Ok(Some(Stand { rights, with_factor, reach, token: who.token, epoch, identity: who.identity }))
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

/// What the caller may do in all that a pattern matches, and what with the second factor that is asked for there.
fn over(
    tx: &mut Tx<'_>,
    identity: &Identity,
    token: i64,
    pattern: &Pattern,
) -> Result<(Permissions, Permissions), db::Error> {
    let administers = of_instance(identity) == Permissions::ALL;
    let Some(namespace) = namespaces::find(tx, pattern.namespace_name())? else {
        let rights = if administers { Permissions::ALL } else { Permissions::NONE };
        return Ok((rights, rights));
    };
    let facts = standing::facts_of_namespace(tx, identity, &namespace)?;
    let rights = policy::rights_over(&facts, pattern);
    let seen = access::sees_namespace(tx, Ctx::viewer_of(identity, token), namespace.id)?;
    let rights = if seen { rights | Permissions::READ } else { rights };
    // Any role there shows the namespace, once it counts.
    let shown = if facts.bindings.is_empty() { Permissions::NONE } else { Permissions::READ };
    Ok((rights, rights | shown | policy::rights_over(&Facts { factor_missing: false, ..facts }, pattern)))
}
