//! Roles: which there are, and who holds which on what.

use oci::RepositoryName;
use serde_json::json;

use super::{AccountError, changed, changed_in, namespace, unknown, user, within};
use crate::auth::account_name::split_robot;
use crate::auth::{Pattern, Permissions, role};
use crate::db::roles::{self, BindingRow, Holder, RoleRow};
use crate::db::{Tx, robots, teams};
use crate::registry::{Ctx, Error, Registry};

/// Who holds a role, or is to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A user, by name.
    User(String),
    /// A team of the namespace that the role is about, by its own name.
    Team(String),
    /// A robot, by its full name: `acme+ci`.
    Robot(String),
}

impl Subject {
    fn find(&self, tx: &mut Tx<'_>, namespace_id: i64) -> Result<Holder, Error> {
        Ok(match self {
            Self::User(name) => Holder::User(user(tx, name)?.id),
            Self::Team(name) => {
                Holder::Team(teams::find(tx, namespace_id, name)?.ok_or_else(|| unknown("team", name))?)
            }
            Self::Robot(name) => {
                let (namespace, own) = split_robot(name).ok_or_else(|| unknown("robot", name))?;
                let robot = robots::by_name(tx, namespace, own)?;
                // A robot acts for its own namespace only.
                let robot = robot.filter(|robot| robot.namespace_id == namespace_id);
                Holder::Robot(robot.ok_or_else(|| unknown("robot", name))?.id)
            }
        })
    }

    /// Who it is, as events tell it: of a person nothing but the public id.
    fn detail(&self, tx: &mut Tx<'_>) -> Result<(&'static str, String), Error> {
        Ok(match self {
            Self::User(name) => ("user", user(tx, name)?.public_id),
            Self::Team(name) => ("team", name.clone()),
            Self::Robot(name) => ("robot", name.clone()),
        })
    }
}

/// Reads what a role or a token is about.
pub(super) fn pattern(text: &str) -> Result<Pattern, AccountError> {
    Pattern::parse(text).ok_or_else(|| AccountError::Pattern(text.to_owned()))
}

fn find_role(tx: &mut Tx<'_>, namespace_id: i64, name: &str) -> Result<RoleRow, Error> {
    if let Some(role) = roles::find(tx, namespace_id, name)? {
        return Ok(role);
    }
    let known: Vec<String> = roles::list(tx, Some(namespace_id))?.into_iter().map(|role| role.name).collect();
    Err(AccountError::Word { kind: "role", word: name.to_owned(), known: known.join(", ") }.into())
}

/// Gives a role on a namespace, a repository or a beginning of names, or takes it; tells whether anything changed.
pub async fn set(
    registry: &Registry,
    ctx: &Ctx,
    role: &str,
    subject: Subject,
    on: &str,
    held: bool,
) -> Result<bool, Error> {
    let (ctx, role, pattern) = (ctx.clone(), role.to_owned(), pattern(on)?);
    let set = move |tx: &mut Tx<'_>| {
        let namespace = namespace(tx, pattern.namespace_name())?;
        let (role, holder) = (find_role(tx, namespace.id, &role)?, subject.find(tx, namespace.id)?);
        if held {
            within(&ctx, Permissions::from_bits(role.permissions))?;
        }
        let about = (pattern.text(), pattern.is_exact());
        let (done, kind) = if held {
            (roles::grant(tx, namespace.id, role.id, holder, about, ctx.now)?, "role.grant")
        } else {
            (roles::revoke(tx, role.id, holder, about)?, "role.revoke")
        };
        if done {
            let (holder_kind, holder) = subject.detail(tx)?;
            let detail = json!({ "role": role.name, "on": pattern.to_string(), holder_kind: holder });
            let repository = pattern.is_exact().then(|| RepositoryName::parse(pattern.text()).ok()).flatten();
            changed_in(tx, &ctx, kind, repository.as_ref(), &detail)?;
        }
        Ok::<_, Error>(done)
    };
    registry.db.write(set).await
}

