//! One request on its way through the server: what is known about it before it is routed.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use http::request::Parts;
use http::{HeaderMap, header};

use super::server::{ConnInfo, proxy};
use crate::app::App;
use crate::auth::Permissions;
use crate::auth::secret::masked;
use crate::clock;
use crate::registry::{Ctx, Identity};

/// At most this many bytes of a client's name for itself are kept.
const MAX_USER_AGENT: usize = 256;

/// One request on its way.
pub struct Exchange {
    /// The application.
    pub app: Arc<App>,
    /// Who asks, in which request, and when.
    pub ctx: Ctx,
    /// What the client calls this server: the host part of an image's name.
    pub host: String,
    /// How the client reaches it: `http` or `https`.
    pub scheme: &'static str,
    /// When it arrived.
    pub started: Instant,
}

impl Exchange {
    /// Collects what the rules and the logs want to know of a request.
    pub fn new(app: &Arc<App>, parts: &Parts) -> Self {
        let trusted = &app.config.server.trusted_proxies;
        let connection = parts.extensions.get::<ConnInfo>();
        let address = connection.map(|c| proxy::client_address(c.peer.ip(), &parts.headers, trusted));
        let ctx = Ctx {
            identity: Identity::Anonymous,
            credential: None,
            hands_on: Permissions::NONE,
            once: None,
            managing: None,
            request_id: request_id(),
            address,
            user_agent: user_agent(&parts.headers).map(Arc::from),
            now: clock::now(),
        };
        let (scheme, host) = origin(app, parts, connection);
        Self { app: Arc::clone(app), ctx, host, scheme, started: Instant::now() }
    }
}

/// Ids are made here and never taken over: a client cannot choose what the logs say.
fn request_id() -> Arc<str> {
    let mut buffer = uuid::Uuid::encode_buffer();
    Arc::from(&*uuid::Uuid::now_v7().simple().encode_lower(&mut buffer))
}

fn user_agent(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    // `to_str` lets visible ASCII through only, so that any byte is a boundary.
    Some(&text[..text.len().min(MAX_USER_AGENT)])
}

fn origin(app: &App, parts: &Parts, connection: Option<&ConnInfo>) -> (&'static str, String) {
    if let (Some(host), Some(url)) = (&app.public_host, &app.config.server.public_url) {
        return (if url.scheme() == "https" { "https" } else { "http" }, host.clone());
    }
    let Some(connection) = connection else { return ("http", "HOST".to_owned()) };
    let trusted = &app.config.server.trusted_proxies;
    let origin = proxy::origin(connection.peer.ip(), connection.tls, parts.uri.authority(), &parts.headers, trusted);
    (origin.scheme.as_str(), origin.host.map_or_else(|| "HOST".to_owned(), |host| host.to_string()))
}

/// The path and query of a request, as the access log shows them: without the secrets of links in mails.
pub fn target(parts: &Parts) -> Cow<'_, str> {
    parts.uri.path_and_query().map_or(Cow::Borrowed(""), |target| masked(target.as_str()))
}
