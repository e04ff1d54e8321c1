//! Has the registry swept from time to time.

use std::sync::Arc;

use super::App;
use crate::clock;
use crate::registry::{Ctx, sweep};

impl App {
    /// Sweeps at every interval, until it is dropped.
    pub async fn sweep_forever(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(self.config.storage.sweep_interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match sweep::sweep(&self.registry, &Ctx::system(clock::now())).await {
                Ok(swept) if swept == sweep::Swept::default() => {}
                Ok(swept) => {
                    let metrics = &self.metrics.sweeper;
                    metrics.uploads_expired.inc_by(swept.uploads);
                    metrics.blobs_removed.inc_by(swept.blobs);
                    metrics.bytes_freed.inc_by(swept.bytes);
                    tracing::info!(?swept, "swept");
                }
                Err(error) => tracing::warn!(%error, "the sweep stopped early; the next one goes on"),
            }
        }
    }
}
