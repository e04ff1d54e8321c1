//! Refusals that teach: what a beginner reads who is not signed in, or may not.

use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use oci::{ErrorCode, RepositoryName};
use serde_json::json;

use super::answer;
use super::error::Failure;
use crate::auth::bearer::SERVICE;
use crate::auth::{Permissions, scope};
use crate::http::body::Body;
use crate::registry::access::{Denial, Why};

/// The refusal as a document. `host` is what the client calls this server.
pub(super) fn failure(denial: &Denial, host: &str) -> Failure {
    let (status, code) = status(denial);
    let failure = Failure::new(status, code, message(denial, host));
    match &denial.repository {
        Some(name) => {
            let actions: Vec<&str> = scope::actions(denial.needed).collect();
            failure.with(json!({ "name": name, "actions": actions }))
        }
        None => failure,
    }
}

fn status(denial: &Denial) -> (StatusCode, ErrorCode) {
    match denial.why {
        Why::SignIn
        | Why::WrongCredentials
        | Why::Malformed
        | Why::Expired
        | Why::Over
        | Why::BeyondCredential
        | Why::TokenInstead
        | Why::FactorMissing
        | Why::FactorPending
        | Why::ProveAgain => (StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized),
        Why::Forbidden | Why::FactorWanted | Why::Open => (StatusCode::FORBIDDEN, ErrorCode::Denied),
        Why::ReadOnly => (StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported),
        Why::Hidden => (StatusCode::NOT_FOUND, ErrorCode::NameUnknown),
        Why::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests),
    }
}

/// What is so and what to type next, in one line: Docker prints nothing else.
pub(in crate::http) fn message(denial: &Denial, host: &str) -> String {
    let name = denial.repository.as_ref().map(RepositoryName::as_str);
    match (denial.why, name) {
        (Why::SignIn, Some(name)) if !denial.needed.contains(Permissions::READ) => {
            format!("changing {name} takes a login; type: docker login {host}")
        }
        (Why::SignIn, Some(name)) => {
            format!("{name} is private or does not exist, and you are not logged in; type: docker login {host}")
        }
        (Why::SignIn, None) => format!("you are not logged in; type: docker login {host}"),
        (Why::WrongCredentials, _) => format!(
            "the user name, password or token is wrong; try again with: docker login {host} (a token goes with its \
             owner's name, a robot's secret with the robot's)"
        ),
        (Why::Malformed, _) => crate::auth::presented::Malformed.to_string(),
        (Why::Expired, _) => format!("the token has expired; fetch another one, or type: docker login {host}"),
        (Why::Over, _) => {
            format!("the credential is no longer valid: it was revoked, disabled or changed; type: docker login {host}")
        }
        (Why::BeyondCredential, _) => format!(
            "the token does not reach that far: it lacks {}; make one that does, then type: docker login {host}",
            words(denial.needed)
        ),
        (Why::Forbidden, name) => {
            let what = if denial.needed.contains(Permissions::WRITE) { "push to" } else { "do this in" };
            format!(
                "your role lets you pull from {} and not {what} it; {}",
                name.unwrap_or("it"),
                elsewhere(denial, host)
            )
        }
        (Why::Hidden, name) if denial.needed.contains(Permissions::WRITE) => {
            format!("you may not push to {}; {}", name.unwrap_or("it"), elsewhere(denial, host))
        }
        (Why::Hidden, name) => format!(
            "{} does not exist, or you may not see it; check the name, or ask its owner for a role",
            name.unwrap_or("the repository")
        ),
        (Why::TokenInstead, _) => {
            let who = denial.name.as_deref().unwrap_or("NAME");
            format!(
                "the password is right, but {who} has a second factor, so that a token takes its place here; make one \
                 with: havre token create --user {who} --name laptop --scope read,write (or PUT \
                 /api/v1/users/{who}/tokens/laptop), then type: docker login {host} --username {who}, and give the token \
                 as the password"
            )
        }
        (Why::FactorMissing, _) => {
            let who = denial.name.as_deref().unwrap_or("your account");
            format!(
                "everybody here has to have a second factor, and {who} has none; sign in at /api/v1/session, set one up, \
                 then make a token and type: docker login {host}"
            )
        }
        (Why::FactorWanted, name) => {
            let who = denial.name.as_deref().unwrap_or("your account");
            format!(
                "{} lets you in with a second factor only, and {who} has none; sign in at /api/v1/session and set one up, \
                 then try again",
                name.unwrap_or("it")
            )
        }
        (Why::FactorPending | Why::ProveAgain, _) => {
            format!("this takes a browser's session in which the second factor was shown; type: docker login {host}")
        }
        (Why::Open, _) => {
            "this registry is open to anyone and has no accounts; its operator starts it without --open to \
                           manage them"
                .to_owned()
        }
        (Why::ReadOnly, _) => {
            "the registry takes no changes at the moment, which its administrators have set so; pulls go \
                               on; try again later"
                .to_owned()
        }
        (Why::Throttled(wait), _) => {
            format!("too many attempts; try again in {} s, or sign in with a token", wait.as_secs().max(1))
        }
    }
}

