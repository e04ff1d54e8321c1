//! How blobs are stored and when they are removed.

use std::time::Duration;

use super::concern::{choice, concern};

concern! {
    /// How blobs are stored and when they are removed.
    pub struct Storage in storage {
        /// Whether an answer waits until what it acknowledges is on the disk (`full`), or the operating system may
        /// still hold it (`relaxed`). With `relaxed`, a power loss can take pushes that were acknowledged shortly
        /// before; a crash of the server alone cannot.
        durability: Durability = Durability::Full, flag = "--durability";
        /// How long an upload may rest before it is abandoned and its bytes are removed.
        upload_expiry: Duration = Duration::from_hours(24),
            within = Duration::from_secs(1)..=Duration::from_hours(365 * 24), example = "12h";
        /// How long a blob that no manifest references is kept. It covers the time between the push of a layer and the
        /// push of its manifest.
        unreferenced_grace: Duration = Duration::from_hours(24),
            within = Duration::ZERO..=Duration::from_hours(365 * 24), example = "2h";
        /// How often abandoned uploads and unreferenced blobs are looked for.
        sweep_interval: Duration = Duration::from_mins(10),
            within = Duration::from_millis(100)..=Duration::from_hours(24), example = "1h";
    }
}

choice! {
    /// What an acknowledged write has survived.
    pub enum Durability {
        /// It is on stable storage: file, directory and commit are synchronised.
        Full = "full",
        /// The operating system has it.
        Relaxed = "relaxed",
    }
}
