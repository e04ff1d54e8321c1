//! Why an authority gave no certificate, and what there is to do about it.

use std::error::Error as _;
use std::time::Duration;

use instant_acme::Problem;

use crate::registry::certificates::Proof;
use crate::registry::{self};

/// What of an authority's own words is kept, in characters.
const MAX_WORDS: usize = 400;
/// How long an authority that has had enough of us is left alone, at least. It says how long, but in a header that the
/// library does not hand on.
const RATE_LIMITED: Duration = Duration::from_hours(1);

/// Why an authority gave no certificate.
#[derive(Debug)]
pub(super) struct Failure {
    /// In words, with the authority's own.
    pub(super) why: String,
    /// How long is waited before the next try, at least.
    pub(super) least_wait: Duration,
    /// The kind of problem that the authority named (RFC 8555, section 6.7).
    kind: Kind,
}

/// The kinds that something is known about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Other,
    /// The account is not there any more.
    NoAccount,
    /// Too much was asked.
    RateLimited,
    /// The authority could not connect.
    Unreachable,
    /// It could not find the domain.
    Unresolved,
    /// It connected, and somebody else answered.
    Unproved,
    /// The domain says that another authority is to give its certificates.
    Forbidden,
    /// The name is one that it gives no certificates for.
    Rejected,
}

impl Kind {
    fn of(problem: &Problem) -> Self {
        let name = problem.r#type.as_deref().and_then(|name| name.strip_prefix("urn:ietf:params:acme:error:"));
        match name {
            Some("accountDoesNotExist") => Self::NoAccount,
            Some("rateLimited") => Self::RateLimited,
            Some("connection" | "tls") => Self::Unreachable,
            Some("dns") => Self::Unresolved,
            Some("unauthorized" | "incorrectResponse") => Self::Unproved,
            Some("caa") => Self::Forbidden,
            Some("rejectedIdentifier" | "unsupportedIdentifier") => Self::Rejected,
            _ => Self::Other,
        }
    }
}

impl Failure {
    pub(super) fn of(why: &str) -> Self {
        Self { why: why.to_owned(), least_wait: Duration::ZERO, kind: Kind::Other }
    }

    /// Whether the authority does not know the account that was shown.
    pub(super) fn is_of_account(&self) -> bool {
        self.kind == Kind::NoAccount
    }

    /// What there is to do about it, to be put behind it.
    pub(super) fn hint(&self, domain: &str, proof: Proof) -> String {
        let port = match proof {
            Proof::Http => 80,
            Proof::TlsAlpn => 443,
        };
        match self.kind {
            Kind::Other => String::new(),
            Kind::NoAccount => "; another account is made".to_owned(),
            Kind::RateLimited => "; while trying out, use --acme-staging, which has higher limits".to_owned(),
            Kind::Unreachable => {
                format!(
                    "; the authority has to reach port {port} of {domain}: look at the firewall and at its addresses"
                )
            }
            Kind::Unresolved => format!("; {domain} needs an A or AAAA record with the address of this server"),
            Kind::Unproved => {
                format!(
                    "; another server answers at port {port} of {domain}: look at its address, and at proxies before it"
                )
            }
            Kind::Forbidden => format!("; a CAA record of {domain} has to allow this authority"),
            Kind::Rejected => "; this authority gives no certificate for such a name".to_owned(),
        }
    }
}

impl From<&Problem> for Failure {
    fn from(problem: &Problem) -> Self {
        let kind = Kind::of(problem);
        let least_wait = if kind == Kind::RateLimited { RATE_LIMITED } else { Duration::ZERO };
        Self { why: cleaned(&problem.to_string()), least_wait, kind }
    }
}

impl From<instant_acme::Error> for Failure {
    fn from(error: instant_acme::Error) -> Self {
        if let instant_acme::Error::Api(problem) = &error {
            return Self::from(problem);
        }
        // What went wrong with a connection stands in the sources.
        let mut why = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let words = cause.to_string();
            if !why.contains(&words) {
                why = format!("{why}: {words}");
            }
            source = cause.source();
        }
        Self { why: cleaned(&why), ..Self::of("") }
    }
}

impl From<registry::Error> for Failure {
    fn from(error: registry::Error) -> Self {
        Self::of(&error.to_string())
    }
}

impl From<crate::pki::PkiError> for Failure {
    fn from(error: crate::pki::PkiError) -> Self {
        Self::of(&error.to_string())
    }
}

/// An authority's words, short and on one line.
fn cleaned(words: &str) -> String {
    words.chars().take(MAX_WORDS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: &str, detail: &str) -> Failure {
        let problem = serde_json::json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail });
        Failure::from(&serde_json::from_value::<Problem>(problem).unwrap())
    }

    #[test]
    fn what_an_authority_says_is_kept_short_and_leads_to_the_next_step() {
        let limited = failure("rateLimited", "too many\nsuch certificates");
        assert!(limited.least_wait >= Duration::from_hours(1) && limited.why.contains("too many such"), "{limited:?}");
        assert!(limited.hint("a.org", Proof::Http).contains("--acme-staging"));
        let unreachable = failure("connection", &"x".repeat(5000));
        assert!(unreachable.why.len() <= MAX_WORDS && unreachable.least_wait.is_zero());
        assert!(unreachable.hint("a.org", Proof::TlsAlpn).contains("port 443 of a.org"));
        assert!(unreachable.hint("a.org", Proof::Http).contains("port 80 of a.org"));
        assert!(failure("accountDoesNotExist", "").is_of_account() && !unreachable.is_of_account());
        assert_eq!(failure("serverInternal", "").hint("a.org", Proof::Http), "");
    }
}
