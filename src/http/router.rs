//! Every route, and what surrounds each: request id, panics, metrics, access log.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::SystemTime;

use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;

use super::body::{Body, Sent};
use super::exchange::{self, Exchange};
use super::{api, health, token, v1, v2, web};
use crate::app::App;
use crate::telemetry::access::Access;
use crate::telemetry::metrics::action;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NOSNIFF: HeaderName = HeaderName::from_static("x-content-type-options");

/// Answers a request, whatever becomes of it.
pub async fn serve(app: Arc<App>, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let exchange = Exchange::new(&app, &parts);
    let logged = Logged::new(&app, &exchange, &parts);
    let routed = route(exchange, Request::from_parts(parts, body));
    let (index, mut response) = Box::pin(unwinding(routed)).await.unwrap_or_else(|_| {
        tracing::error!(request_id = %logged.request_id, "a request panicked");
        panicked()
    });
    if let Ok(id) = HeaderValue::from_str(&logged.request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response.headers_mut().insert(NOSNIFF, HeaderValue::from_static("nosniff"));
    app.metrics.request(index, response.status().as_u16(), logged.started.elapsed());
    logged.watch(response)
}

fn panicked() -> (usize, Response<Body>) {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    (const { action("other") }, response)
}

/// The routes.
async fn route(exchange: Exchange, request: Request<Incoming>) -> (usize, Response<Body>) {
    let health = const { action("health") };
    match request.uri().path() {
        "/v2" => v2::handle(exchange, request).await,
        path if path.starts_with("/v2/") => v2::handle(exchange, request).await,
        "/v1/_ping" | "/v1/search" => (const { action("api") }, Box::pin(v1::handle(exchange, request)).await),
        "/token" => (const { action("token") }, Box::pin(token::handle(exchange, request)).await),
        "/api" => (const { action("api") }, Box::pin(api::handle(exchange, request)).await),
        path if path.starts_with("/api/") => (const { action("api") }, Box::pin(api::handle(exchange, request)).await),
        "/healthz" => (health, only_get(&request, health::live).await),
        "/readyz" => (health, only_get(&request, || health::ready(&exchange.app)).await),
        "/metrics" => (const { action("metrics") }, only_get(&request, || health::metrics(&exchange.app)).await),
        "/" if !web::is_wanted(&request) => {
            (const { action("other") }, only_get(&request, || health::welcome(&exchange)).await)
        }
        _ if !web::is_wanted(&request) => (const { action("other") }, health::not_found()),
        _ => (const { action("pages") }, Box::pin(web::handle(exchange, request)).await),
    }
}

async fn only_get<F: Future<Output = Response<Body>>>(
    request: &Request<Incoming>,
    answer: impl FnOnce() -> F,
) -> Response<Body> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return answer().await;
    }
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// Runs a future to its end or to its panic: no panic of one request reaches another one on the same connection.
async fn unwinding<F: Future>(future: F) -> Result<F::Output, Box<dyn std::any::Any + Send>> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// What the access log says of a request once its answer has been sent.
struct Logged {
    app: Arc<App>,
    request_id: Arc<str>,
    started: std::time::Instant,
    line: Option<Line>,
}

struct Line {
    at: SystemTime,
    client: std::net::IpAddr,
    method: Method,
    target: String,
    user_agent: Option<Arc<str>>,
}

impl Logged {
    fn new(app: &Arc<App>, exchange: &Exchange, parts: &http::request::Parts) -> Self {
        let line = app.config.log.access.then(|| Line {
            at: SystemTime::now(),
            client: exchange.ctx.address.unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)),
            method: parts.method.clone(),
            target: exchange::target(parts).into_owned(),
            user_agent: exchange.ctx.user_agent.clone(),
        });
        Self { app: Arc::clone(app), request_id: Arc::clone(&exchange.ctx.request_id), started: exchange.started, line }
    }

    /// Has the line written when the answer's last byte was handed over, or its connection broke.
    fn watch(self, response: Response<Body>) -> Response<Body> {
        let status = response.status().as_u16();
        response.map(|body| body.watch(move |sent: Sent| self.write(status, &sent)))
    }

    fn write(&self, status: u16, sent: &Sent) {
        self.app.metrics.bytes_sent.inc_by(sent.bytes);
        let Some(line) = &self.line else { return };
        self.app.access.record(&Access {
            at: line.at,
            client: line.client,
            method: line.method.as_str(),
            path: &line.target,
            status,
            bytes_sent: sent.bytes,
            duration: self.started.elapsed(),
            request_id: &self.request_id,
            user_agent: line.user_agent.as_deref().unwrap_or_default().as_bytes(),
        });
    }
}

/// The service of a server: an answer for every request.
pub fn service(
    app: Arc<App>,
) -> impl Fn(Request<Incoming>) -> std::pin::Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Clone + Send + Sync
{
    move |request| Box::pin(serve(Arc::clone(&app), request))
}
