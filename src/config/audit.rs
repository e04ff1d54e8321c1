//! What is written down of who did what.

use std::time::Duration;

use super::concern::{choice, concern};

concern! {
    /// What is written down of who did what.
    pub struct Audit in audit {
        /// Whose pulls are written down one by one: those of who is `signed-in`, `all`, or none (`off`). Anybody could
        /// fill the database by pulling what is public; pulls are counted in any case.
        pulls: AuditPulls = AuditPulls::SignedIn;
        /// How long events are kept; `0s` stands for ever. Where the chain begins after older ones were removed is
        /// sealed with the key, so that `havre audit verify` goes on from there.
        retention: Duration = Duration::ZERO,
            within = Duration::ZERO..=Duration::from_hours(365 * 24 * 100), example = "400d";
    }
}

choice! {
    /// Whose pulls are written down one by one.
    pub enum AuditPulls {
        /// Those of users and robots.
        SignedIn = "signed-in",
        /// Everybody's.
        All = "all",
        /// Nobody's.
        Off = "off",
    }
}
