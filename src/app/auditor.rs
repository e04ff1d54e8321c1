//! Has what is to be written down written down, and chained.

use std::sync::Arc;
use std::time::Duration;

use super::{App, audit_head};
use crate::clock;
use crate::registry::{Ctx, audit};

/// How often. At most this long a crash takes of what was counted, and the chain is behind.
const EVERY: Duration = Duration::from_millis(500);

impl App {
    /// Writes down and chains, until it is dropped.
    pub async fn audit_forever(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            ticks.tick().await;
            failing = self.audit_once(failing).await;
        }
    }

    /// Writes down and chains what there is; for the last time, when the server stops. Tells whether that failed.
    pub async fn audit_once(&self, failing: bool) -> bool {
        let ctx = Ctx::system(clock::now());
        let before = self.registry.audit.kept();
        let flushed = audit::flush(&self.registry, &ctx).await;
        let done = match flushed {
            Ok(()) => audit::chain(&self.registry, &ctx).await.map(drop),
            Err(error) => Err(error),
        };
        let kept = self.registry.audit.kept();
        if let Some(head) = kept.filter(|_| kept != before)
            && let Err(error) = audit_head::write(&self.config.data_dir, head)
        {
            tracing::warn!(%error, "the end of the audit's chain cannot be written beside the database");
        }
        let dropped = self.registry.audit.take_dropped();
        if dropped > 0 {
            self.metrics.audit_dropped.inc_by(dropped);
            tracing::warn!(dropped, "too many at once to write each down; pulls were counted all the same");
        }
        match done {
            Ok(()) => false,
            Err(error) => {
                // Twice a second would fill the log.
                if !failing {
                    tracing::error!(%error, "the audit is behind; `havre audit verify` tells more");
                }
                true
            }
        }
    }
}
