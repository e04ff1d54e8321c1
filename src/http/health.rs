//! What operators and their machines ask: is it alive, is it ready, how is it doing.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

use super::body::Body;
use super::exchange::Exchange;
use crate::app::{App, Health};
use crate::telemetry::metrics;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

fn text(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}

/// `GET /healthz`: the process answers. Looks at nothing else, so that a full disk does not have it restarted.
pub(super) async fn live() -> Response<Body> {
    text(StatusCode::OK, "ok\n")
}

/// `GET /readyz`: the database and the store can be used.
pub(super) async fn ready(app: &App) -> Response<Body> {
    match app.health().await {
        Health { database: true, store: true } => text(StatusCode::OK, "ready\n"),
        Health { database, store } => {
            let word = |ok| if ok { "ok" } else { "unavailable" };
            let body = format!("not ready\ndatabase: {}\nblob store: {}\n", word(database), word(store));
            text(StatusCode::SERVICE_UNAVAILABLE, body)
        }
    }
}

/// `GET /metrics`: OpenMetrics text for Prometheus.
pub(super) async fn metrics(app: &App) -> Response<Body> {
    app.count_uploads().await;
    let mut response = Response::new(app.metrics.encode().into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
    response
}

/// `GET /`: what to type first.
pub(super) async fn welcome(exchange: &Exchange) -> Response<Body> {
    let host = &exchange.host;
    let login = match exchange.app.registry.access.open {
        true => String::new(),
        false => format!("  docker login {host}\n"),
    };
    let body = format!(
        "This is Havre, a container image registry.\n\n\
         Tag an image, push it, pull it:\n\n{login}  \
         docker tag my-app {host}/me/my-app:1.0.0\n  \
         docker push {host}/me/my-app:1.0.0\n  \
         docker pull {host}/me/my-app:1.0.0\n\n\
         What is here:  GET /v2/_catalog\n\
         Is it well:    GET /readyz\n"
    );
    text(StatusCode::OK, body)
}

pub(super) fn not_found() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "There is nothing here. The registry API is at /v2/, its health at /readyz.\n")
}
