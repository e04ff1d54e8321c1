//! `/token`: what `docker login` and every client that was challenged asks for (Docker token protocol; OAuth2, RFC 6749).

use std::sync::Arc;

use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use oci::Query;
use serde_json::{Value, json};

use super::body::Body;
use super::exchange::Exchange;
use super::{limits, v2};
use crate::app::limits::Class;
use crate::auth::scope::TooMany;
use crate::auth::{Presented, Proof, scope};
use crate::registry::Error;
use crate::registry::access::{self, Denial, Issued, Why};

/// The longest form that is read.
const MAX_FORM: usize = 16 * 1024;

/// Answers a request for a token.
pub(super) async fn handle(exchange: Exchange, request: Request<Incoming>) -> Response<Body> {
    // Before anything is looked at: what is wrong costs as much as what is right.
    let quota = match limits::take(&exchange, Class::Token) {
        Ok(quota) => quota,
        Err(too_many) => {
            let code = "TOOMANYREQUESTS";
            let document =
                document("temporarily_unavailable", code, &too_many.message, *request.method() == Method::POST);
            let mut response = answer(StatusCode::TOO_MANY_REQUESTS, &document);
            too_many.mark(&mut response);
            return response;
        }
    };
    let mut response = match *request.method() {
        Method::GET => get(&exchange, &request).await,
        Method::POST => post(&exchange, request).await,
        _ => {
            let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, &json!({}));
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
            response
        }
    };
    if let Some(quota) = quota {
        limits::mark(response.headers_mut(), &quota);
    }
    response
}

/// `GET /token?service=…&scope=…`, with or without `Authorization: Basic`.
async fn get(exchange: &Exchange, request: &Request<Incoming>) -> Response<Body> {
    let result = async {
        let query = parse(request.uri().query().unwrap_or_default())?;
        let presented = v2::presented(request.headers()).map_err(Refusal::Rule)?;
        // A token is not exchanged for another one: it would outlive the credential it was made from.
        if matches!(presented, Presented::Bearer(_)) {
            return Err(Refusal::Rule(Denial::of(Why::Malformed).into()));
        }
        let proof = access::authenticate(&exchange.app.registry, &exchange.ctx, presented).await?;
        let offline = query.get("offline_token") == Some("true");
        let issued = issue(exchange, &proof, query.all("scope"), offline).await?;
        Ok(body(&issued, true))
    };
    match result.await {
        Ok(body) => answer(StatusCode::OK, &body),
        Err(refusal) => refusal.render(exchange, false),
    }
}

/// `POST /token` with a form: `grant_type=password` or `refresh_token`.
async fn post(exchange: &Exchange, request: Request<Incoming>) -> Response<Body> {
    let result = async {
        let form = Limited::new(request.into_body(), MAX_FORM).collect().await;
        let form = form.map_err(|_| Refusal::Form("the form cannot be read, or is longer than 16 KiB"))?.to_bytes();
        let form = std::str::from_utf8(&form).map_err(|_| Refusal::Form("the form is not UTF-8"))?;
        let form = parse(form)?;
        let registry = &exchange.app.registry;
        let field = |name| form.get(name).ok_or(Refusal::Form("a field of the form is missing"));
        let (proof, kept) = match field("grant_type")? {
            "password" => {
                let (name, secret) = (field("username")?.to_owned(), field("password")?.to_owned());
                if secret.len() > crate::auth::presented::MAX_PASSWORD || name.len() > crate::auth::presented::MAX_NAME
                {
                    return Err(Refusal::Rule(Denial::of(Why::WrongCredentials).into()));
                }
                (access::authenticate(registry, &exchange.ctx, Presented::Basic { name, secret }).await?, None)
            }
            "refresh_token" => {
                let text = field("refresh_token")?;
                (access::refresh(registry, &exchange.ctx, text).await?, Some(text))
            }
            _ => return Err(Refusal::Grant),
        };
        let offline = kept.is_none() && form.get("access_type") == Some("offline");
        let issued = issue(exchange, &proof, form.all("scope"), offline).await?;
        let mut body = body(&issued, false);
        if let Some(kept) = kept {
            body["refresh_token"] = kept.into();
        }
        Ok(body)
    };
    match result.await {
        Ok(body) => answer(StatusCode::OK, &body),
        Err(refusal) => refusal.render(exchange, true),
    }
}

