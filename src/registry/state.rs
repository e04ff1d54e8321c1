//! What the rules work with.

use std::sync::Arc;
use std::time::Duration;

use super::access::Access;
use super::audit::Audit;
use crate::blobs::{Blobs, Pool};
use crate::config;
use crate::db::Db;

/// The database, the store and the settings that the rules need.
pub struct Registry {
    /// The metadata.
    pub db: Arc<Db>,
    /// The bytes.
    pub blobs: Arc<dyn Blobs>,
    /// The buffers through which bytes arrive.
    pub pool: Arc<Pool>,
    /// Who may do what.
    pub access: Arc<Access>,
    /// What is to be written down, and the key of its chain.
    pub audit: Arc<Audit>,
    /// Limits and policies.
    pub settings: config::Registry,
    /// Expiry and grace periods.
    pub storage: config::Storage,
    /// How long a request may hold an upload session without a sign of life.
    pub lease: Duration,
    /// Names the server of this data directory across its restarts, so that a lease tells who holds it.
    pub node: Arc<str>,
    /// Names the boot of the machine: what was in memory only is trusted under the same one.
    pub boot: Arc<str>,
}
