//! Which credential opens which surface: one rule, asked before the credential is looked up.
//!
//! What opens a surface is decided about there as ever; what does not is refused whatever its principal may do. So a
//! cookie that was stolen pushes nothing, and a token of `/token`, which others may log, changes no account.

use super::SecretKind;

/// What kind of credential a request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// None.
    Nothing,
    /// A password.
    Password,
    /// What begins as a secret of ours does.
    Secret(SecretKind),
    /// A token of `/token`.
    Jwt,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The registry API, `/v2`.
    Registry,
    /// `/token`.
    Token,
    /// The management API, `/api`.
    Api,
    /// The pages of a browser.
    Pages,
}

/// How a credential is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Not at all.
    Not,
    /// `Authorization: Basic`.
    Basic,
    /// `Authorization: Bearer`.
    Bearer,
    /// In a form.
    Form,
    /// In a cookie, which a browser also sends where another site asks it to.
    Cookie,
    /// In a cookie, and the request proves that a page of ours made it.
    CookieWithCsrf,
}

/// Whether a credential of this kind, shown so, is looked at on this surface.
///
/// Nothing at all opens everything: what nobody may do is decided behind it. A password opens no `/api` and no page: it
/// signs in, and what it then gets is a session.
#[must_use]
pub fn opens(kind: Kind, surface: Surface, shown: Shown) -> bool {
    match (kind, surface) {
        (Kind::Nothing, Surface::Registry | Surface::Token | Surface::Api | Surface::Pages) => shown == Shown::Not,
        (Kind::Password | Kind::Secret(SecretKind::Personal | SecretKind::Robot), Surface::Token) => {
            matches!(shown, Shown::Basic | Shown::Form)
        }
        (Kind::Password | Kind::Secret(SecretKind::Personal | SecretKind::Robot), Surface::Registry) => {
            shown == Shown::Basic
        }
        (Kind::Secret(SecretKind::Personal | SecretKind::Robot), Surface::Api) => shown == Shown::Bearer,
        (Kind::Secret(SecretKind::Refresh), Surface::Token) => shown == Shown::Form,
        (Kind::Jwt, Surface::Registry) => shown == Shown::Bearer,
        (Kind::Secret(SecretKind::Session), Surface::Pages) => matches!(shown, Shown::Cookie | Shown::CookieWithCsrf),
        (Kind::Secret(SecretKind::Session), Surface::Api) => shown == Shown::CookieWithCsrf,
        // A link in a mail opens what it was sent for, and signs nobody in.
        (Kind::Secret(SecretKind::Link), Surface::Registry | Surface::Token | Surface::Api | Surface::Pages)
        | (Kind::Password, Surface::Api | Surface::Pages)
        | (Kind::Secret(SecretKind::Personal | SecretKind::Robot), Surface::Pages)
        | (Kind::Secret(SecretKind::Refresh), Surface::Registry | Surface::Api | Surface::Pages)
        | (Kind::Secret(SecretKind::Session), Surface::Registry | Surface::Token)
        | (Kind::Jwt, Surface::Token | Surface::Api | Surface::Pages) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Shown, Surface, opens};
    use crate::auth::SecretKind;

    /// A row: the credential, and how it may be shown at `/v2`, `/token`, `/api` and on pages.
    type Row = (Kind, [&'static [Shown]; 4]);

    const TABLE: [Row; 8] = [
        (Kind::Nothing, [&[Shown::Not]; 4]),
        (Kind::Password, [&[Shown::Basic], &[Shown::Basic, Shown::Form], &[], &[]]),
        (Kind::Secret(SecretKind::Personal), [&[Shown::Basic], &[Shown::Basic, Shown::Form], &[Shown::Bearer], &[]]),
        (Kind::Secret(SecretKind::Robot), [&[Shown::Basic], &[Shown::Basic, Shown::Form], &[Shown::Bearer], &[]]),
        (Kind::Secret(SecretKind::Refresh), [&[], &[Shown::Form], &[], &[]]),
        (Kind::Secret(SecretKind::Link), [&[]; 4]),
        (Kind::Jwt, [&[Shown::Bearer], &[], &[], &[]]),
        (
            Kind::Secret(SecretKind::Session),
            [&[], &[], &[Shown::CookieWithCsrf], &[Shown::Cookie, Shown::CookieWithCsrf]],
        ),
    ];

    #[test]
    fn each_credential_opens_what_the_table_says_and_nothing_else() {
        let surfaces = [Surface::Registry, Surface::Token, Surface::Api, Surface::Pages];
        let ways = [Shown::Not, Shown::Basic, Shown::Bearer, Shown::Form, Shown::Cookie, Shown::CookieWithCsrf];
        for (kind, row) in TABLE {
            for (surface, allowed) in surfaces.into_iter().zip(row) {
                for shown in ways {
                    assert_eq!(opens(kind, surface, shown), allowed.contains(&shown), "{kind:?} {surface:?} {shown:?}");
                }
            }
        }
    }
}
