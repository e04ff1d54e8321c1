//! Slows down who guesses passwords, without locking anybody out.
//!
//! Failures are counted for an account from an address, for an address, and for an account from anywhere, each with more
//! patience than the one before. The wait doubles with each failure. What others fail for an account from elsewhere does not
//! hold up its owner: an address from which the account signed in before waits only for its own failures. Tokens never come here: they cannot be guessed.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::Duration;

const SECOND: i64 = 1_000_000;
/// Wrong passwords older than this are forgotten, in microseconds.
const MEMORY: i64 = 3600 * SECOND;
/// Wrong codes older than this are: whoever tries a few, and comes again an hour later, guesses a million in the end.
const MEMORY_OF_CODES: i64 = 24 * 3600 * SECOND;
/// The longest wait, in microseconds.
const LONGEST: i64 = 15 * 60 * SECOND;
/// At most this many counters are kept.
const MOST: usize = 100_000;
/// How long an address is remembered from which an account signed in, in microseconds: 30 days.
const HOME: i64 = 30 * 24 * 3600 * SECOND;
/// At most this many of them are remembered, the latest.
const MOST_HOMES: usize = 50_000;

/// How much is borne.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// What failures are counted for (as below), with how many are forgiven and how long a wait may grow.
    counts: [(u32, i64); 3],
    /// How long a failure is remembered.
    memory: i64,
}

/// With passwords.
const PASSWORDS: Patience = Patience {
    counts: [
        // One account from one address: somebody mistypes.
        (5, LONGEST),
        // One address: an office behind one, or somebody who tries many accounts.
        (30, LONGEST),
        // One account from everywhere. Its owner must never be kept out by others for long.
        (100, 2 * SECOND),
    ],
    memory: MEMORY,
};

/// With one-time passwords. Whoever guesses them knows the password already, and a million are soon tried: so many
/// addresses together are no faster than one. The owner does not wait for them where the owner signed in before, nor, with
/// a recovery code, anywhere else.
const CODES: Patience = Patience { counts: [(5, LONGEST), (30, LONGEST), (10, LONGEST)], memory: MEMORY_OF_CODES };

/// With recovery codes, which nobody guesses: what others try does not keep the owner out.
const RECOVERY_CODES: Patience =
    Patience { counts: [(5, LONGEST), (30, LONGEST), (u32::MAX, 0)], memory: MEMORY_OF_CODES };

#[derive(Debug, Clone, Copy)]
struct Counter {
    failures: u32,
    last: i64,
    open_at: i64,
}

/// Counts failures to sign in. Times are passed in, as microseconds since 1970.
#[derive(Debug)]
pub struct Throttle {
    patience: Patience,
    counters: HashMap<u64, Counter>,
    /// When an account last signed in at an address.
    homes: HashMap<u64, i64>,
    hasher: RandomState,
}

impl Default for Throttle {
    fn default() -> Self {
        Self::with(PASSWORDS)
    }
}

impl Throttle {
    /// For one-time passwords.
    #[must_use]
    pub fn for_codes() -> Self {
        Self::with(CODES)
    }

    /// For recovery codes.
    #[must_use]
    pub fn for_recovery_codes() -> Self {
        Self::with(RECOVERY_CODES)
    }

    fn with(patience: Patience) -> Self {
        Self { patience, counters: HashMap::new(), homes: HashMap::new(), hasher: RandomState::new() }
    }

    fn keys(&self, account: &str, address: Option<IpAddr>) -> [u64; 3] {
        let address = address.map(network);
        [
            self.hasher.hash_one((0, account, address)),
            self.hasher.hash_one((1, address)),
            self.hasher.hash_one((2, account)),
        ]
    }

    /// How long this account has to wait at this address before it may try again.
    #[must_use]
    pub fn wait(&self, account: &str, address: Option<IpAddr>, now: i64) -> Option<Duration> {
        let keys = self.keys(account, address);
        let home = self.homes.get(&keys[0]).is_some_and(|last| now.saturating_sub(*last) <= HOME);
        let counted = if home { &keys[..2] } else { &keys[..] };
        let open_at = counted.iter().filter_map(|key| self.counters.get(key)).map(|c| c.open_at).max()?;
        (open_at > now).then(|| Duration::from_micros(open_at.abs_diff(now)))
    }

