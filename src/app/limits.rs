//! Rate limits: which of them a request falls under, and whose share it takes.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::auth::limit::network;
use crate::auth::rate::{Meter, Quota};
use crate::config;
use crate::registry::Identity;

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A manifest that is fetched.
    Pull,
    /// A manifest that is pushed, an upload that is begun, something that is deleted.
    Push,
    /// A list, or a request of the management API.
    Api,
    /// A request for a token.
    Token,
}

impl Class {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Pull, Self::Push, Self::Api, Self::Token];

    /// The word of metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Api => "api",
            Self::Token => "token",
        }
    }

    /// The option that an operator sets, for those who are signed in or for those who are not.
    #[must_use]
    pub const fn option(self, signed_in: bool) -> &'static str {
        match (self, signed_in) {
            (Self::Pull, true) => "limits.pulls",
            (Self::Pull, false) => "limits.anonymous_pulls",
            (Self::Push, _) => "limits.pushes",
            (Self::Api, true) => "limits.api",
            (Self::Api, false) => "limits.anonymous_api",
            (Self::Token, _) => "limits.tokens",
        }
    }
}

/// One limit; nothing where there is none, which costs nothing.
type Limit = Option<Mutex<Meter>>;

/// The limits of this server. Each server counts for itself.
#[derive(Debug, Default)]
pub struct Limits {
    /// By class: for identities, and for addresses.
    meters: [(Limit, Limit); Class::ALL.len()],
}

impl Limits {
    /// Takes the limits from the configuration. A registry that is open to anyone has none: there are no identities, and a
    /// whole network may stand behind one address.
    #[must_use]
    pub fn new(config: &config::Limits, open: bool) -> Self {
        if open {
            return Self::default();
        }
        const MINUTE: Duration = Duration::from_mins(1);
        let meter = |limit, window| Meter::new(limit, window).map(Mutex::new);
        let pair = |class| match class {
            Class::Pull => (meter(config.pulls, config.pull_window), meter(config.anonymous_pulls, config.pull_window)),
            Class::Push => (meter(config.pushes, MINUTE), None),
            Class::Api => (meter(config.api, MINUTE), meter(config.anonymous_api, MINUTE)),
            // Whoever asks for a token has proved nothing yet.
            Class::Token => (None, meter(config.tokens, MINUTE)),
        };
        Self { meters: Class::ALL.map(pair) }
    }

    /// Takes one from the share of whoever asks; nothing where no limit holds.
    pub fn take(&self, class: Class, who: &Identity, address: Option<IpAddr>, now: i64) -> Option<Quota> {
        self.with(class, who, |meter, principal| match principal {
            Some(principal) => meter.take(principal, now),
            None => meter.take(address.map(network), now),
        })
    }

    /// Tells what is left of the share of whoever asks.
    #[must_use]
    pub fn peek(&self, class: Class, who: &Identity, address: Option<IpAddr>, now: i64) -> Option<Quota> {
        self.with(class, who, |meter, principal| match principal {
            Some(principal) => meter.peek(principal, now),
            None => meter.peek(address.map(network), now),
        })
    }

    fn with(
        &self,
        class: Class,
        who: &Identity,
        count: impl FnOnce(&mut Meter, Option<&str>) -> Quota,
    ) -> Option<Quota> {
        let (signed_in, anonymous) = &self.meters[class as usize];
        let (limit, principal) = match who {
            Identity::User(account) | Identity::Robot(account) => (signed_in, Some(&*account.public_id)),
            Identity::Anonymous => (anonymous, None),
            Identity::System => return None,
        };
        let mut meter = limit.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(count(&mut meter, principal))
    }
}
