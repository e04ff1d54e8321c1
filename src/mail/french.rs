//! The mails in French.

use super::{FactorNews, Letter};

/// The subject and the text.
pub(super) fn write(letter: &Letter, host: &str) -> (String, String) {
    let (subject, text) = match letter {
        Letter::Verify { name, link } => (
            format!("Confirmez votre compte sur {host}"),
            format!(
                "Quelqu’un, sans doute vous, veut créer le compte {name} sur {host} avec cette adresse.\n\nPour le créer, \
                 ouvrez ce lien dans les 24 heures :\n\n{link}\n\nSi ce n’était pas vous, ne faites rien."
            ),
        ),
        Letter::Known { name } => (
            format!("Vous avez déjà un compte sur {host}"),
            format!(
                "Quelqu’un, sans doute vous, a voulu créer un compte sur {host} avec cette adresse. Il y en a déjà un, \
                 nommé {name}.\n\nSi vous en avez perdu le mot de passe, demandez-en un nouveau. Si ce n’était pas vous, ne \
                 faites rien."
            ),
        ),
        Letter::Invite { organisation, link } => {
            let to = organisation.as_ref().map_or_else(|| host.to_owned(), |name| format!("{name}, sur {host}"));
            (
                format!("Invitation à rejoindre {to}"),
                format!(
                    "Vous êtes invité à rejoindre {to}.\n\nPour accepter, ouvrez ce lien dans les 7 jours :\n\n{link}"
                ),
            )
        }
        Letter::Reset { name, link } => (
            format!("Choisissez un nouveau mot de passe sur {host}"),
            format!(
                "Quelqu’un, sans doute vous, a demandé un nouveau mot de passe pour le compte {name} sur {host}.\n\nPour en \
                 choisir un, ouvrez ce lien dans l’heure :\n\n{link}\n\nSi ce n’était pas vous, ne faites rien : le mot de \
                 passe reste le même."
            ),
        ),
        Letter::PasswordChanged { name } => (
            format!("Votre mot de passe sur {host} a été changé"),
            format!(
                "Le mot de passe du compte {name} sur {host} a été changé par un lien envoyé à cette adresse.\n\nSi ce \
                 n’était pas vous, prévenez l’opérateur du registre."
            ),
        ),
        Letter::VerifyEmail { name, link } => (
            format!("Confirmez votre adresse sur {host}"),
            format!(
                "Cette adresse a été donnée pour le compte {name} sur {host}.\n\nPour la confirmer, ouvrez ce lien dans les \
                 24 heures :\n\n{link}\n\nSi ce n’était pas vous, ne faites rien."
            ),
        ),
        Letter::EmailChanged { name } => (
            format!("Votre adresse sur {host} a été changée"),
            format!(
                "Le compte {name} sur {host} a maintenant une autre adresse ; ses messages n’arrivent plus ici.\n\nSi ce \
                 n’était pas vous, prévenez l’opérateur du registre."
            ),
        ),
        Letter::SecondFactor { name, news } => second_factor(name, *news, host),
        Letter::Test => (
            format!("Message d’essai de {host}"),
            format!("Les messages du registre {host} arrivent à cette adresse. Il n’y a rien à faire."),
        ),
    };
    (subject, format!("{text}\n\n-- \n{host}\n"))
}

fn second_factor(name: &str, news: FactorNews, host: &str) -> (String, String) {
    let (subject, text) = match news {
        FactorNews::On => (
            format!("Votre compte sur {host} a un second facteur"),
            format!(
                "Un second facteur a été activé pour le compte {name} sur {host}. Pour se connecter, il faut désormais un \
                 code de l’application en plus du mot de passe ; les autres connexions ont pris fin, les jetons restent \
                 valables."
            ),
        ),
        FactorNews::Off => (
            format!("Le second facteur de votre compte sur {host} a été désactivé"),
            format!(
                "Le second facteur du compte {name} sur {host} a été désactivé. Le mot de passe suffit de nouveau pour se \
                 connecter."
            ),
        ),
        FactorNews::Reset => (
            format!("Le second facteur de votre compte sur {host} a été retiré"),
            format!(
                "Un administrateur de {host} a retiré le second facteur du compte {name}. Le mot de passe suffit de nouveau \
                 pour se connecter, et toutes les connexions de navigateurs ont pris fin."
            ),
        ),
        FactorNews::RecoveryCode => (
            format!("Un code de secours de votre compte sur {host} a été utilisé"),
            format!(
                "Quelqu’un, sans doute vous, s’est connecté au compte {name} sur {host} avec un code de secours. Ce code ne \
                 peut plus servir."
            ),
        ),
        FactorNews::WrongCodes => (
            format!("Des codes erronés pour votre compte sur {host}"),
            format!(
                "Dix codes du second facteur du compte {name} sur {host} étaient erronés. Qui les a donnés connaît le mot de \
                 passe.\n\nSi ce n’était pas vous, choisissez tout de suite un autre mot de passe. Ils n’ont pas ouvert le \
                 compte."
            ),
        ),
    };
    if news == FactorNews::WrongCodes {
        return (subject, text);
    }
    (subject, format!("{text}\n\nSi ce n’était pas vous, prévenez l’opérateur du registre."))
}
