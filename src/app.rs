//! The application: everything that a request or a command works with, put together from the configuration.

pub mod acme;
mod audit_head;
mod auditor;
mod first_start;
mod follower;
mod health;
pub mod limits;
mod mailer;
mod master_key;
mod open;
mod sweeper;

use std::sync::Arc;

use limits::Limits;
use tokio::sync::Semaphore;

pub use first_start::{FirstStart, INITIAL_PASSWORD, forget_initial_password};
pub use health::Health;
pub use master_key::master_key_or_new;
pub use open::{DataDirectory, OpenError, inspect, registry};

use crate::config::Config;
use crate::registry::Registry;
use crate::telemetry::access::AccessLog;
use crate::telemetry::metrics::Metrics;

/// What may lie in memory of manifests that are being received, all together. Ordinary ones have some KiB.
const MANIFEST_MEMORY_KIB: usize = 64 * 1024;

/// A running Havre.
pub struct App {
    /// What the operator decided.
    pub config: Config,
    /// What the rules work with.
    pub registry: Registry,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where requests are written down.
    pub access: AccessLog,
    /// The host that clients know, as it stands in the names of images, where the configuration tells it.
    pub public_host: Option<String>,
    /// What may lie in memory of manifests that are being received, in KiB.
    pub manifest_memory: Semaphore,
    /// How much each may ask for.
    pub limits: Limits,
    health: tokio::sync::Mutex<()>,
}

impl App {
    /// Puts the application together.
    pub fn new(config: Config, registry: Registry, metrics: Arc<Metrics>, access: AccessLog) -> Arc<Self> {
        let public_host = config.public_host();
        let limits = Limits::new(&config.limits, config.server.open);
        Arc::new(Self {
            limits,
            config,
            registry,
            metrics,
            access,
            public_host,
            manifest_memory: Semaphore::new(MANIFEST_MEMORY_KIB),
            health: tokio::sync::Mutex::default(),
        })
    }
}
