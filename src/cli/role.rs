//! `havre role`: which roles there are, and who holds which on what.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::operator::{Common, Operator};
use crate::auth::{Pattern, Permissions};
use crate::registry::accounts::roles::{self, Subject};

#[derive(Debug, Args)]
pub(super) struct RoleArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Give a role on a namespace, a repository or a beginning of names
    Grant(BindingArgs),
    /// Take a role away again
    Revoke(BindingArgs),
    /// List the roles that every namespace can give, or those of one namespace
    List(ListArgs),
    /// List who holds which role in a namespace
    Bindings(NamespaceArgs),
    /// Make a role of a namespace, or give it other permissions
    Define(DefineArgs),
    /// Remove a role of a namespace that nobody holds
    Remove(RemoveArgs),
}

#[derive(Debug, Args)]
struct BindingArgs {
    /// Name of the role, such as owner, maintainer, developer or guest
    role: String,
    #[command(flatten)]
    holder: HolderArgs,
    /// What it is about: acme (all of it), acme/app, or acme/web-*
    #[arg(long, value_name = "PATTERN")]
    on: String,
    #[command(flatten)]
    common: Common,
}

// Not a doc comment: clap would show it as the help of the command.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct HolderArgs {
    /// A user who holds it
    #[arg(long)]
    user: Option<String>,
    /// A team of the same organisation, whose members hold it
    #[arg(long, value_name = "ORG/TEAM")]
    team: Option<String>,
    /// A robot of the same namespace
    #[arg(long, value_name = "ORG+NAME")]
    robot: Option<String>,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Name of the namespace
    namespace: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct NamespaceArgs {
    /// Name of the namespace
    namespace: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct DefineArgs {
    /// Name of the namespace
    namespace: String,
    /// Name of the role
    role: String,
    /// What it allows, such as read,write
    #[arg(long = "permission", value_name = "PERMISSION", value_delimiter = ',', required = true)]
    permissions: Vec<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct RemoveArgs {
    /// Name of the namespace
    namespace: String,
    /// Name of the role
    role: String,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: RoleArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Grant(args) => set(args, true, out)?,
        Command::Revoke(args) => set(args, false, out)?,
        Command::List(args) => list(args, out)?,
        Command::Bindings(args) => bindings(args, out)?,
        Command::Define(args) => define(args, out)?,
        Command::Remove(args) => remove(args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl HolderArgs {
    /// Returns who is meant, with the kind and name to tell it by.
    fn subject(self, on: &str) -> anyhow::Result<(Subject, &'static str, String)> {
        Ok(match (self.user, self.team, self.robot) {
            (Some(name), None, None) => (Subject::User(name.clone()), "user", name),
            (None, Some(name), None) => (Subject::Team(own_team(&name, on)?.to_owned()), "team", name),
            (None, None, Some(name)) => (Subject::Robot(name.clone()), "robot", name),
            _ => anyhow::bail!("say who holds it: --user USER, --team ORG/TEAM or --robot ORG+NAME"),
        })
    }
}

/// Returns a team's own name; one that is named with its organisation can only hold roles there.
fn own_team<'a>(team: &'a str, on: &str) -> anyhow::Result<&'a str> {
    let Some((organisation, own)) = team.split_once('/') else { return Ok(team) };
    let elsewhere = Pattern::parse(on).is_some_and(|pattern| pattern.namespace_name() != organisation);
    anyhow::ensure!(!elsewhere, "the team {team} can hold roles in {organisation} only, and {on} is not there");
    Ok(own)
}

fn set(args: BindingArgs, held: bool, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let (role, on) = (&args.role, &args.on);
    let (subject, kind, name) = args.holder.subject(on)?;
    let operator = Operator::open(args.common)?;
    let changed = operator.run(roles::set(&operator.registry, &operator.ctx, role, subject, on, held))?;
    let value = json!({ "role": role, kind: name, "on": on, "held": held, "changed": changed });
    let is = match (held, changed) {
        (true, true) => "is now",
        (true, false) => "was already",
        (false, true) => "is no longer",
        (false, false) => "was not",
    };
    operator.say(out, &value, &format!("{kind} {name} {is} {role} on {on}"))?;
    Ok(())
}

fn list(args: ListArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    for role in operator.run(roles::list(&operator.registry, args.namespace.as_deref()))? {
        let words: Vec<&str> = Permissions::from_bits(role.permissions).words().collect();
        let value = json!({
            "role": role.name,
            "permissions": words,
            "description": role.description,
            "built_in": role.built_in,
        });
        let about = role.description.as_deref().unwrap_or("-");
        operator.say(out, &value, &format!("{}\t{about}\t{}", role.name, words.join(",")))?;
    }
    Ok(())
}

fn bindings(args: NamespaceArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    for binding in operator.run(roles::bindings(&operator.registry, &args.namespace, 0, usize::MAX))? {
        let on = Pattern::from_row(binding.pattern, binding.exact).to_string();
        let (role, kind) = (binding.role, binding.holder_kind);
        // As `havre role revoke` takes it: teams and robots hold roles in their own namespace only.
        let holder = match kind {
            "team" => format!("{}/{}", args.namespace, binding.holder),
            "robot" => format!("{}+{}", args.namespace, binding.holder),
            _ => binding.holder,
        };
        let value = json!({ "role": role, kind: holder, "on": on });
        operator.say(out, &value, &format!("{kind} {holder}\t{role}\ton {on}"))?;
    }
    Ok(())
}

fn define(args: DefineArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let (namespace, role, words) = (&args.namespace, &args.role, &args.permissions);
    operator.run(roles::define(&operator.registry, &operator.ctx, namespace, role, words))?;
    let value = json!({ "namespace": namespace, "role": role, "permissions": words });
    operator.say(out, &value, &format!("the role {role} of {namespace} allows {}", words.join(", ")))?;
    operator.hint(out, &format!("give it with `havre role grant {role} --user USER --on {namespace}`"))?;
    Ok(())
}

fn remove(args: RemoveArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let (namespace, role) = (&args.namespace, &args.role);
    operator.run(roles::remove(&operator.registry, &operator.ctx, namespace, role))?;
    let value = json!({ "namespace": namespace, "role": role, "removed": true });
    operator.say(out, &value, &format!("removed the role {role} of {namespace}"))?;
    Ok(())
}
