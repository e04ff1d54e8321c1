//! `havre user second-factor`, `sessions` and `end-sessions`: what a user signs in with beside the password, and where.

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::json;

use super::operator::{Common, Operator, time};
use crate::registry::access::sessions;
use crate::registry::accounts::second_factor;

#[derive(Debug, Args)]
pub(super) struct FactorArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell whether a user has a second factor
    Status(NameArgs),
    /// Take the second factor off from a user who has lost it; the password alone signs in again
    Reset(NameArgs),
}

#[derive(Debug, Args)]
pub(super) struct NameArgs {
    /// Name of the user
    name: String,
    #[command(flatten)]
    common: Common,
}

pub(super) fn second_factor(args: FactorArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    match args.command {
        Command::Status(args) => status(args, out),
        Command::Reset(args) => reset(args, out),
    }
}

fn status(args: NameArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let name = &args.name;
    let status = operator.run(second_factor::status(&operator.registry, name))?;
    let value = json!({
        "user": name,
        "second_factor": status.since.is_some(),
        "since": status.since.map(time),
        "recovery_codes": status.codes_left,
    });
    let text = match status.since {
        Some(since) => {
            format!("{name} has a second factor since {}, and {} recovery codes left", time(since), status.codes_left)
        }
        None => format!("{name} has no second factor"),
    };
    operator.say(out, &value, &text)?;
    Ok(())
}

/// Also `havre admin reset-second-factor`.
pub(super) fn reset(args: NameArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let name = &args.name;
    operator.run(second_factor::reset(&operator.registry, &operator.ctx, name))?;
    let text = format!("{name} has no second factor any more, and signs in with the password alone");
    operator.say(out, &json!({ "user": name, "second_factor": false }), &text)?;
    operator.hint(out, "its sessions have ended; where somebody else may know the password, change it too")?;
    Ok(())
}

pub(super) fn sessions(args: NameArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    for (row, _) in operator.run(sessions::list(&operator.registry, &operator.ctx, &args.name))? {
        let value = json!({
            "user": args.name,
            "session": row.public_id,
            "pending": row.is_pending(),
            "created_at": time(row.created_at),
            "last_seen_at": time(row.last_seen_at),
            "expires_at": time(row.expires_at),
            "address": row.address,
            "user_agent": row.user_agent,
        });
        let from = row.address.as_deref().unwrap_or("-");
        let program = row.user_agent.as_deref().unwrap_or("-");
        let seen = time(row.last_seen_at);
        operator.say(out, &value, &format!("{}\t{seen}\t{from}\t{program}", row.public_id))?;
    }
    Ok(())
}

pub(super) fn end_sessions(args: NameArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let name = &args.name;
    let ended = operator.run(sessions::end_all(&operator.registry, &operator.ctx, name))?;
    let text = format!("ended {ended} sessions of {name}; tokens and passwords go on");
    operator.say(out, &json!({ "user": name, "ended": ended }), &text)?;
    Ok(())
}
