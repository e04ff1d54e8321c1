//! What is gathered in memory until it is written: pulls, which repositories were pushed to, and sign-ins that were refused.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use oci::{Digest, Reference, RepositoryName};

use super::Audit;
use crate::auth::proof::credential_text;
use crate::config::AuditPulls;
use crate::db::manifests::Keys;
use crate::db::{self, Tx, pulls};
use crate::registry::search::keywords;
use crate::registry::{Ctx, Error, Event, Identity, Registry};

/// At most this many manifests and this many tags are counted between two flushes.
const COUNTED: usize = 64 * 1024;
/// At most this many pulls are written down one by one between two flushes.
const TOLD: usize = 4096;
/// At most this many kinds of refusals (an account at an address) are told apart in [`WINDOW`].
const REFUSED: usize = 64;
/// Refusals of one kind are written down when the first comes, and then as a count, once in this time in microseconds.
const WINDOW: i64 = 60_000_000;
/// Longest name, in characters, that is kept of somebody who is unknown.
const NAME: usize = 64;
/// At most this many counters or events in one transaction.
const BATCH: usize = 256;
/// Of at most this many images that were pushed is read what they say of themselves, between two flushes.
const READ: usize = 64;
const DAY: i64 = 24 * 3600 * 1_000_000;

/// A manifest that was fetched, or looked for by a tag.
#[derive(Debug, Clone, Copy)]
pub struct Pull<'a> {
    /// The repository.
    pub repository: &'a RepositoryName,
    /// As what it was asked for.
    pub reference: &'a Reference,
    /// Its digest.
    pub digest: &'a Digest,
    /// Its rows.
    pub keys: Keys,
    /// Whether its bytes were asked for (GET, not HEAD).
    pub fetched: bool,
}

/// What is counted of one manifest.
#[derive(Debug, Clone, Copy)]
struct Fetches {
    repository: i64,
    by_tag: i64,
    by_digest: i64,
    last: i64,
}

/// What was pushed to a repository last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Push {
    pub(super) repository: i64,
    pub(super) manifest: i64,
    pub(super) at: i64,
}

/// A pull to write down.
#[derive(Debug, Clone)]
struct Told {
    ctx: Ctx,
    repository: RepositoryName,
    tag: Option<String>,
    digest: Digest,
    fetched: bool,
    times: i64,
}

/// Pulls and pushes since the last flush.
#[derive(Debug, Default)]
pub(super) struct Pulls {
    manifests: HashMap<i64, Fetches>,
    /// Of each repository when, and which manifest, was pushed last.
    pushed: HashMap<i64, Push>,
    tags: HashMap<(i64, String), i64>,
    told: Vec<Told>,
}

/// Refused sign-ins of one account at one address.
#[derive(Debug, Clone)]
struct Refusal {
    ctx: Ctx,
    user: Option<String>,
    name: Option<String>,
    since: i64,
    count: i64,
    told: bool,
}