/// Lists who holds which role in a namespace behind the key `after`.
pub async fn bindings(registry: &Registry, name: &str, after: i64, limit: usize) -> Result<Vec<BindingRow>, Error> {
    let (name, limit) = (name.to_owned(), i64::try_from(limit).unwrap_or(i64::MAX));
    let list = move |tx: &mut Tx<'_>| {
        let namespace = namespace(tx, &name)?;
        Ok::<_, Error>(roles::bindings(tx, namespace.id, after, limit)?)
    };
    registry.db.scan(list).await
}

/// Lists who holds which role on a repository, on it alone or on more, behind the key `after`.
pub async fn bindings_on(
    registry: &Registry,
    repository: &RepositoryName,
    after: i64,
    limit: usize,
) -> Result<Vec<BindingRow>, Error> {
    let (repository, limit) = (repository.clone(), i64::try_from(limit).unwrap_or(i64::MAX));
    let list = move |tx: &mut Tx<'_>| {
        let namespace = namespace(tx, repository.namespace())?;
        Ok::<_, Error>(roles::bindings_on(tx, namespace.id, repository.as_str(), after, limit)?)
    };
    registry.db.scan(list).await
}

/// Lists the roles that a namespace can give; without a name, those that every namespace can.
pub async fn list(registry: &Registry, name: Option<&str>) -> Result<Vec<RoleRow>, Error> {
    let name = name.map(str::to_owned);
    let list = move |tx: &mut Tx<'_>| {
        let id = match &name {
            Some(name) => Some(namespace(tx, name)?.id),
            None => None,
        };
        Ok::<_, Error>(roles::list(tx, id)?)
    };
    registry.db.scan(list).await
}

/// Makes a role of a namespace, or gives it other permissions.
pub async fn define(
    registry: &Registry,
    ctx: &Ctx,
    in_namespace: &str,
    name: &str,
    words: &[String],
) -> Result<(), Error> {
    let wrong = |kind, word: &str, known| AccountError::Word { kind, word: word.to_owned(), known };
    if !role::is_name(name) {
        return Err(wrong("name of a role", name, "small letters, digits and dashes".to_owned()).into());
    }
    if role::BUILT_IN.iter().any(|role| role.name == name) {
        return Err(AccountError::InUse(format!("every namespace has the role {name}; choose another name")).into());
    }
    let known = || Permissions::NAMESPACE.words().collect::<Vec<_>>().join(", ");
    let parse = |word: &String| {
        let one = Permissions::parse(word).filter(|one| Permissions::NAMESPACE.contains(*one));
        one.ok_or_else(|| wrong("permission", word, known()))
    };
    let permissions: Permissions = words.iter().map(parse).collect::<Result<Vec<_>, _>>()?.into_iter().collect();
    within(ctx, permissions)?;
    let (ctx, in_namespace, name) = (ctx.clone(), in_namespace.to_owned(), name.to_owned());
    let define = move |tx: &mut Tx<'_>| {
        let namespace = namespace(tx, &in_namespace)?;
        roles::set(tx, namespace.id, &name, permissions.bits(), None)?;
        let words: Vec<&str> = permissions.words().collect();
        changed(tx, &ctx, "role.define", &json!({ "namespace": in_namespace, "role": name, "permissions": words }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(define).await
}

/// Removes a role of a namespace that nobody holds.
pub async fn remove(registry: &Registry, ctx: &Ctx, in_namespace: &str, name: &str) -> Result<(), Error> {
    let (ctx, in_namespace, name) = (ctx.clone(), in_namespace.to_owned(), name.to_owned());
    let remove = move |tx: &mut Tx<'_>| {
        let namespace = namespace(tx, &in_namespace)?;
        let role = find_role(tx, namespace.id, &name)?;
        if role.built_in || !roles::delete(tx, role.id)? {
            return Err(AccountError::InUse(format!("the role {name} is built in, or still held by somebody")).into());
        }
        changed(tx, &ctx, "role.remove", &json!({ "namespace": in_namespace, "role": name }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(remove).await
}
