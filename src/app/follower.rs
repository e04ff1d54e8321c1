//! Follows what administrators set, maybe on another node.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use crate::registry::instance;

/// How often is looked.
const EVERY: Duration = Duration::from_secs(2);

impl App {
    /// Reads the settings of the instance again and again, until it is dropped.
    pub async fn follow_settings_forever(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failed = false;
        loop {
            ticks.tick().await;
            match instance::refresh(&self.registry).await {
                Ok(()) => failed = false,
                // Once, and not every two seconds.
                Err(error) if !failed => {
                    failed = true;
                    tracing::warn!(%error, "the settings of the instance could not be read; the last ones hold");
                }
                Err(_) => {}
            }
        }
    }
}
