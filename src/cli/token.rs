//! `havre token`: personal access tokens.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::operator::{Common, Operator, time, time_or_never};
use crate::auth::Permissions;
use crate::registry::accounts::tokens;

#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token and show its secret, once
    Create(CreateArgs),
    /// List a user's tokens
    List(ListArgs),
    /// Revoke a token; what was made from it proves nothing any more either
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Whose it is
    #[arg(long)]
    user: String,
    /// What it is called
    #[arg(long)]
    name: String,
    /// How far it reaches: read, write, delete, admin; several with commas between
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',', required = true)]
    scopes: Vec<String>,
    /// What it is about, such as acme, acme/app or acme/web-*; may be repeated [default: all the user reaches]
    #[arg(long = "on", value_name = "PATTERN")]
    limits: Vec<String>,
    /// How long it holds, such as 30d [default: until it is revoked]
    #[arg(long, value_name = "DURATION")]
    expires: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Whose they are
    #[arg(long)]
    user: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct RevokeArgs {
    /// Whose it is
    #[arg(long)]
    user: String,
    /// What it is called
    #[arg(long)]
    name: String,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: TokenArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Create(args) => create(args, out)?,
        Command::List(args) => list(args, out)?,
        Command::Revoke(args) => revoke(args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn create(args: CreateArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let expires_at = operator.expiry(args.expires.as_deref())?;
    let (user, name) = (args.user.clone(), args.name.clone());
    let add = tokens::Add { user: args.user, name: args.name, scopes: args.scopes, limits: args.limits, expires_at };
    let added = operator.run(tokens::add(&operator.registry, &operator.ctx, add))?;
    let (secret, login) = (added.secret.reveal(), operator.docker_login(&user));
    let value = json!({
        "user": user,
        "name": name,
        "id": added.id,
        "secret": secret,
        "expires_at": expires_at.map(time),
        "login": login,
    });
    let expires = time_or_never(expires_at);
    operator.say(out, &value, &format!("token: {name}\nsecret: {secret}\nexpires: {expires}\nlogin: {login}"))?;
    operator.hint(out, "keep the secret now, it is not shown again; it is the password of the login")?;
    Ok(())
}

fn list(args: ListArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    for (token, limits) in operator.run(tokens::list(&operator.registry, &operator.ctx, &args.user))? {
        let scopes: Vec<&str> = Permissions::from_bits(token.permissions).scopes().collect();
        let on: Vec<String> = limits.iter().map(ToString::to_string).collect();
        let holds = token.holds(operator.ctx.now);
        let value = json!({
            "user": args.user,
            "name": token.name,
            "id": token.public_id,
            "scopes": scopes,
            "on": on,
            "holds": holds,
            "created_at": time(token.created_at),
            "expires_at": token.expires_at.map(time),
            "last_used_at": token.last_used_at.map(time),
            "last_used_address": token.last_used_address,
        });
        let about = if on.is_empty() { "everything".to_owned() } else { on.join(" ") };
        let (scopes, used) = (scopes.join(","), time_or_never(token.last_used_at));
        let expires = if holds { time_or_never(token.expires_at) } else { "already".to_owned() };
        let text = format!("{}\t{scopes}\ton {about}\texpires {expires}\tused {used}", token.name);
        operator.say(out, &value, &text)?;
    }
    Ok(())
}

fn revoke(args: RevokeArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let (user, name) = (&args.user, &args.name);
    operator.run(tokens::revoke(&operator.registry, &operator.ctx, user, name))?;
    let value = json!({ "user": user, "name": name, "revoked": true });
    operator.say(out, &value, &format!("revoked the token {name} of {user}"))?;
    Ok(())
}
