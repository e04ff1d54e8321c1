//! The cookie of a session, and what a request with it has to show besides.

use http::{HeaderMap, header};

use crate::auth::surface::Shown;
use crate::auth::{Secret, csrf};

/// The header in which a page of ours shows that it makes the request.
pub(super) const CSRF: &str = "x-csrf-token";

/// The cookie's name. With the prefix, a browser takes it over TLS only, and keeps it from other hosts of the same domain
/// (RFC 6265bis, 4.1.3.2); over plain HTTP, which loopback is for, it would not take it at all.
pub(super) fn name(scheme: &str) -> &'static str {
    if scheme == "https" { "__Host-havre_session" } else { "havre_session" }
}

/// Reads the cookie; nothing where there is none, or what it holds is no secret.
pub(super) fn read(headers: &HeaderMap, scheme: &str) -> Option<Secret> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut found = pairs.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = found.find(|(key, _)| *key == name(scheme))?;
    Secret::parse(value)
}

/// How the cookie is shown.
pub(super) fn shown(headers: &HeaderMap, secret: &Secret) -> Shown {
    match headers.get(CSRF) {
        Some(value) if csrf::matches(secret, value.as_bytes()) => Shown::CookieWithCsrf,
        _ => Shown::Cookie,
    }
}

/// The header that has a browser keep the secret for so many seconds; without one, forget it.
pub(super) fn set(scheme: &str, secret: Option<&Secret>, seconds: i64) -> String {
    let (name, value) = (name(scheme), secret.map_or("", Secret::reveal));
    let seconds = if secret.is_some() { seconds.max(0) } else { 0 };
    let secure = if scheme == "https" { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::{COOKIE, HeaderValue};

    use super::{CSRF, read, set, shown};
    use crate::auth::surface::Shown;
    use crate::auth::{Secret, SecretKind, csrf};

    fn headers(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        headers
    }

    #[test]
    fn over_tls_only_the_cookie_that_other_hosts_cannot_set_is_read() {
        let secret = Secret::new(SecretKind::Session, [7; 32]);
        let [plain, host] = ["havre_session", "__Host-havre_session"].map(|name| format!("{name}={}", secret.reveal()));
        let found = |cookies: &[&str], scheme| read(&headers(cookies), scheme).map(|secret| secret.hash());
        assert_eq!(found(&["a=b; c", &plain], "http"), Some(secret.hash()));
        assert_eq!(found(&[&format!("a=b; {host}; d=e")], "https"), Some(secret.hash()));
        assert_eq!(found(&[&plain], "https"), None);
        assert_eq!(found(&["havre_session=x"], "http"), None);
        let text = set("https", Some(&secret), 60);
        assert!(text.starts_with(&host) && text.ends_with("; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"));
        assert_eq!(set("http", None, 60), "havre_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn a_page_of_ours_is_told_from_another_site() {
        let secret = Secret::new(SecretKind::Session, [7; 32]);
        let mut headers = HeaderMap::new();
        assert_eq!(shown(&headers, &secret), Shown::Cookie);
        headers.insert(CSRF, HeaderValue::from_static("guess"));
        assert_eq!(shown(&headers, &secret), Shown::Cookie);
        headers.insert(CSRF, HeaderValue::from_str(&csrf::token(&secret)).unwrap());
        assert_eq!(shown(&headers, &secret), Shown::CookieWithCsrf);
    }
}
