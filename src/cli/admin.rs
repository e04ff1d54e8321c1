//! `havre admin`: the way back in for who has lost it.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::operator::{Common, Operator, given_password};
use crate::auth::password;
use crate::registry::accounts::users;

#[derive(Debug, Args)]
pub(super) struct AdminArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Give an account another password: the one on standard input, else one that is made and shown, once
    ResetPassword(ResetArgs),
}

#[derive(Debug, Args)]
struct ResetArgs {
    /// Name of the user
    #[arg(default_value = users::FIRST)]
    name: String,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: AdminArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::ResetPassword(args) => reset(args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn reset(args: ResetArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let given = given_password(args.password_stdin)?;
    let operator = Operator::open(args.common)?;
    let name = &args.name;
    if let Some(given) = given {
        operator.set_password(name, given)?;
        operator.say(out, &json!({ "user": name }), &format!("changed the password of {name}"))?;
    } else {
        let made = password::generate();
        operator.set_password(name, made.clone())?;
        let text = format!("user: {name}\npassword: {made}");
        operator.say(out, &json!({ "user": name, "password": made }), &text)?;
        operator.hint(out, "keep the password now, it is not shown again")?;
    }
    operator.hint(out, &format!("sign in with `{}`", operator.docker_login(name)))?;
    Ok(())
}
