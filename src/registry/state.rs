//! What the rules work with.

use std::sync::Arc;
use std::time::Duration;

use super::access::Access;
use super::audit::Audit;
use super::images;
use super::instance::Instance;
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
    /// What was read of images, for pages that show them.
    pub images: Arc<images::Memory>,
    /// How people come to an account.
    pub people: People,
    /// What administrators set while the server runs, and how much there is.
    pub instance: Arc<Instance>,
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

/// How people come to an account by themselves, and where the links that they are sent lead.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// Who signs up.
    pub sign_up: config::SignUp,
    /// Hosts of the e-mail addresses that may; none stands for all.
    pub domains: Vec<String>,
    /// What links begin with, without a slash at its end.
    pub base: String,
    /// The registry, as mails call it.
    pub host: String,
    /// Whether mails are sent.
    pub mail: bool,
}
