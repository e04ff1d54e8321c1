//! The mails in English.

use super::Letter;

/// The subject and the text.
pub(super) fn write(letter: &Letter, host: &str) -> (String, String) {
    let (subject, text) = match letter {
        Letter::Verify { name, link } => (
            format!("Confirm your account on {host}"),
            format!(
                "Somebody, probably you, wants to make the account {name} on {host} with this e-mail address.\n\n\
                 To make it, open this link within 24 hours:\n\n{link}\n\nIf it was not you, do nothing."
            ),
        ),
        Letter::Known { name } => (
            format!("You already have an account on {host}"),
            format!(
                "Somebody, probably you, wanted to make an account on {host} with this e-mail address. There is one \
                 already, named {name}.\n\nIf you lost its password, ask for a new one. If it was not you, do nothing."
            ),
        ),
        Letter::Invite { organisation, link } => {
            let to = organisation.as_ref().map_or_else(|| host.to_owned(), |name| format!("{name} on {host}"));
            (
                format!("You are invited to {to}"),
                format!("You are invited to {to}.\n\nTo accept, open this link within 7 days:\n\n{link}"),
            )
        }
        Letter::Reset { name, link } => (
            format!("Choose a new password on {host}"),
            format!(
                "Somebody, probably you, asked for a new password of the account {name} on {host}.\n\nTo choose one, open \
                 this link within an hour:\n\n{link}\n\nIf it was not you, do nothing: the password stays as it is."
            ),
        ),
        Letter::PasswordChanged { name } => (
            format!("Your password on {host} was changed"),
            format!(
                "The password of the account {name} on {host} was changed by a link that was sent to this address.\n\n\
                 If it was not you, tell the operator of the registry."
            ),
        ),
        Letter::VerifyEmail { name, link } => (
            format!("Confirm your e-mail address on {host}"),
            format!(
                "This address was given for the account {name} on {host}.\n\nTo confirm it, open this link within 24 \
                 hours:\n\n{link}\n\nIf it was not you, do nothing."
            ),
        ),
        Letter::EmailChanged { name } => (
            format!("Your e-mail address on {host} was changed"),
            format!(
                "The account {name} on {host} has another e-mail address now; mails no longer come here.\n\nIf it was not \
                 you, tell the operator of the registry."
            ),
        ),
        Letter::Test => (
            format!("A test mail of {host}"),
            format!("Mails of the registry {host} arrive at this address. There is nothing to do."),
        ),
    };
    (subject, format!("{text}\n\n-- \n{host}\n"))
}
