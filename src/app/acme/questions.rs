//! What anybody may ask without saying who they are: the answers that authorities fetch.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Semaphore;

use crate::registry::Error;
use crate::registry::certificates::Proof;

/// How many answers are looked up at once. An authority asks from a handful of places; whoever asks without end must not
/// have the database for himself.
const AT_ONCE: usize = 4;
/// How often the log tells of them, at most, in microseconds: it is written to by whoever asks.
const TOLD_EVERY: i64 = 60 * 1_000_000;

/// The questions by one kind of challenge.
#[derive(Debug)]
pub struct Questions {
    proof: Proof,
    turns: Semaphore,
    failed: Rarely,
    answered: Rarely,
}

impl Questions {
    /// For questions of that kind.
    #[must_use]
    pub const fn new(proof: Proof) -> Self {
        Self {
            proof,
            turns: Semaphore::const_new(AT_ONCE),
            failed: Rarely(AtomicI64::new(0)),
            answered: Rarely(AtomicI64::new(0)),
        }
    }

    /// Looks an answer up when it is its turn.
    ///
    /// # Errors
    ///
    /// When the look-up fails; that is told in the log, once a minute.
    pub async fn answer(
        &self,
        now: i64,
        look_up: impl Future<Output = Result<Option<String>, Error>>,
    ) -> Result<Option<String>, Error> {
        // Nobody closes the semaphore.
        let Ok(_turn) = self.turns.acquire().await else { return Ok(None) };
        let found = look_up.await;
        match &found {
            Ok(Some(_)) if self.answered.is_time(now) => {
                tracing::info!("answered an authority that asked by {}", self.proof.as_str());
            }
            Err(error) if self.failed.is_time(now) => {
                tracing::warn!(%error, "an authority that asks by {} cannot be answered", self.proof.as_str());
            }
            Ok(_) | Err(_) => {}
        }
        found
    }
}

/// Something that is told once a minute: when it was told last.
#[derive(Debug)]
struct Rarely(AtomicI64);

impl Rarely {
    fn is_time(&self, now: i64) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let over = now < last || now.saturating_sub(last) >= TOLD_EVERY;
        over && self.0.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test]
    async fn strangers_look_up_a_few_at_once_and_each_in_its_turn() {
        let questions = Questions::new(Proof::Http);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let ask = async |n: usize| {
            let look_up = async {
                most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::Relaxed);
                Ok(Some(n.to_string()))
            };
            assert_eq!(questions.answer(1, look_up).await.unwrap(), Some(n.to_string()));
        };
        tokio::join!(ask(0), ask(1), ask(2), ask(3), ask(4), ask(5), ask(6), ask(7), ask(8), ask(9));
        assert_eq!(most.load(Ordering::Relaxed), AT_ONCE);
    }

    #[test]
    fn what_strangers_cause_is_told_once_a_minute() {
        let rarely = Rarely(AtomicI64::new(0));
        let start = 1_000 * TOLD_EVERY;
        let told = [start, start + 1, start + TOLD_EVERY - 1, start + TOLD_EVERY].map(|now| rarely.is_time(now));
        assert_eq!(told, [true, false, false, true]);
        assert!(rarely.is_time(start), "a clock that was put back does not silence it");
    }
}
