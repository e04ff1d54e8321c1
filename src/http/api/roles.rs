//! Roles, and who holds which on what.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, Reply};
use super::problem::Refused;
use super::route::{Needs, Parameter, Route};
use crate::auth::{Pattern, Permissions};
use crate::registry::accounts::roles::{self, Subject};
use crate::registry::accounts::{BindingRow, RoleRow};

/// What a binding is: who holds which role on what.
const BINDING: &[Parameter] = &[
    Parameter {
        name: "on",
        about: "what the role is about: acme (all of it), acme/app, or acme/web-*",
        required: true,
    },
    Parameter { name: "role", about: "the role's name", required: true },
    Parameter { name: "user", about: "a user who holds it", required: false },
    Parameter { name: "team", about: "a team of the same organisation, by its own name", required: false },
    Parameter { name: "robot", about: "a robot of the same namespace, such as acme+ci", required: false },
];

pub(super) const ROUTES: &[Route] = &[
    Route::new(
        Method::GET,
        "/roles",
        "List the roles that every namespace has",
        Needs::Anybody,
        Permissions::NONE,
        |call| Box::pin(built_in(call)),
    )
    .group("roles")
    .pages::<Role>(),
    Route::new(
        Method::GET,
        "/namespaces/{namespace}/roles",
        "List the roles that a namespace can give",
        Needs::Namespace,
        Permissions::ACTIVITY,
        |call| Box::pin(list(call)),
    )
    .group("roles")
    .pages::<Role>(),
    Route::new(
        Method::PUT,
        "/namespaces/{namespace}/roles/{role}",
        "Make a role of a namespace, or give it other permissions",
        Needs::Namespace,
        Permissions::MEMBERS,
        |call| Box::pin(put(call)),
    )
    .group("roles")
    .takes_body::<NewRole>()
    .answers::<Role>(200),
    Route::new(
        Method::DELETE,
        "/namespaces/{namespace}/roles/{role}",
        "Remove a role of a namespace that nobody holds",
        Needs::Namespace,
        Permissions::MEMBERS,
        |call| Box::pin(delete(call)),
    )
    .group("roles")
    .answers_nothing(),
    Route::new(
        Method::GET,
        "/namespaces/{namespace}/bindings",
        "List who holds which role in a namespace",
        Needs::Namespace,
        Permissions::ACTIVITY,
        |call| Box::pin(bindings(call)),
    )
    .group("roles")
    .pages::<Binding>(),
    Route::new(Method::PUT, "/bindings", "Give a role", Needs::On, Permissions::MEMBERS, |call| Box::pin(grant(call)))
        .group("roles")
        .query(BINDING)
        .makes::<Binding>(),
    Route::new(Method::DELETE, "/bindings", "Take a role away again", Needs::On, Permissions::MEMBERS, |call| {
        Box::pin(revoke(call))
    })
    .group("roles")
    .query(BINDING)
    .answers_nothing(),
];

/// A role.
#[derive(Debug, Serialize, ToSchema)]
struct Role {
    /// Its name.
    name: String,
    /// What it allows.
    permissions: Vec<&'static str>,
    /// What it is for.
    description: Option<String>,
    /// Whether every namespace has it.
    built_in: bool,
}

impl From<RoleRow> for Role {
    fn from(row: RoleRow) -> Self {
        Self {
            name: row.name,
            permissions: Permissions::from_bits(row.permissions).words().collect(),
            description: row.description,
            built_in: row.built_in,
        }
    }
}

/// A role to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRole {
    /// What it allows, such as `read` and `write`.
    permissions: Vec<String>,
}

/// Who holds a role on what: one of user, team and robot.
#[derive(Debug, Serialize, ToSchema)]
struct Binding {
    /// The role's name.
    role: String,
    /// What it is about.
    on: String,
    /// The user who holds it.
    user: Option<String>,
    /// The team that holds it.
    team: Option<String>,
    /// The robot that holds it.
    robot: Option<String>,
}

async fn built_in(call: Call) -> Result<Reply, Refused> {
    listed(&call, None).await
}

async fn list(call: Call) -> Result<Reply, Refused> {
    listed(&call, Some(call.argument("namespace"))).await
}

async fn listed(call: &Call, namespace: Option<&str>) -> Result<Reply, Refused> {
    let cursor = call.cursor()?;
    let rows = roles::list(call.registry(), namespace).await?;
    Ok(call.page(&cursor.of_all(rows, |row| row.name.clone(), Role::from), &cursor))
}

async fn put(call: Call) -> Result<Reply, Refused> {
    let (namespace, name, new) = (call.argument("namespace"), call.argument("role"), call.body::<NewRole>()?);
    roles::define(call.registry(), call.ctx(), namespace, name, &new.permissions).await?;
    let rows = roles::list(call.registry(), Some(namespace)).await?;
    let row = rows.into_iter().find(|row| row.name == name).ok_or(Refused::NoRoute)?;
    Ok(Reply::json(200, &Role::from(row)))
}

async fn delete(call: Call) -> Result<Reply, Refused> {
    roles::remove(call.registry(), call.ctx(), call.argument("namespace"), call.argument("role")).await?;
    Ok(Reply::nothing())
}

async fn bindings(call: Call) -> Result<Reply, Refused> {
    let (cursor, namespace) = (call.cursor()?, call.argument("namespace"));
    let rows = roles::bindings(call.registry(), namespace, cursor.number()?, cursor.limit + 1).await?;
    let entry = |row: BindingRow| {
        let of = |kind| (row.holder_kind == kind).then(|| row.holder.clone());
        Binding {
            user: of("user"),
            team: of("team"),
            robot: of("robot").map(|own| format!("{namespace}+{own}")),
            on: Pattern::from_row(row.pattern.clone(), row.exact).to_string(),
            role: row.role.clone(),
        }
    };
    Ok(call.page(&cursor.page(rows, |row| row.id.to_string(), entry), &cursor))
}

async fn grant(call: Call) -> Result<Reply, Refused> {
    let new = set(&call, true).await?;
    let text = |name| call.query(name).map(str::to_owned);
    let on = text("on").unwrap_or_default();
    let binding = Binding {
        role: text("role").unwrap_or_default(),
        on: Pattern::parse(&on).map_or(on, |pattern| pattern.to_string()),
        user: text("user"),
        team: text("team"),
        robot: text("robot"),
    };
    Ok(Reply::made(new, &binding))
}

async fn revoke(call: Call) -> Result<Reply, Refused> {
    set(&call, false).await?;
    Ok(Reply::nothing())
}

async fn set(call: &Call, held: bool) -> Result<bool, Refused> {
    let subject = match (call.query("user"), call.query("team"), call.query("robot")) {
        (Some(name), None, None) => Subject::User(name.to_owned()),
        (None, Some(name), None) => Subject::Team(name.to_owned()),
        (None, None, Some(name)) => Subject::Robot(name.to_owned()),
        _ => return Err(Refused::invalid("say who holds it: one of user, team and robot".to_owned())),
    };
    let (role, on) = (call.query("role").unwrap_or_default(), call.query("on").unwrap_or_default());
    Ok(roles::set(call.registry(), call.ctx(), role, subject, on, held).await?)
}
