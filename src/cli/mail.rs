//! `havre mail`: whether mails leave.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::operator::{Common, Operator};
use crate::mail::{Envelope, Language, Letter, Mailer};

#[derive(Debug, Args)]
pub(super) struct MailArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send a test mail as `mail.transport` says, and tell what fails
    Test(TestArgs),
}

#[derive(Debug, Args)]
struct TestArgs {
    /// E-mail address to send it to
    address: String,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: MailArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Test(args) => test(args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn test(args: TestArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let config = operator.config();
    let mailer = Mailer::new(&config.mail, &config.data_dir)?;
    let Some(mailer) = mailer else { anyhow::bail!("mails are off; set mail.transport to `smtp` or `file`") };
    let envelope = Envelope {
        to: args.address.clone(),
        language: Language::default(),
        host: operator.registry.people.host.clone(),
        letter: Letter::Test,
    };
    operator.wait(async {
        mailer.reach().await?;
        Box::pin(mailer.send(&envelope)).await
    })?;
    operator.say(
        out,
        &json!({ "mail": args.address, "sent": true }),
        &format!("sent a test mail to {}", args.address),
    )?;
    Ok(())
}
