//! Robots: accounts of machines, with two secrets side by side so that one can be replaced without a gap.

use serde_json::json;

use super::tokens::no_further;
use super::{
    AccountError, changed, description_is_plain, made_before, namespace, secret, taken, unknown, used_up, within,
};
use crate::auth::{Permissions, Secret, SecretKind, account_name};
use crate::db::robots::{self, RobotRow};
use crate::db::tokens::{self, NewToken};
use crate::db::{self, Tx, roles};
use crate::registry::{Ctx, Error, Registry};

/// At most this many secrets of a robot hold at once: the one in use and the one that replaces it.
const SECRETS: usize = 2;

/// Most robots of a namespace.
const MOST: i64 = 500;

fn robot(tx: &mut Tx<'_>, name: &str) -> Result<RobotRow, Error> {
    let (namespace, own) = account_name::split_robot(name).ok_or_else(|| unknown("robot", name))?;
    Ok(robots::by_name(tx, namespace, own)?.ok_or_else(|| unknown("robot", name))?)
}

/// What a robot may do anywhere: whoever gets its secret may do that too.
fn rights(tx: &mut Tx<'_>, robot: &RobotRow) -> Result<Permissions, db::Error> {
    Ok(roles::of_robot(tx, robot.id)?.into_iter().map(Permissions::from_bits).collect())
}

/// Makes a robot and its first secret; tells whether it was made now, and not by the same create before. It may do nothing
/// until it is given a role.
pub async fn add(
    registry: &Registry,
    ctx: &Ctx,
    name: &str,
    description: Option<String>,
    expires_at: Option<i64>,
) -> Result<(Secret, bool), Error> {
    let (within, own) = account_name::split_robot(name)
        .ok_or_else(|| AccountError::Name { name: name.to_owned(), why: account_name::InvalidName::Grammar })?;
    account_name::check_within(own).map_err(|why| AccountError::Name { name: name.to_owned(), why })?;
    description_is_plain(description.as_deref())?;
    no_further(ctx, Permissions::NONE, expires_at)?;
    let secret = secret(registry, ctx, SecretKind::Robot, &json!(name))?;
    let (ctx, within, own, hash) = (ctx.clone(), within.to_owned(), own.to_owned(), secret.hash());
    let name = name.to_owned();
    let add = move |tx: &mut Tx<'_>| {
        let namespace = namespace(tx, &within)?;
        if let Some(row) = made_before(tx, &ctx, &hash)? {
            let same = |robot: &RobotRow| row.robot_id == Some(robot.id) && robot.expires_at == expires_at;
            let found = robots::by_name(tx, &within, &own)?.filter(same);
            return if found.is_some() { Ok(false) } else { Err(used_up().into()) };
        }
        if robots::count(tx, namespace.id)? >= MOST {
            return Err(AccountError::InUse(format!("{within} has {MOST} robots; remove some first")).into());
        }
        let made = robots::insert(tx, namespace.id, &own, description.as_deref(), expires_at, ctx.now)?;
        let id = made.ok_or_else(|| taken("robot", &name))?;
        keep(tx, id, hash, ctx.now)?;
        changed(tx, &ctx, "robot.create", &json!({ "robot": name }))?;
        Ok::<_, Error>(true)
    };
    let made = registry.db.write(add).await?;
    Ok((secret, made))
}

fn keep(tx: &mut Tx<'_>, robot_id: i64, secret_hash: [u8; 32], now: i64) -> Result<(), db::Error> {
    let new = NewToken {
        kind: SecretKind::Robot.as_str(),
        robot_id: Some(robot_id),
        name: "secret",
        secret_hash,
        permissions: Permissions::NAMESPACE.bits(),
        ..NewToken::default()
    };
    tokens::insert(tx, &new, now)?;
    Ok(())
}

/// Gives a robot another secret beside the one it has; of two, the older one is revoked.
pub async fn rotate(registry: &Registry, ctx: &Ctx, name: &str) -> Result<Secret, Error> {
    let secret = secret(registry, ctx, SecretKind::Robot, &json!([name, "another"]))?;
    let (ctx, name, hash) = (ctx.clone(), name.to_owned(), secret.hash());
    let rotate = move |tx: &mut Tx<'_>| {
        let robot = robot(tx, &name)?;
        within(&ctx, rights(tx, &robot)?)?;
        no_further(&ctx, Permissions::NONE, robot.expires_at)?;
        if made_before(tx, &ctx, &hash)?.is_some() {
            return Ok(());
        }
        let held = tokens::of_robot(tx, robot.id, ctx.now)?;
        for old in held.iter().rev().skip(SECRETS - 1) {
            tokens::revoke(tx, old.id, ctx.now)?;
        }
        keep(tx, robot.id, hash, ctx.now)?;
        changed(tx, &ctx, "robot.rotate", &json!({ "robot": name }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(rotate).await?;
    Ok(secret)
}

/// Disables a robot, or lets it act again.
pub async fn set_disabled(registry: &Registry, ctx: &Ctx, name: &str, disabled: bool) -> Result<(), Error> {
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let set = move |tx: &mut Tx<'_>| {
        let robot = robot(tx, &name)?;
        if !disabled {
            within(&ctx, rights(tx, &robot)?)?;
        }
        robots::set_disabled(tx, robot.id, disabled)?;
        let kind = if disabled { "robot.disable" } else { "robot.enable" };
        changed(tx, &ctx, kind, &json!({ "robot": name }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(set).await
}

/// Removes a robot with its roles and secrets.
pub async fn remove(registry: &Registry, ctx: &Ctx, name: &str) -> Result<(), Error> {
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let remove = move |tx: &mut Tx<'_>| {
        let robot = robot(tx, &name)?;
        robots::delete(tx, robot.id)?;
        changed(tx, &ctx, "robot.delete", &json!({ "robot": name }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(remove).await
}

/// Finds a robot.
pub async fn find(registry: &Registry, name: &str) -> Result<RobotRow, Error> {
    let name = name.to_owned();
    registry.db.read(move |tx| robot(tx, &name)).await
}

/// Lists the robots of a namespace behind `after`.
pub async fn list(registry: &Registry, name: &str, after: &str, limit: usize) -> Result<Vec<RobotRow>, Error> {
    let (name, after, limit) = (name.to_owned(), after.to_owned(), i64::try_from(limit).unwrap_or(i64::MAX));
    let list = move |tx: &mut Tx<'_>| {
        let namespace = namespace(tx, &name)?;
        Ok::<_, Error>(robots::list(tx, namespace.id, &after, limit)?)
    };
    registry.db.scan(list).await
}
