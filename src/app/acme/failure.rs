//! Why an authority gave no certificate, and what there is to do about it.

use std::time::Duration;

use instant_acme::Problem;

use super::client::{ClientError, told};
use crate::registry::certificates::Proof;
use crate::registry::{self};

/// What of an authority's own words is kept, in characters.
const MAX_WORDS: usize = 400;
/// How long an authority that has had enough of us is left alone, where it does not say how long.
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

/// What of an order failed: the same word of an authority means one thing here and another one there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// An account was to be made.
    Account,
    /// The order was to be placed.
    Order,
    /// The authority looked whether the domain is ours.
    Challenge,
    /// Anything else.
    Other,
}

/// The kinds that something is known about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Other,
    /// The authority was never reached.
    Way,
    /// The account is not there any more, or not good any more.
    NoAccount,
    /// The authority has to know who asks for an account.
    Stranger,
    /// Somebody has to do something at the authority's own pages.
    ByHand,
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
    /// The certificate is as good as over.
    Over,
}

impl Kind {
    fn of(problem: &Problem, step: Step) -> Self {
        let name = problem.r#type.as_deref().and_then(|name| name.strip_prefix("urn:ietf:params:acme:error:"));
        match (name.unwrap_or_default(), step) {
            ("externalAccountRequired", _) | ("unauthorized" | "malformed", Step::Account) => Self::Stranger,
            ("userActionRequired", _) => Self::ByHand,
            // An account that was deactivated may not order.
            ("accountDoesNotExist", _) | ("unauthorized", Step::Order) => Self::NoAccount,
            ("rateLimited", _) => Self::RateLimited,
            ("connection" | "tls", _) => Self::Unreachable,
            ("dns", _) => Self::Unresolved,
            ("unauthorized" | "incorrectResponse", Step::Challenge) => Self::Unproved,
            ("caa", _) => Self::Forbidden,
            ("rejectedIdentifier" | "unsupportedIdentifier", _) => Self::Rejected,
            _ => Self::Other,
        }
    }
}

impl Failure {
    pub(super) fn of(why: &str) -> Self {
        Self { why: cleaned(why), least_wait: Duration::ZERO, kind: Kind::Other }
    }

    /// The certificate that was given is due already.
    pub(super) fn of_due(until: &str) -> Self {
        let why = format!("the authority gave a certificate until {until}, which would have to be renewed at once");
        Self { why, kind: Kind::Over, ..Self::of("") }
    }

    /// What an authority says is wrong.
    pub(super) fn of_problem(step: Step, problem: &Problem) -> Self {
        let kind = Kind::of(problem, step);
        let least_wait = if kind == Kind::RateLimited { RATE_LIMITED } else { Duration::ZERO };
        Self { why: cleaned(&problem.to_string()), least_wait, kind }
    }

    /// What went wrong at a step.
    pub(super) fn at(step: Step) -> impl Fn(instant_acme::Error) -> Self {
        move |error| match error {
            instant_acme::Error::Api(problem) => Self::of_problem(step, &problem),
            instant_acme::Error::Other(error) => match error.downcast_ref::<ClientError>() {
                Some(error) => Self::of_client(error),
                None => Self::of(&told(&*error)),
            },
            error => Self::of(&told(&error)),
        }
    }

    fn of_client(error: &ClientError) -> Self {
        let kind = if error.is_of_the_way() { Kind::Way } else { Kind::Other };
        Self { kind, ..Self::of(&error.to_string()) }
    }

    /// The same, with how long the authority asked to be left alone.
    pub(super) fn waiting(mut self, asked: Option<Duration>) -> Self {
        self.least_wait = asked.unwrap_or(self.least_wait);
        self
    }

    /// Whether the account that was shown is of no use.
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
            Kind::Way => "; this server has to reach the authority by https: look at its outgoing port 443, at its resolver \
                          and, where the authority's certificate is refused, at the package ca-certificates or acme.ca_file"
                .to_owned(),
            Kind::NoAccount => "; another account is made".to_owned(),
            Kind::Stranger => "; if the authority knows its customers, acme.eab_key_id and acme.eab_key have to be what it \
                               gave you"
                .to_owned(),
            Kind::ByHand => "; the authority asks for something at its own pages first, such as agreeing to new terms"
                .to_owned(),
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
            Kind::Over => "; look at the clock of this server and, where it is right, at the authority's own certificate"
                .to_owned(),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::of_client(&error)
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

    fn failure(step: Step, kind: &str, detail: &str) -> Failure {
        let problem = serde_json::json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail });
        Failure::of_problem(step, &serde_json::from_value::<Problem>(problem).unwrap())
    }

    #[test]
    fn what_an_authority_says_is_kept_short_and_leads_to_the_next_step() {
        let limited = failure(Step::Order, "rateLimited", "too many\nsuch certificates");
        assert!(limited.least_wait >= Duration::from_hours(1) && limited.why.contains("too many such"), "{limited:?}");
        assert!(limited.hint("a.org", Proof::Http).contains("--acme-staging"));
        assert_eq!(limited.waiting(Some(Duration::from_secs(90))).least_wait, Duration::from_secs(90));
        let unreachable = failure(Step::Challenge, "connection", &"x".repeat(5000));
        assert!(unreachable.why.len() <= MAX_WORDS && unreachable.least_wait.is_zero());
        assert!(unreachable.hint("a.org", Proof::TlsAlpn).contains("port 443 of a.org"));
        assert!(unreachable.hint("a.org", Proof::Http).contains("port 80 of a.org"));
        assert!(failure(Step::Other, "accountDoesNotExist", "").is_of_account() && !unreachable.is_of_account());
        assert_eq!(failure(Step::Order, "serverInternal", "").hint("a.org", Proof::Http), "");
    }

    #[test]
    fn what_unauthorized_means_depends_on_what_was_asked() {
        let kinds = [Step::Account, Step::Order, Step::Challenge, Step::Other]
            .map(|step| failure(step, "unauthorized", "").kind);
        assert_eq!(kinds, [Kind::Stranger, Kind::NoAccount, Kind::Unproved, Kind::Other]);
        let hint = |step, kind| failure(step, kind, "").hint("a.org", Proof::Http);
        assert!(hint(Step::Account, "externalAccountRequired").contains("acme.eab_key_id"));
        assert!(hint(Step::Order, "userActionRequired").contains("terms"));
    }

    #[test]
    fn an_authority_that_is_never_reached_is_no_fault_of_the_domain() {
        let error = ClientError::Unreachable { authority: "ca.example.org".to_owned(), why: "refused".to_owned() };
        let failure = Failure::at(Step::Order)(error.into());
        assert!(failure.why.contains("ca.example.org"), "{failure:?}");
        let hint = failure.hint("a.org", Proof::Http);
        assert!(hint.contains("outgoing port 443") && hint.contains("ca-certificates"), "{hint}");
        assert_eq!(Failure::at(Step::Order)(ClientError::Status(502).into()).hint("a.org", Proof::Http), "");
    }
}
