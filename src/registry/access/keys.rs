//! The keys under which tokens are signed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::second_factor;
use crate::auth::bearer::SigningKey;
use crate::auth::seal::{CannotOpen, MasterKey, random};
use crate::db::{self, Tx, epoch, keys};
use crate::registry::{Ctx, Error, Event, Registry, certificates};

/// The keys are looked for anew once in this time at most, in microseconds: anybody can make up the name of one.
const SOUGHT_AGAIN: i64 = 1_000_000;

fn purpose(id: &str) -> String {
    format!("signing key {id}")
}

/// Reads the keys, and makes the first one where there is none.
pub async fn load_keys(registry: &Registry, now: i64) -> Result<(), Error> {
    let Some(master) = &registry.access.master else { return Ok(()) };
    let mut kept = registry.db.read(keys::list).await?;
    if kept.is_empty() {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let sealed = master.seal(&purpose(&id), &random::<32>());
        let make = move |tx: &mut Tx<'_>| {
            // Of two nodes that start at the same moment, the second finds the key of the first.
            epoch::lock(tx)?;
            if keys::list(tx)?.is_empty() {
                keys::insert(tx, &id, sealed.clone(), now)?;
            }
            keys::list(tx)
        };
        kept = registry.db.write(make).await?;
    }
    let opened: Result<Vec<_>, _> = kept.into_iter().map(|(id, sealed)| open(master, id, &sealed)).collect();
    registry.access.keys.store(Arc::new(opened.map_err(|_| Error::MasterKey)?));
    Ok(())
}

/// Reads the keys once more, for a token that names one which is not here: another node may have made it. Does nothing when
/// that was done a moment ago.
pub(super) async fn seek(registry: &Registry, now: i64) -> Result<(), Error> {
    let sought = &registry.access.keys_sought;
    let last = sought.load(Ordering::Relaxed);
    // Of many requests at once, one looks.
    let ours = now.saturating_sub(last) >= SOUGHT_AGAIN
        && sought.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    if ours { load_keys(registry, now).await } else { Ok(()) }
}

/// What a new key left behind.
#[derive(Debug)]
pub struct Replaced {
    /// How many keys there were.
    pub keys: usize,
    /// The users whose second factor another master key sealed, which nobody can open any more.
    pub lost_factors: Vec<String>,
}

/// Removes every key and makes a new one, sealed with `master`. The tokens that they signed prove nothing any more at
/// servers that start from now on. Certificates and accounts at authorities that another master key sealed are forgotten,
/// and so asked for anew; second factors stay, for the password alone shall not open what they keep shut.
pub async fn replace_keys(registry: &Registry, ctx: &Ctx, master: &MasterKey) -> Result<Replaced, Error> {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let (ctx, sealed) = (ctx.clone(), master.seal(&purpose(&id), &random::<32>()));
    let lost = certificates::lost(registry, master).await?;
    let lost_factors = second_factor::lost(registry, master).await?;
    let replace = move |tx: &mut Tx<'_>| {
        epoch::lock(tx)?;
        let removed = keys::list(tx)?.len();
        keys::clear(tx)?;
        keys::insert(tx, &id, sealed.clone(), ctx.now)?;
        certificates::forget(tx, &lost)?;
        ctx.record(tx, &Event { kind: "signing_keys.replace", ..Event::default() })?;
        epoch::bump(tx)?;
        Ok::<_, db::Error>(removed)
    };
    Ok(Replaced { keys: registry.db.write(replace).await?, lost_factors })
}

fn open(master: &MasterKey, id: String, sealed: &[u8]) -> Result<SigningKey, CannotOpen> {
    let secret = master.open(&purpose(&id), sealed)?;
    Ok(SigningKey::new(id, &secret))
}
