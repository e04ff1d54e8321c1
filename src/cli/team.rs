//! `havre team`: teams of an organisation.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::operator::{Common, Operator, split_team};
use crate::registry::accounts::teams;

#[derive(Debug, Args)]
pub(super) struct TeamArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a team
    Add(NameArgs),
    /// Remove a team; its members lose the roles that they hold through it
    Remove(NameArgs),
    /// List the teams of an organisation
    List(ListArgs),
    /// List the members of a team
    Members(NameArgs),
    /// Put a user into a team
    Join(MemberArgs),
    /// Take a user out of a team
    Leave(MemberArgs),
}

#[derive(Debug, Args)]
struct NameArgs {
    /// The organisation and the team's own name, such as acme/ops
    #[arg(value_name = "ORG/TEAM")]
    team: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Name of the organisation
    org: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct MemberArgs {
    /// The organisation and the team's own name, such as acme/ops
    #[arg(value_name = "ORG/TEAM")]
    team: String,
    /// Name of the user
    user: String,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: TeamArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Add(args) => add(args, out)?,
        Command::Remove(args) => remove(args, out)?,
        Command::List(args) => list(args, out)?,
        Command::Members(args) => members(args, out)?,
        Command::Join(args) => set_member(args, true, out)?,
        Command::Leave(args) => set_member(args, false, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(args: NameArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let (organisation, name) = split_team(&args.team)?;
    let operator = Operator::open(args.common)?;
    operator.run(teams::add(&operator.registry, &operator.ctx, organisation, name))?;
    let value = json!({ "organisation": organisation, "team": name });
    operator.say(out, &value, &format!("made the team {}", args.team))?;
    let (join, grant) = (format!("havre team join {} USER", args.team), "havre role grant developer");
    operator.hint(out, &format!("`{join}`, and `{grant} --team {} --on {organisation}`", args.team))?;
    Ok(())
}

fn remove(args: NameArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let (organisation, name) = split_team(&args.team)?;
    let operator = Operator::open(args.common)?;
    operator.run(teams::remove(&operator.registry, &operator.ctx, organisation, name))?;
    let value = json!({ "organisation": organisation, "team": name, "removed": true });
    operator.say(out, &value, &format!("removed the team {}", args.team))?;
    Ok(())
}

fn list(args: ListArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let organisation = &args.org;
    for (name, members) in operator.run(teams::list(&operator.registry, organisation, "", usize::MAX))? {
        let value = json!({ "organisation": organisation, "team": name, "members": members });
        operator.say(out, &value, &format!("{organisation}/{name}\t{members} members"))?;
    }
    Ok(())
}

fn members(args: NameArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let (organisation, name) = split_team(&args.team)?;
    let operator = Operator::open(args.common)?;
    for user in operator.run(teams::members(&operator.registry, (organisation, name), "", usize::MAX))? {
        let value = json!({ "organisation": organisation, "team": name, "user": user });
        operator.say(out, &value, &user)?;
    }
    Ok(())
}

fn set_member(args: MemberArgs, inside: bool, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let (organisation, name) = split_team(&args.team)?;
    let operator = Operator::open(args.common)?;
    let user = &args.user;
    let changed =
        operator.run(teams::set_member(&operator.registry, &operator.ctx, (organisation, name), user, inside))?;
    let value =
        json!({ "organisation": organisation, "team": name, "user": user, "member": inside, "changed": changed });
    let is = match (inside, changed) {
        (true, true) => "is in",
        (true, false) => "is already in",
        (false, true) => "is no longer in",
        (false, false) => "was not in",
    };
    operator.say(out, &value, &format!("{user} {is} the team {}", args.team))?;
    Ok(())
}
