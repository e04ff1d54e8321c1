//! Why a page was not shown, or a form not done: said in the reader's language, with a way out.

use askama::Template;
use http::{StatusCode, header};

use super::answer::Answer;
use super::route::NotFound;
use super::view::View;
use crate::auth::Permissions;
use crate::http::limits::TooMany;
use crate::registry::access::{Denial, Why};
use crate::registry::accounts::AccountError;
use crate::registry::{Error, Trouble};

/// Why a request came to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// A rule refused or failed.
    Rule(Error),
    /// There is no such page, or the reader may not know of it.
    NotFound,
    /// The page is not taken this way.
    Method(&'static str),
    /// The form cannot be read, or is too long.
    Form,
    /// The form was not sent from a page of ours, or from one that is too old.
    Forged,
    /// One request too many.
    TooMany(TooMany),
    /// Our fault.
    Panicked,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Rule(error)
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        Self::Rule(error.into())
    }
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        Self::Rule(denial.into())
    }
}

impl From<NotFound> for Failure {
    fn from(why: NotFound) -> Self {
        match why {
            NotFound::Path => Self::NotFound,
            NotFound::Method { allow } => Self::Method(allow),
        }
    }
}

/// The page that says what is so.
#[derive(Template)]
#[template(path = "system/error.html")]
struct ErrorPage<'a> {
    v: &'a View,
    status: u16,
    title: String,
    text: String,
    /// Where who is not signed in may sign in, and then come back.
    sign_in: Option<String>,
    request_id: &'a str,
}

impl Failure {
    /// Why nobody came through, where that is it.
    fn why(&self) -> Option<Why> {
        match self {
            Self::Rule(Error::Denied(denial)) => Some(denial.why),
            _ => None,
        }
    }

    /// The answer.
    pub fn answer(&self, v: &View, request_id: &str) -> Answer {
        let back = oci::encode_component(&v.path);
        match self.why() {
            Some(Why::FactorPending) => return Answer::redirect(format!("/-/sign-in/code?next={back}")),
            Some(Why::ProveAgain) => return Answer::redirect(format!("/-/sign-in/again?next={back}")),
            Some(Why::FactorMissing) if v.user.is_some() || !v.csrf.is_empty() => {
                return Answer::redirect("/-/account/second-factor");
            }
            _ => {}
        }
        let (status, key) = self.kind();
        if status == StatusCode::INTERNAL_SERVER_ERROR || status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::error!(request_id, error = ?self, "a page failed");
        }
        let asks = v.user.is_none() && matches!(status, StatusCode::NOT_FOUND | StatusCode::UNAUTHORIZED) && !v.open;
        let page = ErrorPage {
            v,
            status: status.as_u16(),
            title: v.t(&format!("error-{key}")),
            text: self.text(v).unwrap_or_else(|| v.t(&format!("error-{key}-text"))),
            sign_in: asks.then(|| format!("/-/sign-in?next={back}")),
            request_id,
        };
        let answer = Answer::page(status, &page);
        match self {
            Self::Method(allow) => answer.with_header(header::ALLOW, allow),
            Self::TooMany(too_many) => answer.with_header(header::RETRY_AFTER, &too_many.wait().to_string()),
            _ => answer,
        }
    }

    /// The status, and the key of what is said.
    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "method"),
            Self::Form => (StatusCode::BAD_REQUEST, "form"),
            Self::Forged => (StatusCode::FORBIDDEN, "forged"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too-many"),
            Self::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Self::Rule(error) => rule(error),
        }
    }

    /// What is said beside a form that is shown again; nothing where it is no matter of what was filled in.
    pub fn text(&self, v: &View) -> Option<String> {
        match self {
            Self::Rule(Error::Account(error)) => Some(account(v, error)),
            Self::Rule(Error::Denied(denial)) => denied(v, denial),
            _ => None,
        }
    }
}

fn rule(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::Denied(denial) => match denial.why {
            // Whoever is not signed in cannot be told what is hidden from what is not there: the page says both.
            Why::SignIn if denial.needed == Permissions::READ => (StatusCode::NOT_FOUND, "not-found"),
            Why::SignIn | Why::Over | Why::Expired | Why::Malformed => (StatusCode::UNAUTHORIZED, "sign-in"),
            Why::WrongCredentials | Why::TokenInstead => (StatusCode::UNAUTHORIZED, "credentials"),
            Why::Hidden => (StatusCode::NOT_FOUND, "not-found"),
            Why::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, "too-many"),
            Why::Open => (StatusCode::FORBIDDEN, "open"),
            Why::ReadOnly => (StatusCode::CONFLICT, "read-only"),
            Why::BeyondCredential
            | Why::Forbidden
            | Why::FactorMissing
            | Why::FactorWanted
            | Why::FactorPending
            | Why::ProveAgain => (StatusCode::FORBIDDEN, "forbidden"),
        },
        Error::Account(AccountError::Unknown { .. }) => (StatusCode::NOT_FOUND, "not-found"),
        Error::Account(AccountError::Hash(_)) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        Error::Account(AccountError::Link) => (StatusCode::GONE, "link"),
        Error::Account(_) => (StatusCode::UNPROCESSABLE_ENTITY, "refused"),
        Error::NameUnknown(_) | Error::ManifestUnknown { .. } | Error::BlobUnknown { .. } => {
            (StatusCode::NOT_FOUND, "not-found")
        }
        Error::NameReserved(_) | Error::Referenced { .. } => (StatusCode::CONFLICT, "refused"),
        _ => match error.trouble() {
            Some(Trouble::Full | Trouble::ReadOnly | Trouble::Busy | Trouble::Unavailable) => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            }
            None => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        },
    }
}

fn denied(v: &View, denial: &Denial) -> Option<String> {
    match denial.why {
        Why::WrongCredentials => Some(v.t("refused-credentials")),
        Why::Throttled(wait) => Some(v.tn("refused-throttled", wait.as_secs().max(1) as i64)),
        Why::FactorWanted => Some(v.t("refused-factor-wanted")),
        Why::Forbidden => {
            let needed: Vec<&str> = denial.needed.words().collect();
            Some(v.ta("refused-forbidden", "needed", &needed.join(", ")))
        }
        _ => None,
    }
}

fn account(v: &View, error: &AccountError) -> String {
    match error {
        AccountError::Unknown { name, .. } => v.ta("refused-unknown", "name", name),
        AccountError::Taken { name, .. } => v.ta("refused-taken", "name", name),
        AccountError::Name { name, .. } => v.ta("refused-name", "name", name),
        AccountError::Password(_) => v.t("refused-password"),
        AccountError::Word { word, .. } => v.ta("refused-word", "word", word),
        AccountError::Pattern(pattern) => v.ta("refused-pattern", "pattern", pattern),
        AccountError::Email(email) => v.ta("refused-email", "email", email),
        AccountError::NotOffered(_) => v.t("refused-not-offered"),
        AccountError::Link => v.t("error-link-text"),
        AccountError::LastAdministrator(name) => v.ta("refused-last-administrator", "name", name),
        AccountError::InUse(_) => v.t("refused-in-use"),
        AccountError::Code => v.t("refused-code"),
        AccountError::FactorLost => v.t("refused-factor-lost"),
        AccountError::Beyond(what) => v.ta("refused-beyond", "what", what),
        AccountError::Hash(_) => v.t("error-internal-text"),
    }
}
