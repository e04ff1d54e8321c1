//! `havre user`: people who sign in.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::factor;
use super::invite;
use super::operator::{Common, Operator, PAGE, given_password, needed_password, time};
use crate::db::users::UserRow;
use crate::registry::accounts::users;

#[derive(Debug, Args)]
pub(super) struct UserArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a user, with a namespace of the same name
    Add(AddArgs),
    /// List the users
    List(ListArgs),
    /// Show a user
    Show(NameArgs),
    /// Change a password; what the earlier one proved proves nothing any more
    Password(PasswordArgs),
    /// Keep a user from signing in; what was proved before proves nothing meanwhile
    Deactivate(NameArgs),
    /// Let a user sign in again
    Activate(NameArgs),
    /// Make a user an administrator of the whole instance
    Admin(AdminArgs),
    /// Erase what is known of a person; the images stay
    Erase(EraseArgs),
    /// Invite somebody to make an account, or to a role in an organisation
    Invite(invite::InviteArgs),
    /// List the invitations that were not accepted yet
    Invitations(invite::ListArgs),
    /// Take an invitation back
    RevokeInvitation(invite::RevokeArgs),
    /// Make a link with which a user chooses another password
    ResetLink(invite::LinkArgs),
    /// Write everything that is held about a person, one JSON object a line
    Export(invite::ExportArgs),
    /// The second factor: one-time passwords of an app
    SecondFactor(factor::FactorArgs),
    /// List where a user is signed in with a browser
    Sessions(factor::NameArgs),
    /// Sign a user out of every browser
    EndSessions(factor::NameArgs),
}

#[derive(Debug, Args)]
struct AddArgs {
    /// Name of the user and of the user's namespace
    name: String,
    /// E-mail address
    #[arg(long)]
    email: Option<String>,
    /// What people call the user
    #[arg(long)]
    display_name: Option<String>,
    /// Let the user administer the whole instance
    #[arg(long)]
    admin: bool,
    /// Read the password from standard input; without one, the user signs in with tokens only
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct NameArgs {
    /// Name of the user
    name: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct PasswordArgs {
    /// Name of the user
    name: String,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct AdminArgs {
    /// Name of the user
    name: String,
    /// Make the user no administrator any more
    #[arg(long)]
    revoke: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct EraseArgs {
    /// Name of the user
    name: String,
    /// Erase it, without a way back
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: UserArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Add(args) => add(args, out)?,
        Command::List(args) => list(args, out)?,
        Command::Show(args) => show(args, out)?,
        Command::Password(args) => password(args, out)?,
        Command::Deactivate(args) => set_active(args, false, out)?,
        Command::Activate(args) => set_active(args, true, out)?,
        Command::Admin(args) => admin(args, out)?,
        Command::Erase(args) => erase(args, out)?,
        Command::Invite(args) => invite::invite(args, out)?,
        Command::Invitations(args) => invite::list(args, out)?,
        Command::RevokeInvitation(args) => invite::revoke(args, out)?,
        Command::ResetLink(args) => invite::reset_link(args, out)?,
        Command::Export(args) => invite::export(args, out)?,
        Command::SecondFactor(args) => factor::second_factor(args, out)?,
        Command::Sessions(args) => factor::sessions(args, out)?,
        Command::EndSessions(args) => factor::end_sessions(args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(args: AddArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let password = given_password(args.password_stdin)?;
    let operator = Operator::open(args.common)?;
    let (name, admin, with_password) = (args.name.clone(), args.admin, password.is_some());
    let add = users::Add { name: args.name, email: args.email, display_name: args.display_name, admin, password };
    operator.run(users::add(&operator.registry, &operator.ctx, add))?;
    let value = json!({ "user": name, "admin": admin, "password": with_password });
    operator.say(out, &value, &format!("made the user {name}, whose images are named {name}/..."))?;
    if with_password {
        operator.hint(out, &format!("sign in with `{}`", operator.docker_login(&name)))?;
    } else {
        let create = format!("havre token create --user {name} --name NAME --scope read,write");
        operator.hint(out, &format!("{name} has no password yet; make a token with `{create}`"))?;
    }
    Ok(())
}

fn list(args: ListArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let mut after = String::new();
    loop {
        let page = operator.run(users::list(&operator.registry, &after, PAGE))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.name.clone();
        for user in &page {
            let admin = if user.admin { "administrator" } else { "user" };
            let email = user.email.as_deref().unwrap_or("-");
            operator.say(out, &value(user), &format!("{}\t{admin}\t{}\t{email}", user.name, user.state))?;
        }
    }
}

fn show(args: NameArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let user = operator.run(users::find(&operator.registry, &args.name))?;
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let yes = |is: bool| if is { "yes" } else { "no" };
    let lines = [
        format!("name: {}", user.name),
        format!("id: {}", user.public_id),
        format!("display name: {}", or_none(&user.display_name)),
        format!("e-mail: {}", or_none(&user.email)),
        format!("administrator: {}", yes(user.admin)),
        format!("state: {}", user.state),
        format!("password: {}", yes(user.password_hash.is_some())),
        format!("second factor: {}", yes(user.second_factor)),
        format!("made: {}", time(user.created_at)),
    ];
    operator.say(out, &value(&user), &lines.join("\n"))?;
    Ok(())
}

/// What is told of a user: nothing of the password but whether there is one.
fn value(user: &UserRow) -> Value {
    json!({
        "user": user.name,
        "id": user.public_id,
        "display_name": user.display_name,
        "email": user.email,
        "admin": user.admin,
        "state": user.state,
        "password": user.password_hash.is_some(),
        "second_factor": user.second_factor,
        "created_at": time(user.created_at),
    })
}

fn password(args: PasswordArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let password = needed_password(args.password_stdin)?;
    let operator = Operator::open(args.common)?;
    operator.set_password(&args.name, password)?;
    let text = format!("changed the password of {}; sign in again where the earlier one was used", args.name);
    operator.say(out, &json!({ "user": args.name, "password": true }), &text)?;
    Ok(())
}

fn set_active(args: NameArgs, active: bool, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    operator.run(users::set_active(&operator.registry, &operator.ctx, &args.name, active))?;
    let state = if active { "active" } else { "deactivated" };
    operator.say(out, &json!({ "user": args.name, "state": state }), &format!("{} is {state}", args.name))?;
    Ok(())
}

fn admin(args: AdminArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let admin = !args.revoke;
    operator.run(users::set_admin(&operator.registry, &operator.ctx, &args.name, admin))?;
    let is = if admin { "is an administrator" } else { "is no administrator" };
    operator.say(out, &json!({ "user": args.name, "admin": admin }), &format!("{} {is}", args.name))?;
    Ok(())
}

fn erase(args: EraseArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let name = &args.name;
    anyhow::ensure!(
        args.yes,
        "this removes the name, e-mail address, password, tokens, roles and memberships of {name} without a way back, \
         and nobody gets the name {name} again; the images in {name}/ stay, for administrators only; \
         add --yes to do it, or use `havre user deactivate {name}`"
    );
    let operator = Operator::open(args.common)?;
    operator.run(users::erase(&operator.registry, &operator.ctx, name))?;
    let text = format!("erased {name}; the images in {name}/ stay, for administrators only");
    operator.say(out, &json!({ "user": name, "state": "erased" }), &text)?;
    Ok(())
}
