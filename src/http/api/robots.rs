//! Robots: accounts of machines.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, Reply};
use super::problem::Refused;
use super::route::{Needs, Route};
use super::times::{expiry, time};
use crate::auth::{Permissions, Secret};
use crate::registry::accounts::RobotRow;
use crate::registry::accounts::robots;

pub(super) const ROUTES: &[Route] = &[
    Route::new(
        Method::GET,
        "/namespaces/{namespace}/robots",
        "List the robots of a namespace",
        Needs::Namespace,
        Permissions::ROBOTS,
        |call| Box::pin(list(call)),
    )
    .group("robots")
    .pages::<Robot>(),
    Route::new(
        Method::PUT,
        "/namespaces/{namespace}/robots/{robot}",
        "Make a robot; its secret is shown now and never again",
        Needs::Namespace,
        Permissions::ROBOTS,
        |call| Box::pin(put(call)),
    )
    .group("robots")
    .takes_body::<NewRobot>()
    .makes::<MadeRobot>(),
    Route::new(
        Method::PATCH,
        "/namespaces/{namespace}/robots/{robot}",
        "Disable a robot, or let it act again",
        Needs::Namespace,
        Permissions::ROBOTS,
        |call| Box::pin(patch(call)),
    )
    .group("robots")
    .takes_body::<RobotChange>()
    .answers::<Robot>(200),
    Route::new(
        Method::DELETE,
        "/namespaces/{namespace}/robots/{robot}",
        "Remove a robot with its roles and secrets",
        Needs::Namespace,
        Permissions::ROBOTS,
        |call| Box::pin(delete(call)),
    )
    .group("robots")
    .answers_nothing(),
    Route::new(
        Method::POST,
        "/namespaces/{namespace}/robots/{robot}/secrets",
        "Give a robot another secret beside the one it has; of two, the older one is revoked",
        Needs::Namespace,
        Permissions::ROBOTS,
        |call| Box::pin(rotate(call)),
    )
    .group("robots")
    .answers::<MadeRobot>(201),
];

/// A robot.
#[derive(Debug, Serialize, ToSchema)]
struct Robot {
    /// The name with which it signs in, such as `acme+ci`.
    name: String,
    /// Its id.
    id: String,
    /// What it is for.
    description: Option<String>,
    /// Whether it proves nothing at the moment.
    disabled: bool,
    /// When it was made.
    created_at: String,
    /// From when on it proves nothing.
    expires_at: Option<String>,
}

impl From<RobotRow> for Robot {
    fn from(row: RobotRow) -> Self {
        Self {
            name: row.full_name(),
            id: row.public_id,
            description: row.description,
            disabled: row.disabled,
            created_at: time(row.created_at),
            expires_at: row.expires_at.map(time),
        }
    }
}

/// A robot to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRobot {
    /// What it is for.
    description: Option<String>,
    /// From when on it proves nothing (RFC 3339).
    expires_at: Option<String>,
}

/// What is to change of a robot.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RobotChange {
    /// Whether it proves nothing.
    disabled: bool,
}

/// A secret of a robot, shown once.
#[derive(Serialize, ToSchema)]
struct MadeRobot {
    /// The name with which it signs in.
    name: String,
    /// Its secret, shown now and never again.
    secret: String,
    /// What to type to log in with it.
    login: String,
}

fn full_name(call: &Call) -> String {
    format!("{}+{}", call.argument("namespace"), call.argument("robot"))
}

fn shown(call: &Call, name: String, secret: &Secret, new: bool) -> Reply {
    let login = format!("docker login {} -u {name}", call.exchange.host);
    Reply::made(new, &MadeRobot { name, secret: secret.reveal().to_owned(), login })
}

async fn list(call: Call) -> Result<Reply, Refused> {
    let cursor = call.cursor()?;
    let rows = robots::list(call.registry(), call.argument("namespace"), &cursor.after, cursor.limit + 1).await?;
    Ok(call.page(&cursor.page(rows, |row| row.name.clone(), Robot::from), &cursor))
}

async fn put(call: Call) -> Result<Reply, Refused> {
    let (name, new) = (full_name(&call), call.body::<NewRobot>()?);
    let expires_at = expiry(new.expires_at.as_deref(), call.ctx().now)?;
    let (secret, new) = robots::add(call.registry(), call.ctx(), &name, new.description, expires_at).await?;
    Ok(shown(&call, name, &secret, new))
}

async fn patch(call: Call) -> Result<Reply, Refused> {
    let (name, change) = (full_name(&call), call.body::<RobotChange>()?);
    robots::set_disabled(call.registry(), call.ctx(), &name, change.disabled).await?;
    Ok(Reply::json(200, &Robot::from(robots::find(call.registry(), &name).await?)))
}

async fn delete(call: Call) -> Result<Reply, Refused> {
    robots::remove(call.registry(), call.ctx(), &full_name(&call)).await?;
    Ok(Reply::nothing())
}

async fn rotate(call: Call) -> Result<Reply, Refused> {
    let name = full_name(&call);
    let secret = robots::rotate(call.registry(), call.ctx(), &name).await?;
    Ok(shown(&call, name, &secret, true))
}
