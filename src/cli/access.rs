//! `havre access`: why somebody may, or may not, do something.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use oci::RepositoryName;
use serde_json::{Value, json};

use super::namespace::repository;
use super::operator::{Common, Operator};
use crate::auth::Permissions;
use crate::auth::policy::{Decision, Ground};
use crate::registry::access::explain::{Explanation, explain};

#[derive(Debug, Args)]
pub(super) struct AccessArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell whether somebody may do something in a repository, and why; exits with 0 for yes and 1 for no
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// A user, a robot such as acme+ci, or - for somebody who is not signed in
    user: String,
    /// pull, push, or a permission, such as delete-tag
    action: String,
    /// Name of the repository, such as acme/app; it need not exist
    repository: String,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: AccessArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Explain(args) => tell(args, out),
    }
}

fn tell(args: ExplainArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    let (needed, repository) = (needed(&args.action)?, repository(&args.repository)?);
    let name = (args.user != "-").then_some(&*args.user);
    let operator = Operator::open(args.common)?;
    let explanation = operator.run(explain(&operator.registry, &operator.ctx, name, needed, &repository))?;
    let allowed = explanation.decision == Decision::Allow && !explanation.shut_out;
    let value = json!({
        "user": name,
        "action": args.action,
        "repository": repository.as_str(),
        "allowed": allowed,
        "decision": word(explanation.decision),
        "allowing": explanation.allowing.iter().map(ground_value).collect::<Vec<_>>(),
        "other": explanation.other.iter().map(ground_value).collect::<Vec<_>>(),
        "waiting": explanation.waiting.iter().map(ground_value).collect::<Vec<_>>(),
        "shut_out": explanation.shut_out,
    });
    operator.say(out, &value, &text(&explanation, name, &repository))?;
    if !allowed && name.is_some() {
        operator.hint(out, &format!("`havre role bindings {}` lists who holds which role", namespace(&repository)))?;
    }
    Ok(ExitCode::from(u8::from(!allowed)))
}

/// Reads what is to be done: a word of clients, or that of a permission.
fn needed(action: &str) -> anyhow::Result<Permissions> {
    let found = match action {
        "pull" => Some(Permissions::READ),
        "push" => Some(Permissions::WRITE),
        word => Permissions::parse(word),
    };
    found.with_context(|| {
        let known: Vec<&str> = Permissions::ALL.words().collect();
        format!("{action:?} is no action; there are: pull, push, {}", known.join(", "))
    })
}

fn namespace(repository: &RepositoryName) -> &str {
    repository.as_str().split_once('/').map_or(repository.as_str(), |(namespace, _)| namespace)
}

/// Tells the decision in one line, and below it the grounds that count.
fn text(explanation: &Explanation, name: Option<&str>, repository: &RepositoryName) -> String {
    let who = name.unwrap_or("somebody who is not signed in");
    let mut lines = vec![match explanation.decision {
        _ if explanation.shut_out => format!("no: everybody has to have a second factor, and {who} has none"),
        Decision::Allow => "yes".to_owned(),
        Decision::SignIn => format!("no: {repository} does not allow it to everybody; sign in first"),
        Decision::BeyondCredential => "no: the credential does not reach that far".to_owned(),
        Decision::Forbidden => format!("no: {who} may read {repository}, but nothing allows this"),
        Decision::Hidden => format!("no: nothing lets {who} read {repository}; it is hidden, as if it did not exist"),
    }];
    let because = if explanation.shut_out { "it would be allowed" } else { "because" };
    lines.extend(explanation.allowing.iter().map(|ground| format!("  {because} {}", ground_text(ground))));
    let waits = |ground| {
        format!("  waits for the second factor that {} asks for: {}", namespace(repository), ground_text(ground))
    };
    lines.extend(explanation.waiting.iter().map(waits));
    if explanation.decision != Decision::Allow {
        lines.extend(explanation.other.iter().map(|ground| format!("  not enough: {}", ground_text(ground))));
    }
    lines.join("\n")
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::SignIn => "sign-in",
        Decision::BeyondCredential => "beyond-credential",
        Decision::Forbidden => "forbidden",
        Decision::Hidden => "hidden",
    }
}

fn ground_text(ground: &Ground) -> String {
    match ground {
        Ground::Administrator => "the user administers the instance".to_owned(),
        Ground::OwnNamespace => "the namespace is the user's own".to_owned(),
        Ground::Binding(held) => {
            let words: Vec<&str> = held.permissions.words().collect();
            let through = held.team.as_ref().map(|team| format!(" through the team {team}")).unwrap_or_default();
            format!("the role {} on {}{through} allows {}", held.role, held.on, words.join(", "))
        }
        Ground::Public => "the repository is public: anyone may read".to_owned(),
        Ground::Internal => "the repository is internal: any signed-in user may read".to_owned(),
    }
}

fn ground_value(ground: &Ground) -> Value {
    let permissions: Vec<&str> = ground.permissions().words().collect();
    match ground {
        Ground::Administrator => json!({ "ground": "administrator", "permissions": permissions }),
        Ground::OwnNamespace => json!({ "ground": "own-namespace", "permissions": permissions }),
        Ground::Binding(held) => json!({
            "ground": "role",
            "role": held.role,
            "on": held.on.to_string(),
            "team": held.team,
            "permissions": permissions,
        }),
        Ground::Public => json!({ "ground": "public", "permissions": permissions }),
        Ground::Internal => json!({ "ground": "internal", "permissions": permissions }),
    }
}

#[cfg(test)]
mod tests {
    use super::needed;
    use crate::auth::Permissions;

    #[test]
    fn an_action_is_a_word_of_clients_or_a_permission() {
        assert_eq!(needed("pull").unwrap(), Permissions::READ);
        assert_eq!(needed("push").unwrap(), Permissions::WRITE);
        for (one, word) in Permissions::NAMED {
            assert_eq!(needed(word).unwrap(), *one);
        }
        assert!(needed("fly").is_err());
    }
}
