//! The instance as a whole: what its administrators set while it runs, and how much there is of everything.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use serde_json::json;

use super::accounts::AccountError;
use super::{Ctx, Error, Event, Registry};
use crate::clock;
use crate::db::{self, Db, Tx, settings, statistics};

/// Longest banner, in characters.
const LONGEST_BANNER: usize = 500;
/// For so long figures are shown before they are counted anew, in microseconds.
const FRESH: i64 = 5 * 60 * 1_000_000;
/// A day in microseconds.
const DAY: i64 = 24 * 3600 * 1_000_000;
/// So many days are charted.
pub const DAYS: i64 = 90;

/// What administrators set while the server runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// What everybody is told above every page.
    pub banner: Option<String>,
    /// Whether nothing may be pushed, deleted or changed.
    pub read_only: bool,
}

/// How much there is, as it was counted a short while ago.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// When it was counted, in microseconds since 1970.
    pub at: i64,
    /// Blobs.
    pub blobs: i64,
    /// Bytes of them.
    pub bytes: i64,
    /// Bytes that there would be if every repository kept its own.
    pub linked_bytes: i64,
    /// Repositories.
    pub repositories: i64,
    /// Tags.
    pub tags: i64,
    /// Users, those who were erased left out.
    pub users: i64,
    /// Pulls on each of the last days, the oldest first (days since 1970).
    pub pulls: Vec<(i64, i64)>,
    /// Pushes of manifests on each of them.
    pub pushes: Vec<(i64, i64)>,
}

/// What is known of the instance in memory.
#[derive(Debug, Default)]
pub struct Instance {
    settings: ArcSwap<Settings>,
    figures: Mutex<Option<Arc<Figures>>>,
    counting: AtomicBool,
}

impl Instance {
    /// What administrators have set, as it was read last.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }
}

/// Reads what administrators have set, maybe on another node.
pub async fn refresh(registry: &Registry) -> Result<(), Error> {
    let rows = registry.db.read(|tx: &mut Tx<'_>| settings::all(tx)).await?;
    let value = |name: &str| rows.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
    let now = Settings { banner: value("banner"), read_only: value("read_only").is_some() };
    if *registry.instance.settings.load_full() != now {
        registry.instance.settings.store(Arc::new(now));
    }
    Ok(())
}

/// Sets what everybody is told, and whether anything may be changed.
pub async fn set(registry: &Registry, ctx: &Ctx, banner: &str, read_only: bool) -> Result<(), Error> {
    let banner = banner.trim().to_owned();
    if banner.chars().count() > LONGEST_BANNER || banner.chars().any(char::is_control) {
        let known = format!("at most {LONGEST_BANNER} printable characters in one line");
        return Err(AccountError::Word { kind: "banner", word: banner.chars().take(32).collect(), known }.into());
    }
    let ctx = ctx.clone();
    let set = move |tx: &mut Tx<'_>| {
        super::access::manage::still_may(tx, &ctx)?;
        settings::set(tx, "banner", &banner, ctx.now)?;
        settings::set(tx, "read_only", if read_only { "true" } else { "" }, ctx.now)?;
        let detail = Some(json!({ "banner": !banner.is_empty(), "read_only": read_only }).to_string());
        ctx.record(tx, &Event { kind: "settings.change", detail, ..Event::default() })?;
        Ok::<_, Error>(())
    };
    registry.db.write(set).await?;
    refresh(registry).await
}

/// How much there is; nothing before it was counted for the first time. Where it was long ago, it is counted anew beside, and
/// the next who asks sees that.
pub fn figures(registry: &Registry, now: i64) -> Option<Arc<Figures>> {
    let known = registry.instance.figures.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let fresh = known.as_ref().is_some_and(|figures| now.saturating_sub(figures.at) < FRESH);
    if !fresh && !registry.instance.counting.swap(true, Ordering::AcqRel) {
        let (db, instance) = (Arc::clone(&registry.db), Arc::clone(&registry.instance));
        tokio::spawn(async move {
            match count(&db).await {
                Ok(figures) => {
                    *instance.figures.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(figures));
                }
                Err(error) => tracing::warn!(%error, "what there is could not be counted"),
            }
            instance.counting.store(false, Ordering::Release);
        });
    }
    known
}

