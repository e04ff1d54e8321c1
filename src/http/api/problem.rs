//! Refusals as problem documents (RFC 9457): what is so, and what to do.

use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::body::Body;
use crate::http::exchange::Exchange;
use crate::http::limits::TooMany;
use crate::registry::access::{Denial, Why};
use crate::registry::accounts::AccountError;
use crate::registry::{Error, Trouble};

/// A refusal (RFC 9457). `code` is for programs, `detail` for people.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// What is so and what to do.
    detail: String,
    /// What is so, in one word that does not change.
    code: &'static str,
    /// The id under which the registry's log knows the request.
    request_id: String,
}

/// Why a call was refused.
#[derive(Debug)]
pub(super) enum Refused {
    /// A rule refused or failed.
    Rule(Error),
    /// No path of the API.
    NoRoute,
    /// The path takes these methods.
    Method(String),
    /// What was sent cannot be read, or makes no sense.
    Invalid(String),
    /// The body is too long, or broke off.
    Body,
    /// The body is no JSON.
    MediaType,
    /// A credential that opens other doors.
    Credential,
    /// The present password is another one.
    Password,
    /// A cookie alone, which a browser also sends for another site.
    Csrf,
    /// One call too many.
    TooMany(TooMany),
    /// Our fault.
    Panicked,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Rule(error)
    }
}

impl From<AccountError> for Refused {
    fn from(error: AccountError) -> Self {
        Self::Rule(error.into())
    }
}

impl From<Denial> for Refused {
    fn from(denial: Denial) -> Self {
        Self::Rule(denial.into())
    }
}

impl Refused {
    pub fn invalid(why: String) -> Self {
        Self::Invalid(why)
    }

    pub fn pattern(text: &str) -> Self {
        AccountError::Pattern(text.to_owned()).into()
    }

    pub fn render(&self, exchange: &Exchange) -> Response<Body> {
        let (status, code, detail) = self.words(exchange);
        let problem = Problem {
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail,
            code,
            request_id: exchange.ctx.request_id.to_string(),
        };
        let body = serde_json::to_string(&problem).unwrap_or_default();
        let mut response = super::json(status, "application/problem+json", body);
        self.add_headers(&mut response);
        response
    }

    fn add_headers(&self, response: &mut Response<Body>) {
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        };
        match self {
            Self::Method(allowed) => set(header::ALLOW, allowed),
            Self::Credential => set(header::WWW_AUTHENTICATE, "Bearer realm=\"havre\", error=\"invalid_token\""),
            Self::Rule(Error::Denied(denial)) => match denial.why {
                Why::Throttled(wait) => set(header::RETRY_AFTER, &wait.as_secs().max(1).to_string()),
                Why::BeyondCredential => {
                    set(header::WWW_AUTHENTICATE, "Bearer realm=\"havre\", error=\"insufficient_scope\"");
                }
                Why::SignIn => set(header::WWW_AUTHENTICATE, "Bearer realm=\"havre\""),
                Why::WrongCredentials | Why::Malformed | Why::Expired | Why::Over => {
                    set(header::WWW_AUTHENTICATE, "Bearer realm=\"havre\", error=\"invalid_token\"");
                }
                _ => {}
            },
            Self::Rule(error) if error.trouble().is_some() => set(header::RETRY_AFTER, "5"),
            Self::TooMany(too_many) => too_many.mark(response),
            _ => {}
        }
    }

    fn words(&self, exchange: &Exchange) -> (StatusCode, &'static str, String) {
        let own = |status, code, detail: &str| (status, code, detail.to_owned());
        match self {
            Self::Rule(error) => rule(error, exchange),
            Self::NoRoute => own(
                StatusCode::NOT_FOUND,
                "no_such_path",
                "the API has no such path; /api/v1/openapi.json lists those there are",
            ),
            Self::Method(allowed) => {
                (StatusCode::METHOD_NOT_ALLOWED, "method", format!("the path takes {allowed} only"))
            }
            Self::Invalid(why) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", why.clone()),
            Self::Body => own(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body",
                "the body is longer than 64 KiB (1 MiB where a README is changed), or broke off; send it again",
            ),
            Self::MediaType => own(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                "the body is JSON; send it with Content-Type: application/json",
            ),
            Self::Credential => own(
                StatusCode::UNAUTHORIZED,
                "credential",
                "this credential does not open the API: send a personal token or a robot's secret as \
                 Authorization: Bearer havre_…, or sign in with POST /api/v1/session; passwords and tokens of /token are \
                 for clients that push and pull",
            ),
            Self::Csrf => own(
                StatusCode::FORBIDDEN,
                "csrf",
                "a request with a cookie also shows the session's csrf_token in the header X-Csrf-Token",
            ),
            Self::Password => own(
                StatusCode::FORBIDDEN,
                "password",
                "the present password is another one; who has forgotten it asks for a link, or an administrator",
            ),
            Self::TooMany(too_many) => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests", too_many.message.clone()),
            Self::Panicked => internal(exchange),
        }
    }
}

