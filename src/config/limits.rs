//! How much each may ask for.

use std::time::Duration;

use super::concern::concern;

/// The most that a limit can be.
const MOST: usize = 10_000_000;

concern! {
    /// How much each may ask for in a while, counted by each server for itself. 0 is no limit. Those who are signed in are
    /// counted by user or robot, others by address (IPv6: by /64). Nothing is limited with `server.open`.
    pub struct Limits in limits {
        /// Manifests that a user or robot may pull in `limits.pull_window`. An image for several platforms takes two.
        /// Looking at one without fetching it (`HEAD`) is not counted.
        pulls: usize = 0, within = 0..=MOST, example = "5000";
        /// The same, for an address from which nobody is signed in.
        anonymous_pulls: usize = 0, within = 0..=MOST, example = "100";
        /// Time in which pulls are counted.
        pull_window: Duration = Duration::from_hours(6),
            within = Duration::from_mins(1)..=Duration::from_hours(24), example = "1h";
        /// Manifests that a user or robot may push in a minute, blobs begun to be uploaded and deletions included.
        pushes: usize = 6_000, within = 0..=MOST, example = "600";
        /// Lists (catalog, tags, referrers) and requests of the management API that a user or robot may ask for in a minute.
        api: usize = 6_000, within = 0..=MOST, example = "1200";
        /// The same, for an address from which nobody is signed in.
        anonymous_api: usize = 6_000, within = 0..=MOST, example = "600";
        /// Tokens that an address may ask for in a minute: each `docker pull` or `docker push` asks for one or two.
        tokens: usize = 6_000, within = 0..=MOST, example = "1200";
    }
}
