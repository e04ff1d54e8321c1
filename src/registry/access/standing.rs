//! What is known of a principal, and what of it in one repository.

use std::sync::Arc;

use oci::RepositoryName;

use super::sessions;
use crate::auth::policy::{self, Facts, Held};
use crate::auth::{Credential, Pattern, Permissions, Principal, Proof, Visibility};
use crate::db::access::{self, HeldRow};
use crate::db::namespaces::NamespaceRow;
use crate::db::tokens::TokenRow;
use crate::db::{self, Tx, epoch, robots, tokens, users};
use crate::registry::context::{Account, Identity};
use crate::registry::{Error, Registry};

/// A principal whose proof holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Whom it acts for.
    pub identity: Identity,
    /// How far the credential reaches, wherever it reaches at all.
    pub reach: Permissions,
    /// The repositories it is about; nothing stands for all.
    pub limits: Vec<Pattern>,
    /// The row of the token; 0 for none.
    pub token: i64,
    /// Until when it holds.
    pub until: i64,
}

impl Who {
    fn anonymous() -> Self {
        // What anybody may do is read, whatever a token was asked for.
        let reach = Permissions::READ;
        Self { identity: Identity::Anonymous, reach, limits: Vec::new(), token: 0, until: i64::MAX }
    }

    /// How far the credential reaches in a repository.
    #[must_use]
    pub fn reach_on(&self, name: &RepositoryName) -> Permissions {
        let about = self.limits.is_empty() || self.limits.iter().any(|pattern| pattern.matches(name));
        if about { self.reach } else { Permissions::NONE }
    }
}

/// What was found out of a principal in a repository. Holds at the epoch at which it was found out, until its time is over.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) epoch: i64,
    until: i64,
    pub(super) identity: Identity,
    pub(super) signed_in: bool,
    pub(super) rights: Permissions,
    /// What they would be with the second factor that the namespace asks for.
    pub(super) with_factor: Permissions,
    pub(super) reach: Permissions,
    pub(super) token: i64,
}

/// Finds out, or remembers, how a principal stands in a repository; nothing when its proof holds no longer.
pub(super) async fn of(
    registry: &Registry,
    proof: &Arc<Proof>,
    name: &RepositoryName,
    now: i64,
) -> Result<Option<Arc<Standing>>, Error> {
    let key = (Arc::clone(proof.key()), name.clone());
    let known = registry.access.standings.get(&key);
    let (proof, name) = (Arc::clone(proof), name.clone());
    let look = move |tx: &mut Tx<'_>| {
        let epoch = epoch::current(tx)?;
        match known {
            Some(known) if known.epoch == epoch && now < known.until => Ok((Some(known), false)),
            _ => Ok::<_, Error>(match load(tx, &proof, &name, epoch, now)? {
                Some((standing, lasting)) => (Some(Arc::new(standing)), lasting),
                None => (None, false),
            }),
        }
    };
    let (standing, lasting) = registry.db.read(look).await?;
    if let (Some(standing), true) = (&standing, lasting) {
        registry.access.standings.insert(key, Arc::clone(standing));
    }
    Ok(standing)
}

pub(super) fn load(
    tx: &mut Tx<'_>,
    proof: &Proof,
    name: &RepositoryName,
    epoch: i64,
    now: i64,
) -> Result<Option<(Standing, bool)>, Error> {
    let Some(who) = who_in(tx, proof, now)? else { return Ok(None) };
    let facts = facts(tx, &who.identity, name)?;
    let rights = policy::rights(&facts, name);
    // What is missing is not remembered, since making it does not count the epoch up; what is hidden neither, so that the
    // time does not tell one from the other.
    let lasting = facts.visibility.is_some() && rights.contains(Permissions::READ);
    let standing = Standing {
        epoch,
        until: who.until,
        signed_in: facts.signed_in,
        rights,
        with_factor: policy::rights_with_factor(&facts, name),
        reach: who.reach_on(name),
        token: who.token,
        identity: who.identity,
    };
    Ok(Some((standing, lasting)))
}

/// Finds out whom a proof stands for; nothing when it holds no longer.
pub(super) async fn who(registry: &Registry, proof: &Arc<Proof>, now: i64) -> Result<Option<Who>, Error> {
    let proof = Arc::clone(proof);
    Ok(registry.db.read(move |tx| who_in(tx, &proof, now)).await?)
}

/// As [`who`], within a transaction.
pub(super) fn who_in(tx: &mut Tx<'_>, proof: &Proof, now: i64) -> Result<Option<Who>, db::Error> {
    if now >= proof.until {
        return Ok(None);
    }
    match &proof.principal {
        Principal::Anonymous => Ok(Some(Who::anonymous())),
        Principal::User(id) => user(tx, id, &proof.credential, now),
        Principal::Robot(id) => robot(tx, id, &proof.credential, now),
    }
}

