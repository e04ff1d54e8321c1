//! The tokens of `/token` (Docker token protocol, OAuth2).

use std::sync::Arc;

use super::{Denial, Why, sign_in, standing};
use crate::auth::bearer;
use crate::auth::scope::{Bound, Scope, Target};
use crate::auth::seal::random;
use crate::auth::{Credential, Principal, Proof, Secret, SecretKind};
use crate::db::tokens::{self, NewToken, TokenRow};
use crate::db::{self, Tx, robots, users};
use crate::registry::context::Identity;
use crate::registry::{Ctx, Error, Registry};

/// A second in microseconds.
const SECOND: i64 = 1_000_000;
/// How long a refresh token holds, in microseconds: 90 days.
const REFRESH_HOLDS: i64 = 90 * 24 * 3600 * SECOND;
/// At most this many refresh tokens from one credential are kept, the latest: each `docker login` makes one. Those of
/// other credentials stay: a busy script must not sign out a person.
const MOST_REFRESH: i64 = 50;

/// What was issued. Not `Debug`, because it is a secret.
pub struct Issued {
    /// The token.
    pub token: String,
    /// For how many seconds it holds.
    pub expires_in: i64,
    /// Seconds since 1970 at which it was issued.
    pub issued_at: i64,
    /// What may be shown next time in place of the password, if that was asked for.
    pub refresh: Option<Secret>,
    /// The scopes it reaches.
    pub scopes: Vec<Scope>,
}

/// Issues a token that reaches as far as the credential, and no further than it was asked for. What the principal may do is
/// not looked at: it is decided when the token is used.
pub async fn issue(
    registry: &Registry,
    ctx: &Ctx,
    proof: &Arc<Proof>,
    scopes: Vec<Scope>,
    offline: bool,
) -> Result<Issued, Error> {
    // A cookie opens neither `/token` nor `/v2`, nor anything that would.
    if matches!(proof.credential, Credential::Session(_)) {
        return Err(Denial::of(Why::Over).into());
    }
    let who = standing::who(registry, proof, ctx.now).await?;
    let who = who.ok_or_else(|| Error::from(Denial::of(Why::Over)))?;
    if registry.access.lacks_factor(&who.identity) {
        return Err(Denial { name: who.identity.name(), ..Denial::of(Why::FactorMissing) }.into());
    }
    let scopes: Vec<Scope> = scopes
        .into_iter()
        .map(|scope| {
            let reach = match &scope.target {
                Target::Repository(name) => who.reach_on(name),
                Target::Catalog => who.reach,
            };
            Scope { permissions: scope.permissions & reach, ..scope }
        })
        .filter(|scope| !scope.permissions.is_empty())
        .collect();
    // A token that outlived its credential would be refused before its time. Under a minute, docker takes it for a minute,
    // and is then told so at its next request.
    let left = who.until.saturating_sub(ctx.now).max(0).div_euclid(SECOND).saturating_add(1);
    let lifetime = i64::try_from(registry.access.token_lifetime.as_secs()).unwrap_or(i64::MAX).min(left);
    let bound = Bound::Scopes(scopes.clone());
    let bounded = Proof::new(proof.principal.clone(), proof.credential.clone(), bound, who.until);
    let keys = registry.access.keys.load();
    let key = keys.first().ok_or(Error::MasterKey)?;
    let token = bearer::sign(key, &bounded, ctx.now, lifetime).map_err(|_| Error::MasterKey)?;
    let refresh = if offline { keep(registry, ctx, proof, &who).await? } else { None };
    Ok(Issued { token, expires_in: lifetime, issued_at: ctx.now / SECOND, refresh, scopes })
}

/// Keeps a refresh token for a principal; nobody gets none.
async fn keep(registry: &Registry, ctx: &Ctx, proof: &Proof, who: &standing::Who) -> Result<Option<Secret>, Error> {
    let (user_id, robot_id) = match &who.identity {
        Identity::User(account) => (Some(account.id), None),
        Identity::Robot(account) => (None, Some(account.id)),
        Identity::Anonymous | Identity::System => return Ok(None),
    };
    let password_version = match proof.credential {
        Credential::Password { version } => Some(version),
        Credential::Token(_) | Credential::Session(_) | Credential::None => None,
    };
    let secret = Secret::new(SecretKind::Refresh, random());
    let (hash, permissions, now) = (secret.hash(), who.reach.bits(), ctx.now);
    let parent_id = (who.token > 0).then_some(who.token);
    let expires_at = Some(now.saturating_add(REFRESH_HOLDS).min(who.until));
    let insert = move |tx: &mut Tx<'_>| {
        let new = NewToken {
            kind: SecretKind::Refresh.as_str(),
            user_id,
            robot_id,
            parent_id,
            password_version,
            name: "docker login",
            secret_hash: hash,
            permissions,
            expires_at,
        };
        tokens::insert(tx, &new, now)?;
        match (user_id, robot_id) {
            (Some(id), _) => tokens::prune_of_user(tx, id, parent_id, MOST_REFRESH),
            (None, Some(id)) => tokens::prune_of_robot(tx, id, parent_id, MOST_REFRESH),
            (None, None) => Ok(()),
        }
    };
    registry.db.write(insert).await?;
    Ok(Some(secret))
}

/// Finds out what a refresh token proves.
pub async fn refresh(registry: &Registry, ctx: &Ctx, text: &str) -> Result<Arc<Proof>, Error> {
    let over = || Error::from(Denial::of(Why::Over));
    let secret = Secret::parse(text).filter(|secret| secret.kind() == SecretKind::Refresh).ok_or_else(over)?;
    let (hash, now) = (secret.hash(), ctx.now);
    let find = move |tx: &mut Tx<'_>| {
        let Some(token) = tokens::by_secret(tx, &hash, now)? else { return Ok(None) };
        Ok::<_, db::Error>(principal(tx, &token)?.map(|principal| (principal, token)))
    };
    let (principal, token) = registry.db.read(find).await?.ok_or_else(over)?;
    sign_in::record_use(registry, ctx, &token);
    let until = token.expires_at.unwrap_or(i64::MAX);
    let credential = Credential::Token(token.public_id.into());
    // Whether it still holds is found out with everything else, when it is used.
    Ok(Arc::new(Proof::new(principal, credential, Bound::Unbounded, until)))
}

fn principal(tx: &mut Tx<'_>, token: &TokenRow) -> Result<Option<Principal>, db::Error> {
    if let Some(id) = token.user_id {
        return Ok(users::public_id(tx, id)?.map(|id| Principal::User(id.into())));
    }
    match token.robot_id {
        Some(id) => Ok(robots::public_id(tx, id)?.map(|id| Principal::Robot(id.into()))),
        None => Ok(None),
    }
}