fn internal(exchange: &Exchange) -> (StatusCode, &'static str, String) {
    let id = &exchange.ctx.request_id;
    let detail = format!("the registry failed; give its operator the request id {id}");
    (StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
}

fn rule(error: &Error, exchange: &Exchange) -> (StatusCode, &'static str, String) {
    match error {
        Error::Denied(denial) => {
            let (status, code) = denied(denial);
            (status, code, denial_in_words(denial))
        }
        Error::Account(error) => {
            let (status, code) = account(error);
            if status == StatusCode::INTERNAL_SERVER_ERROR {
                tracing::error!(request_id = %exchange.ctx.request_id, %error, "a request failed");
                return internal(exchange);
            }
            (status, code, error.to_string())
        }
        Error::NameUnknown(name) => {
            (StatusCode::NOT_FOUND, "unknown", format!("the repository {name} does not exist, or you may not see it"))
        }
        Error::NameReserved(_) => (StatusCode::CONFLICT, "reserved", error.to_string()),
        _ => match error.trouble() {
            Some(trouble) => {
                tracing::error!(request_id = %exchange.ctx.request_id, %error, "a request failed");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    format!("{}; try again in a few seconds", plain(trouble)),
                )
            }
            None => {
                tracing::error!(request_id = %exchange.ctx.request_id, %error, "a request failed");
                internal(exchange)
            }
        },
    }
}

fn plain(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Full => "the registry's disk is full",
        Trouble::ReadOnly => "the registry's storage is read-only",
        Trouble::Busy => "the registry's database is busy",
        Trouble::Unavailable => "the registry cannot use its storage at the moment",
    }
}

fn denied(denial: &Denial) -> (StatusCode, &'static str) {
    match denial.why {
        Why::SignIn => (StatusCode::UNAUTHORIZED, "sign_in"),
        Why::WrongCredentials | Why::Malformed => (StatusCode::UNAUTHORIZED, "credential"),
        Why::Expired | Why::Over => (StatusCode::UNAUTHORIZED, "credential_over"),
        Why::TokenInstead => (StatusCode::UNAUTHORIZED, "credential"),
        Why::FactorMissing | Why::FactorWanted => (StatusCode::FORBIDDEN, "second_factor_missing"),
        Why::FactorPending => (StatusCode::FORBIDDEN, "second_factor"),
        Why::ProveAgain => (StatusCode::FORBIDDEN, "prove_again"),
        Why::BeyondCredential => (StatusCode::FORBIDDEN, "insufficient_scope"),
        Why::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
        Why::Open => (StatusCode::FORBIDDEN, "open"),
        Why::ReadOnly => (StatusCode::CONFLICT, "read_only"),
        Why::Hidden => (StatusCode::NOT_FOUND, "unknown"),
        Why::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
    }
}

fn denial_in_words(denial: &Denial) -> String {
    let needed: Vec<&str> = denial.needed.words().collect();
    let needed = needed.join(", ");
    match denial.why {
        Why::SignIn => "this takes a personal token or a robot's secret: send Authorization: Bearer havre_…".to_owned(),
        Why::WrongCredentials => {
            "these do not belong together: a name, password, code or token is misspelt, was revoked, or has expired"
                .to_owned()
        }
        Why::TokenInstead => "with a second factor, a password alone opens nothing; make a token".to_owned(),
        Why::FactorMissing => {
            "everybody here has to have a second factor, and you have none: sign in with POST /api/v1/session, then set \
             one up with POST /api/v1/users/{user}/second-factor"
                .to_owned()
        }
        Why::FactorWanted => "what you hold here counts with a second factor only, and you have none: sign in with POST \
                              /api/v1/session, then set one up with POST /api/v1/users/{user}/second-factor"
            .to_owned(),
        Why::FactorPending => {
            "show the code of your second factor first: PUT /api/v1/session with {\"code\": \"123456\"}".to_owned()
        }
        Why::ProveAgain => {
            "this takes a session in which you have just shown your password, and your second factor: POST or PUT \
             /api/v1/session, then try again within ten minutes; a token is not enough"
                .to_owned()
        }
        Why::Malformed => crate::auth::presented::Malformed.to_string(),
        Why::Expired => "the token has expired; make another one".to_owned(),
        Why::Over => "the token or session is no longer valid: it was ended, or its owner disabled".to_owned(),
        Why::BeyondCredential => {
            format!(
                "the token does not reach that far: this takes {needed}; make one with the scope admin, without limits"
            )
        }
        Why::Forbidden => format!("you may not do this here: it takes {needed}; ask an owner for a role that has it"),
        Why::Hidden => "there is no such thing, or you may not see it; check the name".to_owned(),
        Why::Open => {
            "this registry is open to anyone and has no accounts; start it without --open to manage them".to_owned()
        }
        Why::ReadOnly => "the registry takes no changes at the moment, which its administrators have set so; try again later"
            .to_owned(),
        Why::Throttled(wait) => format!("too many attempts; try again in {} s", wait.as_secs().max(1)),
    }
}

fn account(error: &AccountError) -> (StatusCode, &'static str) {
    match error {
        AccountError::Unknown { .. } => (StatusCode::NOT_FOUND, "unknown"),
        AccountError::Taken { .. } => (StatusCode::CONFLICT, "taken"),
        AccountError::Name { .. }
        | AccountError::Password(_)
        | AccountError::Word { .. }
        | AccountError::Pattern(_)
        | AccountError::Email(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        AccountError::LastAdministrator(_) | AccountError::InUse(_) | AccountError::FactorLost => {
            (StatusCode::CONFLICT, "conflict")
        }
        AccountError::NotOffered(_) => (StatusCode::FORBIDDEN, "not_offered"),
        AccountError::Link => (StatusCode::GONE, "link"),
        AccountError::Code => (StatusCode::UNPROCESSABLE_ENTITY, "code"),
        AccountError::Beyond(_) => (StatusCode::FORBIDDEN, "beyond_own_rights"),
        AccountError::Hash(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    }
}
