//! `havre admin`: the way back in for who has lost it.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::factor;
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
    /// Take the second factor off from a user who has lost it; the password alone signs in again
    ResetSecondFactor(factor::NameArgs),
    /// Make a new key to sign tokens with, when the master key was lost or a signing key became known
    NewSigningKeys(KeysArgs),
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

#[derive(Debug, Args)]
struct KeysArgs {
    /// Replace the keys, without a way back
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: AdminArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::ResetPassword(args) => reset(args, out)?,
        Command::ResetSecondFactor(args) => factor::reset(args, out)?,
        Command::NewSigningKeys(args) => new_signing_keys(args, out)?,
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

fn new_signing_keys(args: KeysArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.yes,
        "this removes the keys that sign the tokens of `docker login` and makes a new one: the tokens that clients hold \
         prove nothing any more once every server was restarted, and clients fetch others by themselves; passwords, \
         personal tokens and robots go on. Where the master key is another one than before, whatever else the earlier one \
         sealed (second factors, private keys of certificates) is lost and has to be made again. Stop the servers first, \
         then add --yes to do it"
    );
    let operator = Operator::open(args.common)?;
    let replaced = operator.new_signing_keys()?;
    let value = json!({ "replaced": replaced.keys, "lost_second_factors": replaced.lost_factors });
    operator.say(out, &value, &format!("made a new signing key in place of {}", replaced.keys))?;
    if !replaced.lost_factors.is_empty() {
        let names = replaced.lost_factors.join(", ");
        operator.hint(
            out,
            &format!(
                "the second factors of these users cannot be opened with this master key, and their recovery codes alone \
                 sign in: {names}; once you are sure who asks: havre admin reset-second-factor NAME"
            ),
        )?;
    }
    operator.hint(out, "a server that runs signs with the earlier keys until it is restarted")?;
    Ok(())
}
