//! `havre user invite` and what belongs to it: invitations, links for another password, and the export of a person's data.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::operator::{Common, Operator, PAGE, time};
use crate::mail::Language;
use crate::registry::accounts::{export, invitations, recovery};

#[derive(Debug, Args)]
pub(super) struct InviteArgs {
    /// E-mail address of whom to invite
    email: String,
    /// Name that the account shall have; the invited person chooses otherwise
    #[arg(long)]
    name: Option<String>,
    /// Organisation in which a role is given
    #[arg(long, requires = "role")]
    org: Option<String>,
    /// The role
    #[arg(long, requires = "org")]
    role: Option<String>,
    /// Language of the mail: `en` or `fr`
    #[arg(long, default_value = "en")]
    language: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    /// Id of the invitation, as `havre user invitations` shows it
    id: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct LinkArgs {
    /// Name of the user
    name: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Name of the user
    name: String,
    /// New file to write, which only you can read; standard output otherwise
    #[arg(long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn invite(args: InviteArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let invite = invitations::Invite {
        email: args.email.clone(),
        name: args.name,
        role: args.org.zip(args.role),
        language: Language::of(&args.language),
    };
    let made = operator.run(invitations::create(&operator.registry, &operator.ctx, invite))?;
    let (email, until) = (&args.email, time(made.expires_at));
    let value = json!({
        "invitation": made.id, "email": email, "link": made.link, "expires_at": until, "mailed": made.mailed,
    });
    operator.say(out, &value, &format!("invited {email} until {until}\nlink: {}", made.link))?;
    let hint = if made.mailed { "the link is also on its way by mail" } else { "hand the link over: no mail is sent" };
    operator.hint(out, hint)?;
    Ok(())
}

pub(super) fn list(args: ListArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let mut after = 0;
    loop {
        let page = operator.run(invitations::list(&operator.registry, &operator.ctx, None, after, PAGE))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for row in &page {
            let until = time(row.expires_at);
            let value = json!({
                "invitation": row.public_id, "email": row.email, "name": row.name, "organisation": row.organisation,
                "role": row.role, "created_at": time(row.created_at), "expires_at": until,
            });
            let to = row.organisation.as_deref().unwrap_or("-");
            operator.say(out, &value, &format!("{}\t{}\t{to}\tuntil {until}", row.public_id, row.email))?;
        }
    }
}

pub(super) fn revoke(args: RevokeArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    operator.run(invitations::revoke(&operator.registry, &operator.ctx, None, &args.id))?;
    let value = json!({ "invitation": args.id, "revoked": true });
    operator.say(out, &value, &format!("revoked the invitation {}", args.id))?;
    Ok(())
}

pub(super) fn reset_link(args: LinkArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let link = operator.run(recovery::link(&operator.registry, &operator.ctx, &args.name))?;
    operator.say(out, &json!({ "user": args.name, "link": link }), &link)?;
    operator.hint(out, &format!("whoever opens it within an hour chooses the password of {}", args.name))?;
    Ok(())
}

pub(super) fn export(args: ExportArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let operator = Operator::open(args.common)?;
    let mut export = operator.run(export::start(&operator.registry, &args.name))?;
    let mut file = match &args.output {
        Some(path) => {
            let options = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            Some(options.map_err(|error| anyhow::anyhow!("cannot make the file {}: {error}", path.display()))?)
        }
        None => None,
    };
    while let Some(lines) = operator.run(export.next(&operator.registry))? {
        let mut text = String::new();
        for line in lines {
            text.push_str(&line.to_string());
            text.push('\n');
        }
        match &mut file {
            Some(file) => file.write_all(text.as_bytes())?,
            None => out.write_all(text.as_bytes())?,
        }
    }
    Ok(())
}
