//! `havre org`: organisations.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::operator::{Common, Operator, PAGE};
use crate::registry::accounts::namespaces;

#[derive(Debug, Args)]
pub(super) struct OrgArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an organisation
    Add(AddArgs),
    /// List the organisations
    List(ListArgs),
    /// Change what an organisation asks of its people
    Set(SetArgs),
}

#[derive(Debug, Args)]
struct AddArgs {
    /// Name of the organisation, with which the names of its images begin
    name: String,
    /// What people call it
    #[arg(long)]
    display_name: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct SetArgs {
    /// Name of the organisation
    name: String,
    /// Let users in by their roles only while they have a second factor
    #[arg(long, value_name = "true|false", action = clap::ArgAction::Set)]
    require_second_factor: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: OrgArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Add(args) => add(args, out)?,
        Command::List(args) => list(args, out)?,
        Command::Set(args) => set(args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(args: AddArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let name = &args.name;
    operator.run(namespaces::add_organisation(&operator.registry, &operator.ctx, name, args.display_name))?;
    operator.say(out, &json!({ "organisation": name }), &format!("made the organisation {name}"))?;
    let grant = format!("havre role grant owner --user USER --on {name}");
    operator.hint(out, &format!("only administrators reach it yet; give it an owner with `{grant}`"))?;
    Ok(())
}

fn set(args: SetArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let (name, on) = (&args.name, args.require_second_factor);
    operator.run(namespaces::require_second_factor(&operator.registry, &operator.ctx, name, on))?;
    let text = if on {
        format!("{name} lets users in by their roles only while they have a second factor")
    } else {
        format!("{name} asks for no second factor")
    };
    operator.say(out, &json!({ "organisation": name, "require_second_factor": on }), &text)?;
    if on {
        operator.hint(out, "`havre user second-factor status USER` tells who has one; robots need none")?;
    }
    Ok(())
}

fn list(args: ListArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let mut after = String::new();
    loop {
        let page = operator.run(namespaces::list(&operator.registry, Some("organisation"), &after, PAGE))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.name.clone();
        for found in &page {
            let value = json!({
                "organisation": found.name,
                "display_name": found.display_name,
                "default_visibility": found.visibility,
                "require_second_factor": found.require_second_factor,
            });
            let called = found.display_name.as_deref().unwrap_or("-");
            operator.say(out, &value, &format!("{}\t{}\t{called}", found.name, found.visibility))?;
        }
    }
}