async fn count(db: &Arc<Db>) -> Result<Figures, db::Error> {
    let now = clock::now();
    let (blobs, bytes) = sum(db, 0, |tx, after| statistics::blobs(tx, *after)).await?;
    let (_, linked_bytes) = sum(db, (0, 0), |tx, after| statistics::links(tx, *after)).await?;
    let ones = |rows: Vec<i64>| rows.into_iter().map(|key| (key, 1)).collect();
    let (repositories, _) = sum(db, 0, move |tx, after| statistics::repositories(tx, *after).map(ones)).await?;
    let (users, _) = sum(db, 0, move |tx, after| statistics::users(tx, *after).map(ones)).await?;
    let tag = |tx: &mut Tx<'_>, after: &(i64, String)| {
        Ok(statistics::tags(tx, after)?.into_iter().map(|key| (key, 1)).collect())
    };
    let (tags, _) = sum(db, (0, String::new()), tag).await?;
    let first = now / DAY - DAYS + 1;
    let mut pulls = days(first);
    walk(db, (0, 0), |tx, after| statistics::pulls(tx, *after), |(_, day), count| add(&mut pulls, *day, count)).await?;
    let mut pushes = days(first);
    let moments = |tx: &mut Tx<'_>, after: &(i64, i64)| {
        Ok(statistics::pushes(tx, *after)?.into_iter().map(|key| (key, 1)).collect())
    };
    walk(db, (first * DAY, 0), moments, |(at, _), count| add(&mut pushes, at / DAY, count)).await?;
    let (pulls, pushes) = (pulls.into_iter().collect(), pushes.into_iter().collect());
    Ok(Figures { at: now, blobs, bytes, linked_bytes, repositories, tags, users, pulls, pushes })
}

fn days(first: i64) -> BTreeMap<i64, i64> {
    (first..first + DAYS).map(|day| (day, 0)).collect()
}

fn add(days: &mut BTreeMap<i64, i64>, day: i64, count: i64) {
    if let Some(sum) = days.get_mut(&day) {
        *sum += count;
    }
}

/// Goes through all rows, a step at a time, so that nobody waits for it.
async fn walk<K, F>(db: &Arc<Db>, first: K, step: F, mut each: impl FnMut(&K, i64)) -> Result<(), db::Error>
where
    K: Clone + Send + Sync + 'static,
    F: Fn(&mut Tx<'_>, &K) -> Result<Vec<(K, i64)>, db::Error> + Clone + Send + 'static,
{
    let mut after = first;
    loop {
        let (step, from) = (step.clone(), after.clone());
        let rows = db.scan(move |tx: &mut Tx<'_>| step(tx, &from)).await?;
        for (key, value) in &rows {
            each(key, *value);
        }
        match rows.last() {
            Some((key, _)) if rows.len() as i64 == statistics::STEP => after = key.clone(),
            _ => return Ok(()),
        }
    }
}

/// The number of all rows, and the sum of their values.
async fn sum<K, F>(db: &Arc<Db>, first: K, step: F) -> Result<(i64, i64), db::Error>
where
    K: Clone + Send + Sync + 'static,
    F: Fn(&mut Tx<'_>, &K) -> Result<Vec<(K, i64)>, db::Error> + Clone + Send + 'static,
{
    let (mut rows, mut values) = (0, 0_i64);
    walk(db, first, step, |_, value| {
        rows += 1;
        values = values.saturating_add(value);
    })
    .await?;
    Ok((rows, values))
}

/// The repositories that are pulled most, with how often.
pub async fn busiest(registry: &Registry, limit: usize) -> Result<Vec<(String, i64)>, Error> {
    Ok(registry.db.scan(move |tx: &mut Tx<'_>| statistics::busiest(tx, limit as i64)).await?)
}