fn words(needed: Permissions) -> String {
    scope::actions(needed).collect::<Vec<_>>().join(", ")
}

/// Where the caller may push instead, as lines to type.
fn elsewhere(denial: &Denial, host: &str) -> String {
    let (Some(name), Some(who)) = (&denial.repository, &denial.name) else {
        return "ask its owner for a role".to_owned();
    };
    // A robot has no namespace of its own.
    if !denial.needed.contains(Permissions::WRITE) || who.contains('+') {
        return "ask its owner for a role".to_owned();
    }
    let own = name.components().next_back().unwrap_or_default();
    let alias = match name.as_str().contains('/') {
        true => String::new(),
        false => format!("{name} stands for library/{name}, where only its members push; "),
    };
    format!(
        "{alias}push into your own namespace: docker tag {host}/{name}:TAG {host}/{who}/{own}:TAG && \
         docker push {host}/{who}/{own}:TAG"
    )
}

/// Adds the challenge that tells a client where to fetch which token, or how long to wait.
pub(super) fn with_headers(mut response: Response<Body>, denial: &Denial, scheme: &str, host: &str) -> Response<Body> {
    if let Why::Throttled(wait) = denial.why {
        answer::set_number(&mut response, header::RETRY_AFTER, wait.as_secs().max(1));
    }
    if response.status() == StatusCode::UNAUTHORIZED
        && let Ok(value) = HeaderValue::from_str(&challenge(denial, scheme, host))
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// The challenge (Docker token protocol; RFC 6750, 3).
fn challenge(denial: &Denial, scheme: &str, host: &str) -> String {
    let mut text = format!("Bearer realm=\"{scheme}://{host}/token\",service=\"{SERVICE}\"");
    let actions = words(denial.needed).replace(", ", ",");
    match &denial.repository {
        // Who may push may look first what is there already.
        Some(name) if denial.needed.contains(Permissions::WRITE) => {
            text.push_str(&format!(",scope=\"repository:{name}:pull,{actions}\""));
        }
        Some(name) => text.push_str(&format!(",scope=\"repository:{name}:{actions}\"")),
        None if denial.needed.contains(Permissions::READ) => text.push_str(",scope=\"registry:catalog:*\""),
        None => {}
    }
    let error = match denial.why {
        Why::BeyondCredential => "insufficient_scope",
        Why::Expired | Why::Over => "invalid_token",
        Why::SignIn
        | Why::WrongCredentials
        | Why::Malformed
        | Why::Forbidden
        | Why::Hidden
        | Why::TokenInstead
        | Why::FactorMissing
        | Why::FactorWanted
        | Why::FactorPending
        | Why::ProveAgain
        | Why::Open
        | Why::ReadOnly
        | Why::Throttled(_) => {
            return text;
        }
    };
    text.push_str(&format!(",error=\"{error}\",error_description=\"{}\"", message(denial, host).replace('"', "'")));
    text
}
