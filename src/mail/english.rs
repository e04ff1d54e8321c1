//! The mails in English.

use super::{FactorNews, Letter};

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
        Letter::SecondFactor { name, news } => second_factor(name, *news, host),
        Letter::Test => (
            format!("A test mail of {host}"),
            format!("Mails of the registry {host} arrive at this address. There is nothing to do."),
        ),
    };
    (subject, format!("{text}\n\n-- \n{host}\n"))
}

fn second_factor(name: &str, news: FactorNews, host: &str) -> (String, String) {
    let (subject, text) = match news {
        FactorNews::On => (
            format!("Your account on {host} has a second factor"),
            format!(
                "A second factor was turned on for the account {name} on {host}. Signing in takes a code of the app beside \
                 the password from now on; other sign-ins have ended, and tokens go on."
            ),
        ),
        FactorNews::Off => (
            format!("The second factor of your account on {host} was turned off"),
            format!(
                "The second factor of the account {name} on {host} was turned off. The password alone signs in again."
            ),
        ),
        FactorNews::Reset => (
            format!("The second factor of your account on {host} was taken off"),
            format!(
                "An administrator of {host} took the second factor off from the account {name}. The password alone signs in \
                 again, and every sign-in of a browser has ended."
            ),
        ),
        FactorNews::RecoveryCode => (
            format!("A recovery code of your account on {host} was used"),
            format!(
                "Somebody, probably you, signed in to the account {name} on {host} with a recovery code. It does not open \
                 the account again."
            ),
        ),
        FactorNews::WrongCodes => (
            format!("Wrong codes for your account on {host}"),
            format!(
                "Ten codes of the second factor of the account {name} on {host} were wrong. Whoever gave them knows the \
                 password.\n\nIf it was not you, choose another password now. The account has not been opened by them."
            ),
        ),
    };
    if news == FactorNews::WrongCodes {
        return (subject, text);
    }
    (subject, format!("{text}\n\nIf it was not you, tell the operator of the registry."))
}