/// Refused sign-ins of the last minute.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    kinds: HashMap<(String, Option<IpAddr>), Refusal>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Audit {
    /// Counts a pull, and has it written down if that was asked for. Cheap: it is done for every pull.
    pub fn pulled(&self, ctx: &Ctx, pull: &Pull<'_>) {
        let tag = match pull.reference {
            Reference::Tag(tag) => Some(tag.as_str().to_owned()),
            Reference::Digest(_) => None,
        };
        let signed_in = matches!(ctx.identity, Identity::User(_) | Identity::Robot(_));
        let told = match self.settings.pulls {
            AuditPulls::SignedIn => signed_in,
            AuditPulls::All => true,
            AuditPulls::Off => false,
        };
        let told = told.then(|| Told {
            ctx: ctx.clone(),
            repository: pull.repository.clone(),
            tag: tag.clone(),
            digest: *pull.digest,
            fetched: pull.fetched,
            times: 1,
        });
        let mut pulls = lock(&self.pulls);
        let mut dropped = 0;
        if pull.fetched && !pulls.count(pull.keys, tag.is_some(), ctx.now) {
            dropped += 1;
        }
        if let Some(tag) = tag
            && (pulls.tags.len() < COUNTED || pulls.tags.contains_key(&(pull.keys.repository, tag.clone())))
        {
            pulls.tags.insert((pull.keys.repository, tag), ctx.now);
        }
        match told {
            Some(told) if pulls.told.len() < TOLD => pulls.told.push(told),
            Some(_) => dropped += 1,
            None => {}
        }
        drop(pulls);
        if dropped > 0 {
            self.dropped.fetch_add(dropped, Ordering::Relaxed);
        }
    }

    /// Notes that a manifest was pushed. Cheap: a push waits for nothing that is for lists alone.
    pub fn pushed(&self, repository: i64, manifest: i64, at: i64) {
        let mut pulls = lock(&self.pulls);
        if pulls.pushed.len() < COUNTED || pulls.pushed.contains_key(&repository) {
            pulls.pushed.insert(repository, Push { repository, manifest, at });
        }
    }

    /// Has the next flush write everything: there will be none after it.
    pub fn close(&self) {
        for refusal in lock(&self.refusals).kinds.values_mut() {
            refusal.since = i64::MIN;
        }
    }

    /// Notes that a sign-in was refused. `user`: the public id, where there is such an account. Whoever makes up names
    /// must not fill the database: what is too much is counted together.
    pub fn refused(&self, ctx: &Ctx, name: &str, user: Option<&str>) {
        let name: String = name.chars().filter(|c| !c.is_control()).take(NAME).collect();
        let mut refusals = lock(&self.refusals);
        // Who makes up names must not hide guesses at accounts that exist in the crowd.
        let alike = refusals.kinds.values().filter(|refusal| refusal.user.is_some() == user.is_some()).count();
        let full = alike >= REFUSED;
        let key = (name.clone(), ctx.address);
        let (key, known) = match full && !refusals.kinds.contains_key(&key) {
            true => ((String::new(), None), false),
            false => (key, true),
        };
        let refusal = refusals.kinds.entry(key).or_insert_with(|| Refusal {
            // The others together are nobody's.
            ctx: if known { ctx.clone() } else { Ctx { address: None, user_agent: None, ..ctx.clone() } },
            user: user.filter(|_| known).map(str::to_owned),
            name: (known && user.is_none()).then_some(name),
            since: ctx.now,
            count: 0,
            told: false,
        });
        refusal.count += 1;
        refusal.ctx.now = ctx.now;
        if !known {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Pulls {
    fn count(&mut self, keys: Keys, by_tag: bool, now: i64) -> bool {
        let room = self.manifests.len() < COUNTED;
        let fetches = match self.manifests.entry(keys.manifest) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) if room => {
                entry.insert(Fetches { repository: keys.repository, by_tag: 0, by_digest: 0, last: now })
            }
            Entry::Vacant(_) => return false,
        };
        if by_tag {
            fetches.by_tag += 1;
        } else {
            fetches.by_digest += 1;
        }
        fetches.last = now;
        true
    }

    fn give_back(&mut self, id: i64, fetches: &Fetches) {
        self.manifests
            .entry(id)
            .and_modify(|now| {
                now.by_tag += fetches.by_tag;
                now.by_digest += fetches.by_digest;
            })
            .or_insert(*fetches);
    }
}

impl Refusals {
    /// Takes what is to be written now: the first of each kind at once, what came after it when its minute is over.
    fn due(&mut self, now: i64) -> Vec<Refusal> {
        let mut due = Vec::new();
        self.kinds.retain(|_, refusal| {
            let over = now.saturating_sub(refusal.since) >= WINDOW;
            if refusal.count > 0 && (over || !refusal.told) {
                due.push(refusal.clone());
                refusal.count = 0;
                refusal.told = true;
            }
            !over
        });
        due
    }
}

