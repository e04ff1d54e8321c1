//! What a page answers with, and the headers that keep it to itself.

use askama::Template;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use crate::http::body::Body;

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    media_type: &'static str,
    body: Bytes,
    location: Option<String>,
    headers: Vec<(HeaderName, String)>,
    file_name: Option<String>,
    lasting: bool,
}

impl Answer {
    fn new(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            media_type,
            body: body.into(),
            location: None,
            headers: Vec::new(),
            file_name: None,
            lasting: false,
        }
    }

    /// A page, or a part of one.
    pub fn html(status: StatusCode, text: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", text)
    }

    /// A page made of a template.
    pub fn page(status: StatusCode, page: &impl Template) -> Self {
        match page.render() {
            Ok(text) => Self::html(status, text),
            Err(error) => {
                tracing::error!(%error, "a template failed");
                Self::html(StatusCode::INTERNAL_SERVER_ERROR, String::new())
            }
        }
    }

    /// A page that is as it should be.
    pub fn ok(page: &impl Template) -> Self {
        Self::page(StatusCode::OK, page)
    }

    /// A form that was filled in wrong, shown again.
    pub fn again(page: &impl Template) -> Self {
        Self::page(StatusCode::UNPROCESSABLE_ENTITY, page)
    }

    /// Another page, to be looked at instead: always one of ours, for `to` is a path.
    pub fn redirect(to: impl Into<String>) -> Self {
        Self { location: Some(to.into()), ..Self::new(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "") }
    }

    /// A page that stands under another name for good.
    pub fn moved(to: impl Into<String>) -> Self {
        Self { status: StatusCode::MOVED_PERMANENTLY, ..Self::redirect(to) }
    }

    /// A file that is kept by the reader rather than shown.
    pub fn download(media_type: &'static str, file_name: &str, content: impl Into<Bytes>) -> Self {
        Self { file_name: Some(file_name.to_owned()), ..Self::new(StatusCode::OK, media_type, content) }
    }

    /// A file that pages use; one that is `lasting` never changes under its URL.
    pub fn asset(media_type: &'static str, content: Bytes, lasting: bool) -> Self {
        Self { lasting, ..Self::new(StatusCode::OK, media_type, content) }
    }

    /// Sets a cookie.
    pub fn with_cookie(self, cookie: &str) -> Self {
        self.with_header(header::SET_COOKIE, cookie)
    }

    /// Adds a header.
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The response, with the headers of every page.
    pub fn render(self, nonce: &str) -> Response<Body> {
        let mut response = Response::new(self.body.into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: &str| {
            // A value that is none is left out: what stands in it was made here, of escaped text.
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.append(name, value);
            }
        };
        set(header::CONTENT_TYPE, self.media_type);
        let policy = format!(
            "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' data:; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        set(header::CONTENT_SECURITY_POLICY, &policy);
        set(header::X_FRAME_OPTIONS, "DENY");
        set(header::REFERRER_POLICY, "same-origin");
        set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
        set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
        set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()");
        match self.lasting {
            true => set(header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            false => set(header::CACHE_CONTROL, "no-store"),
        }
        if let Some(location) = &self.location {
            set(header::LOCATION, location);
        }
        for (name, value) in &self.headers {
            set(name.clone(), value);
        }
        if let Some(name) = &self.file_name {
            set(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
        }
        response
    }
}
