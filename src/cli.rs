//! The command line: one file per command.

mod access;
mod admin;
mod audit;
mod check;
mod config;
mod factor;
mod invite;
mod mail;
mod namespace;
mod operator;
mod org;
mod robot;
mod role;
mod seed;
mod serve;
mod team;
mod tls;
mod token;
mod user;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A container image registry: stores, distributes and governs OCI and Docker images.
#[derive(Debug, Parser)]
#[command(name = "havre", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the registry
    Serve(serve::ServeArgs),
    /// Prove metadata and blobs against each other
    Check(check::CheckArgs),
    /// Show, check or document the configuration
    Config(config::ConfigArgs),
    /// Make and change users
    User(user::UserArgs),
    /// Make organisations
    Org(org::OrgArgs),
    /// Make teams and choose their members
    Team(team::TeamArgs),
    /// Make accounts of machines and rotate their secrets
    Robot(robot::RobotArgs),
    /// Make and revoke personal access tokens
    Token(token::TokenArgs),
    /// Give and take roles
    Role(role::RoleArgs),
    /// Choose who may see namespaces and repositories
    Namespace(namespace::NamespaceArgs),
    /// Get back in when the password is lost
    Admin(admin::AdminArgs),
    /// Prove, search and export what was written down
    Audit(audit::AuditArgs),
    /// Try whether mails leave
    Mail(mail::MailArgs),
    /// Make a certificate for machines that no public authority vouches for
    Tls(tls::TlsArgs),
    /// Fill a registry with images and people to look at
    Seed(seed::SeedArgs),
    /// Tell why somebody may, or may not, do something
    Access(access::AccessArgs),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let command = Cli::parse().command;
    // Not locked: the access log writes to it from its own thread.
    let mut out = std::io::stdout();
    let result = match command {
        Command::Serve(args) => serve::run(args),
        Command::Check(args) => check::run(args, &mut out),
        Command::Config(args) => config::run(args, &mut out),
        Command::User(args) => user::run(args, &mut out),
        Command::Org(args) => org::run(args, &mut out),
        Command::Team(args) => team::run(args, &mut out),
        Command::Robot(args) => robot::run(args, &mut out),
        Command::Token(args) => token::run(args, &mut out),
        Command::Role(args) => role::run(args, &mut out),
        Command::Namespace(args) => namespace::run(args, &mut out),
        Command::Admin(args) => admin::run(args, &mut out),
        Command::Audit(args) => audit::run(args, &mut out),
        Command::Mail(args) => mail::run(args, &mut out),
        Command::Tls(args) => tls::run(args, &mut out),
        Command::Seed(args) => seed::run(args, &mut out),
        Command::Access(args) => access::run(args, &mut out),
    };
    result.unwrap_or_else(|error| {
        // Nothing is left to be done when the error cannot be told.
        let _ = writeln!(std::io::stderr(), "error: {}", tell(&error));
        ExitCode::from(2)
    })
}

/// Tells an error and its causes, each once: many an error tells its cause in its own words already.
fn tell(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}
