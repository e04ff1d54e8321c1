//! `havre namespace`: who may see what stands in a namespace.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use oci::RepositoryName;
use serde_json::{Value, json};

use super::operator::{Common, Operator, PAGE};
use crate::db::namespaces::NamespaceRow;
use crate::registry::accounts::namespaces;

#[derive(Debug, Args)]
pub(super) struct NamespaceArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the namespaces
    List(ListArgs),
    /// Show a namespace, or who may see a repository
    Show(ShowArgs),
    /// Set what repositories that are made in a namespace begin with; those that exist stay as they are
    Default(DefaultArgs),
    /// Set who may see a repository without a role
    Visibility(VisibilityArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Name of the namespace, such as acme, or of a repository, such as acme/app
    name: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct DefaultArgs {
    /// Name of the namespace
    namespace: String,
    /// public (anyone), internal (signed-in users) or private (nobody without a role)
    visibility: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct VisibilityArgs {
    /// Name of the repository, such as acme/app
    repository: String,
    /// public (anyone), internal (signed-in users) or private (nobody without a role)
    visibility: String,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: NamespaceArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List(args) => list(args, out)?,
        Command::Show(args) => show(args, out)?,
        Command::Default(args) => set_default(args, out)?,
        Command::Visibility(args) => set_visibility(args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the name of a repository as the registry keeps it.
pub(super) fn repository(text: &str) -> anyhow::Result<RepositoryName> {
    let name = RepositoryName::parse(text).with_context(|| format!("{text:?} is no repository's name"))?;
    Ok(name.canonical())
}

fn list(args: ListArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let mut after = String::new();
    loop {
        let page = operator.run(namespaces::list(&operator.registry, None, &after, PAGE))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.name.clone();
        for found in &page {
            operator.say(out, &value(found), &format!("{}\t{}\t{}", found.name, found.owner_kind, found.visibility))?;
        }
    }
}

fn value(found: &NamespaceRow) -> Value {
    json!({
        "namespace": found.name,
        "owner": found.owner_kind,
        "display_name": found.display_name,
        "default_visibility": found.visibility,
        "require_second_factor": found.require_second_factor,
    })
}

fn show(args: ShowArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let named = if args.name.contains('/') { Some(repository(&args.name)?) } else { None };
    let operator = Operator::open(args.common)?;
    if let Some(name) = named {
        let visibility = operator.run(namespaces::visibility_of(&operator.registry, &name))?.as_str();
        let value = json!({ "repository": name.as_str(), "visibility": visibility });
        operator.say(out, &value, &format!("repository: {name}\nvisibility: {visibility}"))?;
        return Ok(());
    }
    let found = operator.run(namespaces::find(&operator.registry, &args.name))?;
    let lines = [
        format!("namespace: {}", found.name),
        format!("owner: {}", found.owner_kind),
        format!("display name: {}", found.display_name.as_deref().unwrap_or("-")),
        format!("default visibility: {}", found.visibility),
        format!("second factor: {}", if found.require_second_factor { "required" } else { "not required" }),
    ];
    operator.say(out, &value(&found), &lines.join("\n"))?;
    Ok(())
}

fn set_default(args: DefaultArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let (name, visibility) = (&args.namespace, &args.visibility);
    operator.run(namespaces::set_default(&operator.registry, &operator.ctx, name, visibility))?;
    let value = json!({ "namespace": name, "default_visibility": visibility });
    operator.say(out, &value, &format!("repositories that are made in {name} from now on are {visibility}"))?;
    let change = format!("havre namespace visibility {name}/REPOSITORY {visibility}");
    operator.hint(out, &format!("those that exist stay as they are; change one with `{change}`"))?;
    Ok(())
}

fn set_visibility(args: VisibilityArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let name = repository(&args.repository)?;
    let operator = Operator::open(args.common)?;
    let visibility = &args.visibility;
    operator.run(namespaces::set_visibility(&operator.registry, &operator.ctx, &name, visibility))?;
    let value = json!({ "repository": name.as_str(), "visibility": visibility });
    operator.say(out, &value, &format!("{name} is {visibility}"))?;
    Ok(())
}
