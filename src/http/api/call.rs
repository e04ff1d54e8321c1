//! One call of the management API: what was asked, and what is answered.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use oci::RepositoryName;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cookie;
use super::page::{Cursor, Page};
use super::problem::Refused;
use super::route::Found;
use crate::auth::Secret;
use crate::auth::rate::Quota;
use crate::http::body::Body;
use crate::http::exchange::Exchange;
use crate::http::limits;
use crate::registry::{Ctx, Registry};

/// One call, whose caller may do it.
pub(super) struct Call {
    pub exchange: Arc<Exchange>,
    found: Found,
    headers: HeaderMap,
    path: String,
    body: Bytes,
}

impl Call {
    pub fn new(exchange: Arc<Exchange>, found: Found, parts: &http::request::Parts, body: Bytes) -> Self {
        Self { exchange, found, headers: parts.headers.clone(), path: parts.uri.path().to_owned(), body }
    }

    pub fn registry(&self) -> &Registry {
        &self.exchange.app.registry
    }

    pub fn ctx(&self) -> &Ctx {
        &self.exchange.ctx
    }

    /// What stands in the path for `{name}`.
    pub fn argument(&self, name: &str) -> &str {
        self.found.argument(name)
    }

    /// The repository of the path.
    pub fn repository(&self) -> Result<RepositoryName, Refused> {
        self.found.repository()
    }

    /// The one repository that the parameter `on` names, by its canonical name. What was decided about is what `on`
    /// matches, so it has to be the name itself.
    pub fn on_repository(&self) -> Result<RepositoryName, Refused> {
        let on = self.query("on").unwrap_or_default();
        let name = RepositoryName::parse(on).ok().filter(|_| on.contains('/'));
        name.ok_or_else(|| {
            Refused::invalid(format!("{on:?} names no repository; write its whole name, such as acme/app"))
        })
    }

    /// A parameter of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.found.query.get(name)
    }

    /// Reads the body: JSON of exactly the fields there are.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        let media_type = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        // Also keeps a form of another site from being taken for a call.
        if !media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            return Err(Refused::MediaType);
        }
        let read = serde_json::from_slice(&self.body);
        let read = read.map_err(|error| Refused::invalid(format!("the body cannot be read: {error}")))?;
        if holds_nul(&self.body) {
            return Err(Refused::invalid("no text in the body may hold the character U+0000; leave it out".to_owned()));
        }
        Ok(read)
    }

    /// The secret of the session that the caller's browser holds, whether or not it was looked at.
    pub fn session_cookie(&self) -> Option<Secret> {
        cookie::read(&self.headers, self.exchange.scheme)
    }

    /// Which page of a list is asked for.
    pub fn cursor(&self) -> Result<Cursor, Refused> {
        Cursor::parse(self.query("after"), self.query("limit"))
    }

    /// A page as the answer, with the link to the next one.
    pub fn page<T: Serialize>(&self, page: &Page<T>, cursor: &Cursor) -> Reply {
        let mut reply = Reply::json(200, page);
        if let Some(next) = &page.next {
            let kept = self.found.query.pairs().filter(|(name, _)| *name != "after" && *name != "limit");
            let mut link = format!("<{}?limit={}&after={next}", self.path, cursor.limit);
            for (name, value) in kept {
                link.push_str(&format!("&{}={}", oci::encode_component(name), oci::encode_component(value)));
            }
            reply.link = Some(link + ">; rel=\"next\"");
        }
        reply
    }
}

/// Whether a JSON text, which could be read, has a NUL in one of its strings: it stands there as an escape only. No text
/// column of PostgreSQL takes one.
fn holds_nul(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = rest.get(at + 1..).unwrap_or_default();
        if escape.starts_with(b"u0000") {
            return true;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

/// Reads a field that is there, though it be null: what is left out stays, null takes away.
pub(super) fn given<'de, D: serde::Deserializer<'de>, T: serde::Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    status: u16,
    body: Option<String>,
    link: Option<String>,
    quota: Option<Quota>,
    cookie: Option<String>,
}

impl Reply {
    /// A document.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        // What is answered is made of texts and numbers, which can always be written.
        Self { status, body: serde_json::to_string(value).ok(), link: None, quota: None, cookie: None }
    }

    /// Done, and nothing to say.
    pub fn nothing() -> Self {
        Self { status: 204, body: None, link: None, quota: None, cookie: None }
    }

    /// 201 for what was made, 200 for what was so already.
    pub fn made(new: bool, value: &impl Serialize) -> Self {
        Self::json(if new { 201 } else { 200 }, value)
    }

    /// Sets a cookie.
    pub fn with_cookie(mut self, cookie: String) -> Self {
        self.cookie = Some(cookie);
        self
    }

    pub(super) fn within(mut self, quota: Quota) -> Self {
        self.quota = Some(quota);
        self
    }

    pub(super) fn render(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = match self.body {
            Some(body) => super::json(status, "application/json", body),
            None => super::json(status, "application/json", Body::Empty),
        };
        if status == StatusCode::NO_CONTENT {
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        if let Some(link) = self.link.and_then(|link| HeaderValue::from_str(&link).ok()) {
            response.headers_mut().insert(header::LINK, link);
        }
        if let Some(cookie) = self.cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        if let Some(quota) = &self.quota {
            limits::mark(response.headers_mut(), quota);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::holds_nul;

    #[test]
    fn a_nul_is_seen_and_what_only_looks_like_one_is_not() {
        for with in [r#"{"a":"\u0000"}"#, r#"{"a":"x\\\u0000"}"#, r#"{"\u0000":1}"#, r#"["\n\"\u0000"]"#] {
            assert!(serde_json::from_str::<serde_json::Value>(with).is_ok() && holds_nul(with.as_bytes()), "{with}");
        }
        for without in [r#"{"a":"\\u0000"}"#, r#"{"a":"u0000\u0001"}"#, "{}", "\\"] {
            assert!(!holds_nul(without.as_bytes()), "{without}");
        }
    }
}