    /// Counts an attempt before it is looked at, so that many at once do not slip through; [`Throttle::forgive`] takes it
    /// back when it was right. Returns how many failed for the account, this one included, wherever they came from.
    pub fn charge(&mut self, account: &str, address: Option<IpAddr>, now: i64) -> u32 {
        self.make_room(now);
        let mut failures = 0;
        for (key, (forgiven, longest)) in self.keys(account, address).into_iter().zip(self.patience.counts) {
            let counter = self.counters.entry(key).or_insert(Counter { failures: 0, last: now, open_at: 0 });
            if now.saturating_sub(counter.last) > self.patience.memory {
                counter.failures = 0;
            }
            counter.failures = counter.failures.saturating_add(1);
            counter.last = now;
            let beyond = counter.failures.saturating_sub(forgiven);
            if beyond > 0 {
                let wait = SECOND.checked_shl((beyond - 1).min(20)).unwrap_or(longest).min(longest);
                counter.open_at = now.saturating_add(wait);
            }
            failures = counter.failures;
        }
        failures
    }

    /// Takes back the last charge: whether the attempt was right was not found out.
    pub fn take_back(&mut self, account: &str, address: Option<IpAddr>) {
        for key in self.keys(account, address) {
            self.undo(key);
        }
    }

    fn undo(&mut self, key: u64) {
        if let Some(counter) = self.counters.get_mut(&key) {
            counter.failures = counter.failures.saturating_sub(1);
            counter.open_at = 0;
        }
    }

    /// Takes back the last charge: the password was right. What this account failed at this address before is forgotten, and
    /// what it fails elsewhere does not count here from now on.
    pub fn forgive(&mut self, account: &str, address: Option<IpAddr>, now: i64) {
        let [pair, address, account] = self.keys(account, address);
        self.counters.remove(&pair);
        self.remember_home(pair, now);
        self.undo(address);
        self.undo(account);
    }

    fn remember_home(&mut self, pair: u64, now: i64) {
        if self.homes.len() >= MOST_HOMES && !self.homes.contains_key(&pair) {
            let mut all: Vec<(i64, u64)> = self.homes.iter().map(|(key, last)| (*last, *key)).collect();
            let half = all.len() / 2;
            let (_, &mut oldest_kept, _) = all.select_nth_unstable(half);
            self.homes.retain(|key, last| (*last, *key) >= oldest_kept);
        }
        self.homes.insert(pair, now);
    }

    fn make_room(&mut self, now: i64) {
        let more = self.patience.counts.len();
        if self.counters.len() + more > MOST {
            let memory = self.patience.memory;
            self.counters.retain(|_, counter| counter.open_at > now || now.saturating_sub(counter.last) <= memory);
        }
        if self.counters.len() + more > MOST {
            self.forget_half();
        }
    }

    /// Forgets the half with the fewest failures, of as many those that are longest ago. Who fills the memory from a great
    /// many addresses loses those first, and not what others are slowed for.
    fn forget_half(&mut self) {
        let weight = |(key, counter): (&u64, &Counter)| (counter.failures, counter.last, *key);
        let mut weights: Vec<_> = self.counters.iter().map(weight).collect();
        let half = weights.len() / 2;
        let (_, &mut least_kept, _) = weights.select_nth_unstable(half);
        self.counters.retain(|key, counter| weight((key, counter)) >= least_kept);
    }
}