/// Writes down what was gathered. Counts that cannot be written are kept for the next time.
pub async fn flush(registry: &Registry, ctx: &Ctx) -> Result<(), Error> {
    let gathered = std::mem::take(&mut *lock(&registry.audit.pulls));
    let mut manifests: Vec<_> = gathered.manifests.into_iter().collect();
    // In the order of their keys: two nodes that flush at once then never wait for each other in a circle.
    manifests.sort_unstable_by_key(|(id, _)| *id);
    for (done, batch) in manifests.chunks(BATCH).enumerate() {
        let owned = batch.to_vec();
        if let Err(error) = registry.db.write_soft(move |tx| count(tx, &owned)).await {
            let mut pulls = lock(&registry.audit.pulls);
            for (id, fetches) in &manifests[done * BATCH..] {
                pulls.give_back(*id, fetches);
            }
            drop(pulls);
            registry.audit.dropped.fetch_add(gathered.told.len() as u64, Ordering::Relaxed);
            return Err(error.into());
        }
    }
    if let Err(error) = note_pushes(registry, &gathered.pushed).await {
        let mut pulls = lock(&registry.audit.pulls);
        for (repository, push) in gathered.pushed {
            pulls.pushed.entry(repository).or_insert(push);
        }
        drop(pulls);
        registry.audit.dropped.fetch_add(gathered.told.len() as u64, Ordering::Relaxed);
        return Err(error);
    }
    let told = merged(gathered.told);
    let lost = |error: db::Error, many: usize| {
        registry.audit.dropped.fetch_add(many as u64, Ordering::Relaxed);
        Error::from(error)
    };
    let mut tags: Vec<_> = gathered.tags.into_iter().collect();
    tags.sort_unstable();
    for batch in tags.chunks(BATCH) {
        let batch = batch.to_vec();
        let touch = move |tx: &mut Tx<'_>| {
            batch.iter().try_for_each(|((repository, tag), at)| pulls::touch(tx, *repository, tag, *at))
        };
        registry.db.write_soft(touch).await.map_err(|error| lost(error, told.len()))?;
    }
    for (done, batch) in told.chunks(BATCH).enumerate() {
        let batch = batch.to_vec();
        let record = move |tx: &mut Tx<'_>| batch.iter().try_for_each(|told| told.record(tx));
        registry.db.write_soft(record).await.map_err(|error| lost(error, told.len() - done * BATCH))?;
    }
    let refused = lock(&registry.audit.refusals).due(ctx.now);
    if refused.is_empty() {
        return Ok(());
    }
    let many = refused.iter().map(|refusal| refusal.count as usize).sum();
    let record = move |tx: &mut Tx<'_>| refused.iter().try_for_each(|refusal| refusal.record(tx));
    registry.db.write_soft(record).await.map_err(|error| lost(error, many))
}

/// Writes when was pushed to which repository last, and what the image says of itself.
async fn note_pushes(registry: &Registry, pushed: &HashMap<i64, Push>) -> Result<(), Error> {
    let mut pushes: Vec<Push> = pushed.values().copied().collect();
    pushes.sort_unstable_by_key(|push| push.repository);
    let mut said = Vec::new();
    for push in pushes.iter().take(READ) {
        said.extend(keywords::of(registry, push.repository, push.manifest).await.map(|words| (push.repository, words)));
    }
    for batch in pushes.chunks(BATCH) {
        let owned = batch.to_vec();
        let note =
            move |tx: &mut Tx<'_>| owned.iter().try_for_each(|push| pulls::set_pushed(tx, push.repository, push.at));
        registry.db.write_soft(note).await?;
    }
    if said.is_empty() {
        return Ok(());
    }
    let keep = move |tx: &mut Tx<'_>| said.iter().try_for_each(|(id, words)| db::keywords::keep(tx, *id, words));
    Ok(registry.db.write_soft(keep).await?)
}

fn count(tx: &mut Tx<'_>, manifests: &[(i64, Fetches)]) -> Result<(), db::Error> {
    let mut days: BTreeMap<(i64, i64), pulls::Count> = BTreeMap::new();
    for (id, fetches) in manifests {
        let child = fetches.by_digest > 0 && pulls::is_child(tx, *id)?;
        let child_pulls = if child { fetches.by_digest } else { 0 };
        let count = pulls::Count { pulls: fetches.by_tag + fetches.by_digest - child_pulls, child_pulls };
        pulls::add(tx, *id, count, fetches.last)?;
        let day = days.entry((fetches.repository, fetches.last.div_euclid(DAY))).or_default();
        day.pulls += count.pulls;
        day.child_pulls += count.child_pulls;
    }
    let mut totals: BTreeMap<i64, i64> = BTreeMap::new();
    for ((repository, day), count) in days {
        pulls::add_day(tx, repository, day, count)?;
        *totals.entry(repository).or_default() += count.pulls;
    }
    totals.into_iter().filter(|(_, pulls)| *pulls > 0).try_for_each(|(id, pulls)| pulls::add_total(tx, id, pulls))
}