fn parse(text: &str) -> Result<Query, Refusal> {
    Query::parse(text).map_err(|_| Refusal::Form("the parameters cannot be read, or are too many"))
}

async fn issue<'a>(
    exchange: &Exchange,
    proof: &Arc<Proof>,
    scopes: impl Iterator<Item = &'a str>,
    offline: bool,
) -> Result<Issued, Refusal> {
    if exchange.app.registry.access.open {
        return Err(Refusal::Open);
    }
    let scopes = scope::parse_all(scopes).map_err(Refusal::Scopes)?;
    Ok(access::issue(&exchange.app.registry, &exchange.ctx, proof, scopes, offline).await?)
}

fn body(issued: &Issued, with_token: bool) -> Value {
    let at = jiff::Timestamp::from_second(issued.issued_at).map(|at| at.to_string()).unwrap_or_default();
    let mut body = json!({ "access_token": issued.token, "expires_in": issued.expires_in, "issued_at": at });
    if with_token {
        body["token"] = issued.token.as_str().into();
    } else {
        let scopes: Vec<String> = issued.scopes.iter().map(ToString::to_string).collect();
        body["scope"] = scopes.join(" ").into();
        body["token_type"] = "Bearer".into();
    }
    if let Some(refresh) = &issued.refresh {
        body["refresh_token"] = refresh.reveal().into();
    }
    body
}

fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Why no token is given.
#[derive(Debug)]
enum Refusal {
    /// A rule refused or failed.
    Rule(Error),
    /// The request cannot be read.
    Form(&'static str),
    /// It asks for more than fits into a token.
    Scopes(TooMany),
    /// Another way of asking.
    Grant,
    /// The registry is open: no token is needed.
    Open,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Rule(error)
    }
}

impl Refusal {
    /// Renders it: as OAuth2 does (RFC 6749, 5.2) beside the document that other clients read.
    fn render(&self, exchange: &Exchange, oauth: bool) -> Response<Body> {
        let bad = |error, message: &str| (StatusCode::BAD_REQUEST, error, "UNSUPPORTED", message.to_owned());
        let (status, error, code, message) = match self {
            Self::Rule(error) => return rule(exchange, error, oauth),
            Self::Form(message) => bad("invalid_request", message),
            Self::Scopes(too_many) => bad("invalid_scope", &too_many.to_string()),
            Self::Grant => bad("unsupported_grant_type", "grant_type is password or refresh_token"),
            Self::Open => bad("invalid_request", "this registry is open to anyone: no token is needed"),
        };
        answer(status, &document(error, code, &message, oauth))
    }
}

fn document(error: &str, code: &str, message: &str, oauth: bool) -> Value {
    let mut document = json!({ "errors": [{ "code": code, "message": message }] });
    if oauth {
        document["error"] = error.into();
        document["error_description"] = message.into();
    }
    document
}

fn rule(exchange: &Exchange, error: &Error, oauth: bool) -> Response<Body> {
    let response = v2::refuse(exchange, error);
    let (status, mut parts) = (response.status(), response.into_parts().0);
    let (kind, code, message) = match error {
        Error::Denied(denial) => {
            let code = if matches!(denial.why, Why::Throttled(_)) { "TOOMANYREQUESTS" } else { "UNAUTHORIZED" };
            ("invalid_grant", code, v2::message(denial, &exchange.host))
        }
        _ => {
            let id = &exchange.ctx.request_id;
            ("server_error", "UNKNOWN", format!("the registry failed; give its operator the request id {id}"))
        }
    };
    // A challenge here would send the client in a circle.
    parts.headers.remove(header::WWW_AUTHENTICATE);
    let mut response = answer(status, &document(kind, code, &message, oauth));
    if let Some(wait) = parts.headers.remove(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}
