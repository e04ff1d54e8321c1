//! Personal access tokens.

use serde_json::json;

use super::{AccountError, changed, made_before, roles::pattern, secret, unknown, used_up, user};
use crate::auth::{Pattern, Permissions, Secret, SecretKind};
pub use crate::db::tokens::TokenRow;
use crate::db::tokens::{self, NewToken};
use crate::db::{self, Tx};
use crate::registry::access::sessions;
use crate::registry::{Ctx, Error, Registry};

/// Most tokens of a user at once.
const MOST: usize = 500;
/// Most namespaces and repositories that a token is about: each is compared with each repository of a list.
const MOST_LIMITS: usize = 32;

/// A token to make.
#[derive(Debug, Clone)]
pub struct Add {
    /// Whose it is.
    pub user: String,
    /// What it is called.
    pub name: String,
    /// How far it reaches: `read`, `write`, `delete`, `admin`.
    pub scopes: Vec<String>,
    /// The namespaces or repositories it is about; none stands for all.
    pub limits: Vec<String>,
    /// From when on it proves nothing, in microseconds since 1970.
    pub expires_at: Option<i64>,
}

/// A token that was made. The secret is shown now and never again.
#[derive(Debug)]
pub struct Added {
    /// Its public id.
    pub id: String,
    /// Its secret.
    pub secret: Secret,
    /// Whether it was made now, and not by the same create before.
    pub made: bool,
}

/// Reads scopes of a token.
pub(super) fn scopes(words: &[String]) -> Result<Permissions, AccountError> {
    let known = || "read, write, delete, admin".to_owned();
    let word = |word: &str| AccountError::Word { kind: "scope", word: word.to_owned(), known: known() };
    if words.is_empty() {
        return Err(word(""));
    }
    words.iter().map(|text| Permissions::of_scope(text).ok_or_else(|| word(text))).collect()
}

/// Whether a text can name a token: what people can read, at most 64 characters.
fn check_name(name: &str) -> Result<(), AccountError> {
    let plain =
        (1..=64).contains(&name.chars().count()) && name.chars().all(|c| !c.is_control()) && name.trim() == name;
    let known = || "1 to 64 printable characters".to_owned();
    if plain {
        Ok(())
    } else {
        Err(AccountError::Word { kind: "name of a token", word: name.to_owned(), known: known() })
    }
}

/// A token that makes another one does not reach further or hold longer than it does itself.
pub(super) fn no_further(ctx: &Ctx, permissions: Permissions, expires_at: Option<i64>) -> Result<(), AccountError> {
    if !ctx.reach().contains(permissions) {
        return Err(AccountError::Beyond("the token you use does not reach as far as the one you ask for".to_owned()));
    }
    let until = ctx.credential.as_ref().map_or(i64::MAX, |held| held.proof.until);
    if until < expires_at.unwrap_or(i64::MAX) {
        return Err(AccountError::Beyond("the token you use expires before the one you ask for".to_owned()));
    }
    Ok(())
}

/// Makes a personal access token.
pub async fn add(registry: &Registry, ctx: &Ctx, add: Add) -> Result<Added, Error> {
    check_name(&add.name)?;
    // A token outlives the session that made it, and the change of the password.
    sessions::refuse_unless_fresh(registry, ctx).await?;
    let permissions = scopes(&add.scopes)?;
    no_further(ctx, permissions, add.expires_at)?;
    if add.limits.len() > MOST_LIMITS {
        return Err(AccountError::InUse(format!(
            "a token is about {MOST_LIMITS} patterns at most; use acme/web-* for many"
        ))
        .into());
    }
    let limits: Vec<Pattern> = add.limits.iter().map(|text| pattern(text)).collect::<Result<_, _>>()?;
    let secret = secret(registry, ctx, SecretKind::Personal, &json!([add.user, add.name]))?;
    let (ctx, hash) = (ctx.clone(), secret.hash());
    let insert = move |tx: &mut Tx<'_>| {
        let user = user(tx, &add.user)?;
        if let Some(row) = made_before(tx, &ctx, &hash)? {
            let mut about = tokens::limits(tx, row.id)?;
            let mut asked: Vec<_> = limits.iter().map(|limit| (limit.text().to_owned(), limit.is_exact())).collect();
            about.sort();
            asked.sort();
            let same = row.permissions == permissions.bits() && row.expires_at == add.expires_at && about == asked;
            return if same { Ok((row.public_id, false)) } else { Err(used_up().into()) };
        }
        let held = tokens::of_user(tx, user.id, ctx.now)?;
        if held.len() >= MOST {
            return Err(AccountError::InUse(format!("{} has {MOST} tokens; revoke some first", add.user)).into());
        }
        if held.iter().any(|token| token.name == add.name) {
            return Err(AccountError::InUse(format!("{} has a token {}; revoke it first", add.user, add.name)).into());
        }
        let new = NewToken {
            kind: SecretKind::Personal.as_str(),
            user_id: Some(user.id),
            name: &add.name,
            secret_hash: hash,
            permissions: permissions.bits(),
            expires_at: add.expires_at,
            ..NewToken::default()
        };
        let (id, public_id) = tokens::insert(tx, &new, ctx.now)?;
        for limit in &limits {
            tokens::limit(tx, id, limit.text(), limit.is_exact())?;
        }
        changed(
            tx,
            &ctx,
            "token.create",
            &json!({ "user": user.public_id, "token": public_id, "scopes": add.scopes }),
        )?;
        Ok::<_, Error>((public_id, true))
    };
    let (id, made) = registry.db.write(insert).await?;
    Ok(Added { id, secret, made })
}

/// Lists a user's personal tokens, each with what it is about.
pub async fn list(registry: &Registry, ctx: &Ctx, name: &str) -> Result<Vec<(TokenRow, Vec<Pattern>)>, Error> {
    let (name, now) = (name.to_owned(), ctx.now);
    let list = move |tx: &mut Tx<'_>| {
        let user = user(tx, &name)?;
        let with_limits = |tx: &mut Tx<'_>, token: TokenRow| {
            let limits = tokens::limits(tx, token.id)?;
            let limits = limits.into_iter().map(|(text, exact)| Pattern::from_row(text, exact)).collect();
            Ok::<_, db::Error>((token, limits))
        };
        let rows = tokens::of_user(tx, user.id, now)?;
        rows.into_iter().map(|row| with_limits(tx, row).map_err(Error::from)).collect()
    };
    registry.db.scan(list).await
}

/// Revokes a personal token; what was made from it proves nothing any more either.
pub async fn revoke(registry: &Registry, ctx: &Ctx, owner: &str, name: &str) -> Result<(), Error> {
    let (ctx, owner, name) = (ctx.clone(), owner.to_owned(), name.to_owned());
    let revoke = move |tx: &mut Tx<'_>| {
        let user = user(tx, &owner)?;
        let found = tokens::of_user(tx, user.id, ctx.now)?.into_iter().find(|token| token.name == name);
        let token = found.ok_or_else(|| unknown("token", &name))?;
        tokens::revoke(tx, token.id, ctx.now)?;
        changed(tx, &ctx, "token.revoke", &json!({ "user": user.public_id, "token": token.public_id }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(revoke).await
}