/// What one client did several times between two flushes is one event with a count.
fn merged(told: Vec<Told>) -> Vec<Told> {
    let mut places: HashMap<_, usize> = HashMap::new();
    let mut kept: Vec<Told> = Vec::new();
    for told in told {
        let key = (
            told.ctx.identity.principal(),
            told.ctx.credential.as_ref().map(|held| credential_text(&held.proof.credential)),
            told.ctx.address,
            told.repository.clone(),
            told.tag.clone(),
            told.digest,
            told.fetched,
        );
        match places.entry(key) {
            Entry::Occupied(place) => kept[*place.get()].times += 1,
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(told);
            }
        }
    }
    kept
}

impl Told {
    fn record(&self, tx: &mut Tx<'_>) -> Result<(), db::Error> {
        let event = Event {
            kind: if self.fetched { "manifest.pull" } else { "manifest.head" },
            repository: Some(&self.repository),
            tag: self.tag.as_deref(),
            digest: Some(&self.digest),
            detail: (self.times > 1).then(|| format!("{{\"times\":{}}}", self.times)),
            ..Event::default()
        };
        self.ctx.record(tx, &event).map(drop)
    }
}

impl Refusal {
    fn record(&self, tx: &mut Tx<'_>) -> Result<(), db::Error> {
        let detail = match &self.user {
            Some(user) => serde_json::json!({ "user": user, "times": self.count }),
            None => serde_json::json!({ "times": self.count }),
        };
        let event = Event {
            kind: "account.sign_in_refused",
            refused: true,
            detail: Some(detail.to_string()),
            person: self.user.as_ref().map(|user| format!("user:{user}")),
            name: self.name.clone(),
            ..Event::default()
        };
        self.ctx.record(tx, &event).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use oci::{Algorithm, Reference, RepositoryName, Tag};

    use super::{Pull, REFUSED, TOLD, WINDOW, lock};
    use crate::config::{self, AuditPulls};
    use crate::db::manifests::Keys;
    use crate::registry::Ctx;
    use crate::registry::audit::Audit;

    #[test]
    fn what_was_counted_together_is_written_at_the_end_too() {
        let audit = Audit::new(config::Audit::default(), None);
        let refuse = |now| audit.refused(&Ctx::system(now), "alice", None);
        refuse(0);
        let counts = |now| lock(&audit.refusals).due(now).iter().map(|refusal| refusal.count).collect::<Vec<_>>();
        assert_eq!(counts(1), [1]);
        refuse(2);
        refuse(3);
        assert!(counts(4).is_empty(), "its minute is not over");
        audit.close();
        assert_eq!(counts(5), [2]);
    }

    #[test]
    fn too_many_pulls_are_counted_all_the_same() {
        let settings = config::Audit { pulls: AuditPulls::All, ..config::Audit::default() };
        let audit = Audit::new(settings, None);
        let (repository, digest) = (RepositoryName::parse("a/b").unwrap(), Algorithm::Sha256.digest(b"m"));
        let reference = Reference::Tag(Tag::parse("v1").unwrap());
        let keys = Keys { manifest: 1, repository: 1 };
        let pull = Pull { repository: &repository, reference: &reference, digest: &digest, keys, fetched: true };
        for _ in 0..TOLD + 7 {
            audit.pulled(&Ctx::system(1), &pull);
        }
        let pulls = lock(&audit.pulls);
        assert_eq!((pulls.told.len(), pulls.manifests[&1].by_tag, pulls.tags.len()), (TOLD, TOLD as i64 + 7, 1));
        drop(pulls);
        assert_eq!((audit.take_dropped(), audit.take_dropped()), (7, 0));
    }

    #[test]
    fn made_up_names_are_counted_together_beyond_a_bound() {
        let audit = Audit::new(config::Audit::default(), None);
        let note = |now| {
            for n in 0..10 * REFUSED {
                audit.refused(&Ctx::system(now), &format!("name{n}"), None);
            }
            let due = lock(&audit.refusals).due(now);
            (due.len(), due.iter().map(|refusal| refusal.count).sum::<i64>())
        };
        assert_eq!(note(0), (REFUSED + 1, 10 * REFUSED as i64));
        assert_eq!(note(1), (0, 0), "told already, the rest as a count");
        assert_eq!(note(WINDOW), (REFUSED + 1, 20 * REFUSED as i64));
        assert!(lock(&audit.refusals).kinds.is_empty(), "forgotten when the minute is over");
    }
}
