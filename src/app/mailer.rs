//! Sends the mails that changes have queued.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use crate::clock;
use crate::mail::Mailer;
use crate::registry::{Ctx, Error, mails};

/// How often the outbox is looked at.
const EVERY: Duration = Duration::from_secs(2);
/// What has expired is forgotten once in so many looks.
const EXPIRE_EVERY: u32 = 150;

impl App {
    /// Sends what is due, again and again, until it is dropped.
    pub async fn mail_forever(self: Arc<Self>, mailer: Option<Mailer>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looks: u32 = 0;
        loop {
            ticks.tick().await;
            if looks.is_multiple_of(EXPIRE_EVERY)
                && let Err(error) = mails::expire(&self.registry, &Ctx::system(clock::now())).await
            {
                tracing::warn!(%error, "cannot forget links that have expired");
            }
            looks = looks.wrapping_add(1);
            if let Some(mailer) = &mailer
                && let Err(error) = Box::pin(self.send_mails(mailer)).await
            {
                tracing::warn!(%error, "cannot look after the mails; trying again");
            }
        }
    }

    /// Sends what is due now.
    pub async fn send_mails(&self, mailer: &Mailer) -> Result<(), Error> {
        while let Some(due) = mails::take(&self.registry, &Ctx::system(clock::now())).await? {
            // Never the text or the address: the one opens an account, the other is personal.
            match Box::pin(mailer.send(&due.envelope)).await {
                Ok(()) => mails::sent(&self.registry, &due).await?,
                Err(failure) => {
                    let ctx = Ctx::system(clock::now());
                    let given_up = mails::failed(&self.registry, &ctx, &due, failure.for_good).await?;
                    tracing::warn!(given_up, step = failure.step, "a mail was not sent; `havre mail test` tells more");
                }
            }
        }
        Ok(())
    }
}
