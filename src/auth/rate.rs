//! How much of something each may take in a while: a meter by the generic cell rate algorithm.
//!
//! Of each key one number is kept: when its next one would be due if all came evenly. Who took nothing for a whole window
//! may take all of it at once; after that, one comes free at a time.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::time::Duration;

const SECOND: i64 = 1_000_000;
/// At most this many keys are kept; what was taken least of is forgotten first.
const MOST_KEYS: usize = 64 * 1024;

/// What is left of a limit. Seconds are rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many there are in a window.
    pub limit: u64,
    /// How long the window is, in seconds.
    pub window: u64,
    /// How many are left at this moment.
    pub remaining: u64,
    /// In how many seconds all of them are there again.
    pub reset: u64,
    /// How long there is to wait, in seconds, where this one was not to be had.
    pub wait: Option<u64>,
}

/// Counts what each key takes. Times are passed in, as microseconds since 1970.
#[derive(Debug)]
pub struct Meter {
    limit: u64,
    /// The time in which one comes free, in microseconds.
    step: i64,
    /// Of each key, by its hash, when its next one would be due.
    due: HashMap<u64, i64>,
    hasher: RandomState,
}

impl Meter {
    /// Lets `limit` through in each `window`; nothing for a limit of zero, which stands for none.
    #[must_use]
    pub fn new(limit: usize, window: Duration) -> Option<Self> {
        let most = i64::try_from(limit).ok().filter(|most| *most > 0)?;
        let step = i64::try_from(window.as_micros()).unwrap_or(i64::MAX).div_euclid(most).max(1);
        Some(Self { limit: limit as u64, step, due: HashMap::new(), hasher: RandomState::new() })
    }

    fn window(&self) -> i64 {
        self.step.saturating_mul(self.limit as i64)
    }

    /// Takes one, if it is to be had.
    pub fn take(&mut self, key: impl Hash, now: i64) -> Quota {
        let key = self.hasher.hash_one(key);
        let due = self.due.get(&key).copied().unwrap_or(now).max(now);
        let next = due.saturating_add(self.step);
        let wait = next.saturating_sub(now).saturating_sub(self.window());
        if wait > 0 {
            return Quota { wait: Some(seconds(wait).max(1)), ..self.quota(due, now) };
        }
        self.make_room(now);
        self.due.insert(key, next);
        self.quota(next, now)
    }

    /// Tells what is left, and takes nothing.
    #[must_use]
    pub fn peek(&self, key: impl Hash, now: i64) -> Quota {
        let due = self.due.get(&self.hasher.hash_one(key)).copied().unwrap_or(now);
        self.quota(due.max(now), now)
    }

    fn quota(&self, due: i64, now: i64) -> Quota {
        let taken = due.saturating_sub(now);
        let remaining = self.window().saturating_sub(taken).max(0).div_euclid(self.step);
        Quota {
            limit: self.limit,
            window: seconds(self.window()),
            remaining: remaining.unsigned_abs(),
            reset: seconds(taken),
            wait: None,
        }
    }

    fn make_room(&mut self, now: i64) {
        if self.due.len() < MOST_KEYS {
            return;
        }
        // Of those nothing is known that a new key would not have.
        self.due.retain(|_, due| *due > now);
        if self.due.len() > MOST_KEYS / 2 {
            let mut all: Vec<(i64, u64)> = self.due.iter().map(|(key, due)| (*due, *key)).collect();
            let half = all.len() / 2;
            let (_, &mut least_kept, _) = all.select_nth_unstable(half);
            self.due.retain(|key, due| (*due, *key) >= least_kept);
        }
    }
}

/// Whole seconds, rounded up.
fn seconds(micros: i64) -> u64 {
    micros.max(0).unsigned_abs().div_ceil(SECOND.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{MOST_KEYS, Meter, SECOND};

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn all_may_be_taken_at_once_and_come_free_one_by_one() {
        let mut meter = Meter::new(6, MINUTE).unwrap();
        let left: Vec<u64> = (0..6).map(|_| meter.take("a", 0).remaining).collect();
        assert_eq!(left, [5, 4, 3, 2, 1, 0]);
        let refused = meter.take("a", 0);
        assert_eq!((refused.wait, refused.reset, refused.limit, refused.window), (Some(10), 60, 6, 60));
        assert_eq!(meter.take("a", 10 * SECOND).wait, None);
        assert_eq!(meter.take("a", 15 * SECOND).wait, Some(5));
        // Others are not disturbed, and looking takes nothing.
        assert_eq!(meter.peek("b", 0).remaining, 6);
        assert_eq!(meter.peek("b", 0).remaining, 6);
        assert_eq!(meter.peek("a", 1000 * SECOND).remaining, 6);
    }

    #[test]
    fn no_limit_is_no_meter() {
        assert!(Meter::new(0, MINUTE).is_none());
    }

    #[test]
    fn a_flood_of_keys_neither_grows_it_nor_frees_who_took_much() {
        let mut meter = Meter::new(100, MINUTE).unwrap();
        while meter.take("greedy", 0).wait.is_none() {}
        for key in 0..3 * MOST_KEYS {
            meter.take(key, 0);
        }
        assert!(meter.due.len() <= MOST_KEYS);
        assert!(meter.take("greedy", 0).wait.is_some());
    }

    proptest! {
        #[test]
        fn never_more_than_two_windows_worth_in_one_window(limit in 1_usize..50, gaps in prop::collection::vec(0..3_000_000_i64, 1..300)) {
            let mut meter = Meter::new(limit, MINUTE).unwrap();
            let (mut now, mut taken) = (0, Vec::new());
            for gap in gaps {
                now += gap;
                if meter.take("a", now).wait.is_none() {
                    taken.push(now);
                }
            }
            for start in &taken {
                let inside = taken.iter().filter(|at| (*start..*start + 60 * SECOND).contains(*at)).count();
                prop_assert!(inside <= 2 * limit);
            }
        }

        #[test]
        fn who_waits_as_long_as_told_is_let_through(limit in 1_usize..1000, start in 0..SECOND) {
            let mut meter = Meter::new(limit, MINUTE).unwrap();
            let wait = loop {
                if let Some(wait) = meter.take("a", start).wait { break wait }
            };
            prop_assert_eq!(meter.take("a", start + wait as i64 * SECOND).wait, None);
        }
    }
}
