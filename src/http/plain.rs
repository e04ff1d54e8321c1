//! Plain HTTP beside TLS: an authority's questions are answered (RFC 8555, section 8.3), everything else is sent on to
//! https.

use std::pin::Pin;
use std::sync::Arc;

use http::header::{ALLOW, CONTENT_TYPE, HOST, HeaderValue, LOCATION};
use http::uri::Authority;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use super::body::Body;
use crate::app::App;
use crate::app::acme::Questions;
use crate::clock;
use crate::registry::certificates::{self, Proof};

/// What the path of a question begins with; the token follows.
const QUESTION: &str = "/.well-known/acme-challenge/";
/// The longest token that is looked up, in bytes. Authorities take about 43.
const MAX_TOKEN: usize = 256;

/// The service of the listener for plain HTTP.
pub fn service(
    app: Arc<App>,
) -> impl Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Clone + Send + Sync {
    let questions = Arc::new(Questions::new(Proof::Http));
    move |request| {
        let (app, questions) = (Arc::clone(&app), Arc::clone(&questions));
        Box::pin(async move {
            match request.uri().path().strip_prefix(QUESTION) {
                Some(token) => answer(&app, &questions, request.method(), token).await,
                None => onward(&app, &request),
            }
        })
    }
}

/// Answers an authority that asks for a token.
async fn answer(app: &App, questions: &Questions, method: &Method, token: &str) -> Response<Body> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if token.len() > MAX_TOKEN || !token.bytes().all(known) {
        return empty(StatusCode::NOT_FOUND);
    }
    let now = clock::now();
    match questions.answer(now, certificates::answer_over_http(&app.registry, now, token)).await {
        Ok(Some(answer)) => {
            let mut response = Response::new(answer.into());
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            response
        }
        Ok(None) => empty(StatusCode::NOT_FOUND),
        Err(_) => empty(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// Sends a client on to the same place over https; by 308, so that it keeps its method.
fn onward(app: &App, request: &Request<Incoming>) -> Response<Body> {
    // A request line with the whole URL counts for more than `Host` (RFC 9112, section 3.2.2).
    let host = || request.headers().get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let asked = request.uri().authority().cloned().or_else(host);
    let base = app.config.public_base_at(asked.as_ref().map_or("", Authority::host)).unwrap_or_default();
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let target = if target.starts_with('/') { target } else { "/" };
    let Ok(location) = HeaderValue::try_from(format!("{base}{target}")) else { return empty(StatusCode::BAD_REQUEST) };
    let mut response = empty(StatusCode::PERMANENT_REDIRECT);
    response.headers_mut().insert(LOCATION, location);
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}