fn user(tx: &mut Tx<'_>, id: &str, credential: &Credential, now: i64) -> Result<Option<Who>, db::Error> {
    let Some(user) = users::by_public_id(tx, id)?.filter(users::UserRow::is_active) else { return Ok(None) };
    let identity = Identity::User(Arc::new(Account::of(&user)));
    match credential {
        Credential::Password { version } if *version == user.password_version => {
            Ok(Some(Who { identity, reach: Permissions::ALL, limits: Vec::new(), token: 0, until: i64::MAX }))
        }
        Credential::Token(token) => {
            let token = tokens::by_public_id(tx, token, now)?;
            let same = |token: &TokenRow| {
                token.user_id == Some(user.id)
                    && token.password_version.is_none_or(|version| version == user.password_version)
            };
            by_token(tx, identity, token.filter(same), now)
        }
        Credential::Session(session) => {
            let until = sessions::end_of(tx, session, &user, now)?;
            Ok(until.map(|until| Who { identity, reach: Permissions::ALL, limits: Vec::new(), token: 0, until }))
        }
        Credential::Password { .. } | Credential::None => Ok(None),
    }
}

fn robot(tx: &mut Tx<'_>, id: &str, credential: &Credential, now: i64) -> Result<Option<Who>, db::Error> {
    let Credential::Token(token) = credential else { return Ok(None) };
    let Some(robot) = robots::by_public_id(tx, id)? else { return Ok(None) };
    let until = robot.expires_at.unwrap_or(i64::MAX);
    if robot.disabled || until <= now || !robots::may_act(tx, robot.namespace_id)? {
        return Ok(None);
    }
    let (public_id, name) = (id.into(), robot.full_name().into());
    let account = Account { id: robot.id, public_id, name, admin: false, second_factor: false };
    let token = tokens::by_public_id(tx, token, now)?.filter(|token| token.robot_id == Some(robot.id));
    let who = by_token(tx, Identity::Robot(Arc::new(account)), token, now)?;
    Ok(who.map(|who| Who { until: who.until.min(until), ..who }))
}

fn by_token(tx: &mut Tx<'_>, identity: Identity, token: Option<TokenRow>, now: i64) -> Result<Option<Who>, db::Error> {
    let Some(token) = token.filter(|token| token.holds(now)) else { return Ok(None) };
    // A refresh token is about what its parent is about.
    let about = token.parent_id.unwrap_or(token.id);
    let limits = tokens::limits(tx, about)?;
    let limits = limits.into_iter().map(|(text, exact)| Pattern::from_row(text, exact)).collect();
    let until = token.expires_at.unwrap_or(i64::MAX);
    Ok(Some(Who { identity, reach: Permissions::from_bits(token.permissions), limits, token: about, until }))
}

/// Puts together what is known of a principal in a repository.
pub(super) fn facts(tx: &mut Tx<'_>, identity: &Identity, name: &RepositoryName) -> Result<Facts, db::Error> {
    let Some(target) = access::target(tx, name)? else { return Ok(marks(identity)) };
    let visibility = target.visibility.as_deref().map(visibility).transpose()?;
    let facts = within(tx, identity, target.namespace_id, (&target.owner_kind, target.owner_id))?;
    let factor_missing = target.require_second_factor && lacks_factor(identity);
    Ok(Facts { visibility, factor_missing, ..facts })
}

/// Puts together what is known of a principal in a namespace; nothing there is seen by its visibility.
pub(super) fn facts_of_namespace(
    tx: &mut Tx<'_>,
    identity: &Identity,
    namespace: &NamespaceRow,
) -> Result<Facts, db::Error> {
    let facts = within(tx, identity, namespace.id, (&namespace.owner_kind, namespace.owner_id))?;
    Ok(Facts { factor_missing: namespace.require_second_factor && lacks_factor(identity), ..facts })
}

/// Whether it is a user without a second factor; robots need none.
pub(super) fn lacks_factor(identity: &Identity) -> bool {
    matches!(identity, Identity::User(account) if !account.second_factor)
}

fn within(
    tx: &mut Tx<'_>,
    identity: &Identity,
    namespace_id: i64,
    (owner_kind, owner_id): (&str, Option<i64>),
) -> Result<Facts, db::Error> {
    let held = match identity {
        Identity::User(user) => access::held_by_user(tx, namespace_id, user.id)?,
        Identity::Robot(robot) => access::held_by_robot(tx, namespace_id, robot.id)?,
        Identity::Anonymous | Identity::System => Vec::new(),
    };
    let own = matches!(identity, Identity::User(user) if owner_kind == "user" && owner_id == Some(user.id));
    Ok(Facts { own_namespace: own, bindings: held.into_iter().map(binding).collect(), ..marks(identity) })
}

/// What is known of a principal anywhere.
fn marks(identity: &Identity) -> Facts {
    let (user, robot) = (matches!(identity, Identity::User(_)), matches!(identity, Identity::Robot(_)));
    let admin = matches!(identity, Identity::User(user) if user.admin);
    Facts { user, signed_in: user || robot, admin, ..Facts::default() }
}

fn visibility(text: &str) -> Result<Visibility, db::Error> {
    Visibility::parse(text)
        .ok_or_else(|| db::Error::new(db::Kind::Corrupt, "a repository's visibility is not one there is"))
}

fn binding(row: HeldRow) -> Held {
    Held {
        role: row.role,
        permissions: Permissions::from_bits(row.permissions),
        on: Pattern::from_row(row.pattern, row.exact),
        team: row.team,
    }
}