/// The network that one customer has: an IPv6 address counts as its /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{LONGEST, MEMORY, MEMORY_OF_CODES, SECOND, Throttle};

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn the_wait_doubles_after_some_failures_and_is_forgotten() {
        let mut throttle = Throttle::default();
        let (account, address) = ("alice", ip("192.0.2.1"));
        for _ in 0..5 {
            throttle.charge(account, address, 0);
            assert_eq!(throttle.wait(account, address, 0), None);
        }
        let waits: Vec<_> = (0..4)
            .map(|_| {
                throttle.charge(account, address, 0);
                throttle.wait(account, address, 0).unwrap().as_secs()
            })
            .collect();
        assert_eq!(waits, [1, 2, 4, 8]);
        assert_eq!(throttle.wait(account, address, 8 * SECOND), None);
        for _ in 0..40 {
            throttle.charge(account, address, 0);
        }
        assert_eq!(throttle.wait(account, address, 0).unwrap().as_micros() as i64, LONGEST);
        throttle.charge(account, address, MEMORY + LONGEST);
        assert_eq!(throttle.wait(account, address, MEMORY + LONGEST), None);
    }

    #[test]
    fn others_are_not_disturbed() {
        let mut throttle = Throttle::default();
        for _ in 0..20 {
            throttle.charge("alice", ip("192.0.2.1"), 0);
        }
        assert!(throttle.wait("alice", ip("192.0.2.1"), 0).is_some());
        // The same account elsewhere, and another account there.
        assert_eq!(throttle.wait("alice", ip("192.0.2.2"), 0), None);
        assert_eq!(throttle.wait("bob", ip("192.0.2.1"), 0), None);
        throttle.forgive("alice", ip("192.0.2.1"), 0);
        assert_eq!(throttle.wait("alice", ip("192.0.2.1"), 0), None);
    }

    #[test]
    fn an_address_that_tries_many_accounts_waits_and_an_account_tried_from_everywhere_waits_a_little() {
        let mut throttle = Throttle::default();
        for n in 0..40 {
            throttle.charge(&format!("user{n}"), ip("2001:db8::1"), 0);
        }
        assert!(throttle.wait("anyone", ip("2001:db8::ffff"), 0).is_some(), "the same /64");
        assert_eq!(throttle.wait("anyone", ip("2001:db8:0:1::1"), 0), None);
        for n in 0..200 {
            throttle.charge("carol", ip(&format!("198.51.100.{n}")), 0);
        }
        let wait = throttle.wait("carol", ip("192.0.2.7"), 0).unwrap();
        assert!(wait.as_micros() as i64 <= 2 * SECOND);
    }

    #[test]
    fn who_signed_in_before_does_not_wait_for_what_others_guess() {
        let mut throttle = Throttle::default();
        let (home, elsewhere) = (ip("203.0.113.5"), ip("192.0.2.7"));
        throttle.charge("carol", home, 0);
        throttle.forgive("carol", home, 0);
        for n in 0..200 {
            throttle.charge("carol", ip(&format!("198.51.100.{n}")), 0);
        }
        assert!(throttle.wait("carol", elsewhere, 0).is_some());
        assert_eq!(throttle.wait("carol", home, 0), None);
        // What is guessed there counts there.
        for _ in 0..8 {
            throttle.charge("carol", home, 0);
        }
        assert!(throttle.wait("carol", home, 0).is_some());
        for n in 0..60_000_u32 {
            throttle.forgive("dave", Some(IpAddr::V4(n.into())), i64::from(n));
        }
        assert!(throttle.homes.len() <= super::MOST_HOMES);
    }

    #[test]
    fn a_flood_of_addresses_does_not_make_it_forget_who_guesses() {
        let mut throttle = Throttle::default();
        let guesser = ip("192.0.2.1");
        for _ in 0..20 {
            throttle.charge("alice", guesser, 0);
        }
        // Its wait is over, and it tries again, with a hundred thousand others in between.
        let now = LONGEST + SECOND;
        assert_eq!(throttle.wait("alice", guesser, now), None);
        for n in 0..100_000_u32 {
            throttle.charge(&format!("user{n}"), Some(IpAddr::V4(n.into())), now);
        }
        throttle.charge("alice", guesser, now);
        assert_eq!(throttle.wait("alice", guesser, now).unwrap().as_micros() as i64, LONGEST);
    }

    #[test]
    fn codes_are_not_guessed_faster_from_many_addresses() {
        let (mut throttle, home) = (Throttle::for_codes(), ip("203.0.113.5"));
        throttle.charge("carol", home, 0);
        throttle.forgive("carol", home, 0);
        for n in 0..40 {
            throttle.charge("carol", ip(&format!("198.51.100.{n}")), 0);
        }
        let wait = throttle.wait("carol", ip("192.0.2.7"), 0).unwrap();
        assert_eq!(wait.as_micros() as i64, LONGEST);
        assert_eq!(throttle.wait("carol", home, 0), None);
    }

    #[test]
    fn wrong_codes_are_remembered_for_a_day_and_those_of_an_account_told() {
        let (mut throttle, home) = (Throttle::for_codes(), ip("192.0.2.1"));
        let counts: Vec<u32> = (0..12).map(|n| throttle.charge("carol", home, n * 2 * MEMORY)).collect();
        assert_eq!(counts, (1..=12).collect::<Vec<_>>());
        assert_eq!(throttle.charge("carol", home, 22 * MEMORY + MEMORY_OF_CODES + 1), 1);
        // What was not found out is not counted, and what was before still is.
        let mut throttle = Throttle::for_codes();
        for _ in 0..20 {
            throttle.charge("carol", home, 0);
            throttle.take_back("carol", home);
        }
        assert_eq!(throttle.wait("carol", home, 0), None);
        assert_eq!(throttle.charge("carol", home, 0), 1);
    }

    #[test]
    fn recovery_codes_that_others_try_do_not_keep_the_owner_out() {
        let (mut throttle, guesser) = (Throttle::for_recovery_codes(), ip("192.0.2.1"));
        for n in 0..200 {
            throttle.charge("carol", ip(&format!("198.51.100.{n}")), 0);
            throttle.charge("carol", guesser, 0);
        }
        assert!(throttle.wait("carol", guesser, 0).is_some());
        assert_eq!(throttle.wait("carol", ip("203.0.113.5"), 0), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut throttle = Throttle::default();
        for n in 0..60_000_u32 {
            throttle.charge(&format!("user{n}"), Some(IpAddr::V4(n.into())), i64::from(n));
        }
        assert!(throttle.counters.len() <= super::MOST);
    }
}
