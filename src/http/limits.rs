//! Rate limits as clients meet them: headers that tell what is left, and a refusal that says what to do.
//!
//! The headers have the form of Docker Hub, `RateLimit-Limit: 100;w=21600`, which tools around registries read. It is that
//! of the early drafts of the IETF (draft-ietf-httpapi-ratelimit-headers, up to 06); what later drafts put in their place
//! has changed with each of them, and no client of a registry reads it.

use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Response};

use super::body::Body;
use super::exchange::Exchange;
use crate::app::limits::Class;
use crate::auth::rate::Quota;
use crate::registry::Identity;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// A request that is one too many.
#[derive(Debug)]
pub(super) struct TooMany {
    /// What is so and what to do, in one line: Docker prints nothing else.
    pub message: String,
    quota: Quota,
}

impl TooMany {
    /// How many seconds to wait.
    pub fn wait(&self) -> u64 {
        self.quota.wait.unwrap_or(1)
    }

    /// Adds what tells a client how long to wait.
    pub fn mark(&self, response: &mut Response<Body>) {
        mark(response.headers_mut(), &self.quota);
        if let Some(wait) = self.quota.wait {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait));
        }
    }
}

/// Takes one from the share of whoever asks, once that is known; tells what is left where a limit holds.
pub(super) fn take(exchange: &Exchange, class: Class) -> Result<Option<Quota>, TooMany> {
    let ctx = &exchange.ctx;
    let Some(quota) = exchange.app.limits.take(class, &ctx.identity, ctx.address, ctx.now) else { return Ok(None) };
    let Some(wait) = quota.wait else { return Ok(Some(quota)) };
    exchange.app.metrics.rate_limited(class.as_str());
    Err(TooMany { message: message(exchange, class, &quota, wait), quota })
}

/// Tells what is left, and takes nothing.
pub(super) fn peek(exchange: &Exchange, class: Class) -> Option<Quota> {
    let ctx = &exchange.ctx;
    exchange.app.limits.peek(class, &ctx.identity, ctx.address, ctx.now)
}

/// Adds the headers that tell what is left.
pub(super) fn mark(headers: &mut HeaderMap, quota: &Quota) {
    let Quota { limit, window, remaining, reset, .. } = quota;
    let texts = [
        (LIMIT, format!("{limit};w={window}")),
        (REMAINING, format!("{remaining};w={window}")),
        (RESET, reset.to_string()),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
}

fn message(exchange: &Exchange, class: Class, quota: &Quota, wait: u64) -> String {
    let signed_in = exchange.ctx.identity != Identity::Anonymous;
    let what = match class {
        Class::Pull => "pulls",
        Class::Push => "pushes",
        Class::Api => "requests",
        Class::Token => "requests for a token",
    };
    let whose = if signed_in { "your account" } else { "your address" };
    // Those who log in may be allowed no more than others, of tokens they never are.
    let limits = &exchange.app.config.limits;
    let more = match class {
        Class::Pull => limits.pulls == 0 || limits.pulls > limits.anonymous_pulls,
        Class::Api => limits.api == 0 || limits.api > limits.anonymous_api,
        Class::Push | Class::Token => false,
    };
    let login = if !signed_in && more {
        format!("; log in for a higher limit: docker login {}", exchange.host)
    } else {
        String::new()
    };
    format!(
        "too many {what} by {whose}: {} in {} are allowed; try again in {wait} s{login}; the registry's operator decides \
         this with {}",
        quota.limit,
        span(quota.window),
        class.option(signed_in)
    )
}

/// A span of time in the largest unit that tells it exactly.
fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        3600.. if seconds.is_multiple_of(3600) => (seconds / 3600, "hour"),
        60.. if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    if count == 1 { format!("one {unit}") } else { format!("{count} {unit}s") }
}
