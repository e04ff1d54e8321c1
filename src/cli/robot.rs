//! `havre robot`: accounts of machines.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::operator::{Common, Operator, time, time_or_never};
use crate::auth::Secret;
use crate::registry::accounts::robots;

#[derive(Debug, Args)]
pub(super) struct RobotArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a robot and show its secret, once
    Add(AddArgs),
    /// Give a robot another secret beside the one it has; of two, the older one is revoked
    Rotate(NameArgs),
    /// Keep a robot from acting
    Disable(NameArgs),
    /// Let a robot act again
    Enable(NameArgs),
    /// Remove a robot with its roles and secrets
    Remove(NameArgs),
    /// List the robots of a namespace
    List(ListArgs),
}

#[derive(Debug, Args)]
struct AddArgs {
    /// The namespace and the robot's own name, such as acme+ci
    #[arg(value_name = "ORG+NAME")]
    robot: String,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// How long it holds, such as 90d [default: until it is removed]
    #[arg(long, value_name = "DURATION")]
    expires: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct NameArgs {
    /// The namespace and the robot's own name, such as acme+ci
    #[arg(value_name = "ORG+NAME")]
    robot: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Name of the namespace
    org: String,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: RobotArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Add(args) => add(args, out)?,
        Command::Rotate(args) => rotate(args, out)?,
        Command::Disable(args) => set_disabled(args, true, out)?,
        Command::Enable(args) => set_disabled(args, false, out)?,
        Command::Remove(args) => remove(args, out)?,
        Command::List(args) => list(args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(args: AddArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let (robot, expires_at) = (&args.robot, operator.expiry(args.expires.as_deref())?);
    let add = robots::add(&operator.registry, &operator.ctx, robot, args.description, expires_at);
    let (secret, _) = operator.run(add)?;
    show(&operator, robot, &secret, out)?;
    let namespace = robot.split_once('+').map_or(&**robot, |(namespace, _)| namespace);
    let grant = format!("havre role grant developer --robot {robot} --on {namespace}");
    operator.hint(out, &format!("it may do nothing yet; give it a role, for example `{grant}`"))?;
    Ok(())
}

fn rotate(args: NameArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let secret = operator.run(robots::rotate(&operator.registry, &operator.ctx, &args.robot))?;
    show(&operator, &args.robot, &secret, out)?;
    operator.hint(out, "the earlier secret holds until the next rotation")?;
    Ok(())
}

/// Shows a secret, which nothing shows again.
fn show(operator: &Operator, robot: &str, secret: &Secret, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let (login, secret) = (operator.docker_login(robot), secret.reveal());
    let value = json!({ "robot": robot, "secret": secret, "login": login });
    let text = format!("robot: {robot}\nsecret: {secret}\nlogin: {login}");
    operator.say(out, &value, &text)?;
    operator.hint(out, "keep the secret now, it is not shown again; it is the password of the login")?;
    Ok(())
}

fn set_disabled(args: NameArgs, disabled: bool, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    operator.run(robots::set_disabled(&operator.registry, &operator.ctx, &args.robot, disabled))?;
    let state = if disabled { "disabled" } else { "enabled" };
    let value = json!({ "robot": args.robot, "disabled": disabled });
    operator.say(out, &value, &format!("{} is {state}", args.robot))?;
    Ok(())
}

fn remove(args: NameArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    operator.run(robots::remove(&operator.registry, &operator.ctx, &args.robot))?;
    let value = json!({ "robot": args.robot, "removed": true });
    operator.say(out, &value, &format!("removed {}", args.robot))?;
    Ok(())
}

fn list(args: ListArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    for robot in operator.run(robots::list(&operator.registry, &args.org, "", usize::MAX))? {
        let name = robot.full_name();
        let value = json!({
            "robot": name,
            "id": robot.public_id,
            "description": robot.description,
            "disabled": robot.disabled,
            "created_at": time(robot.created_at),
            "expires_at": robot.expires_at.map(time),
        });
        let state = if robot.disabled { "disabled" } else { "enabled" };
        let expires = time_or_never(robot.expires_at);
        let about = robot.description.as_deref().unwrap_or("-");
        operator.say(out, &value, &format!("{name}\t{state}\texpires {expires}\t{about}"))?;
    }
    Ok(())
}
