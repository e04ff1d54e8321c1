//! What goes: events that are old enough, and what events tell about a person who was erased.

use std::sync::Arc;

use super::chain::{hash, is_sealed};
use super::verify::CHECKPOINT;
use crate::auth::chain::{ChainKey, GENESIS};
use crate::db::audit::{self, SealRow};
use crate::db::{self, Tx};
use crate::registry::{Ctx, Error, Registry};

/// At most this many rows in one transaction.
const STEP: i64 = 500;
/// An erasure is repeated until this long after it was asked for, in microseconds: other nodes may still be writing
/// down what they had gathered.
const SETTLED: i64 = 60_000_000;

/// Erases what events tell about persons who were erased.
pub async fn erase(registry: &Registry, now: i64) -> Result<(), Error> {
    for (person, at) in registry.db.read(|tx| audit::erasures(tx, STEP)).await? {
        loop {
            let whose = person.clone();
            if registry.db.write(move |tx| audit::erase_some(tx, &whose, STEP)).await? < STEP as u64 {
                break;
            }
        }
        if now.saturating_sub(at) > SETTLED {
            registry.db.write(move |tx| audit::erased(tx, &person)).await?;
        }
    }
    Ok(())
}

/// Removes some of the events that are older than they are kept, and seals where the chain begins from then on; returns how
/// many. Only what is proved is removed, so that no trace of tampering goes with it.
pub async fn expire(registry: &Registry, ctx: &Ctx) -> Result<u64, Error> {
    let retention = registry.audit.settings.retention;
    if retention.is_zero() || !registry.audit.has_key() {
        return Ok(0);
    }
    let (owner, now) = (Arc::clone(&registry.audit), ctx.now);
    let cutoff = now.saturating_sub(i64::try_from(retention.as_micros()).unwrap_or(i64::MAX));
    let cut = move |tx: &mut Tx<'_>| match &owner.key {
        Some(key) => cut(tx, key, cutoff, now),
        None => Ok(0),
    };
    Ok(registry.db.write(cut).await?)
}

fn cut(tx: &mut Tx<'_>, key: &ChainKey, cutoff: i64, now: i64) -> Result<u64, db::Error> {
    let broken =
        || db::Error::new(db::Kind::Corrupt, "no events are removed: `havre audit verify` tells what is wrong");
    // Of two nodes that do this at once, the second sees what the first did.
    audit::lock_head(tx)?.ok_or_else(broken)?;
    let start = audit::checkpoint(tx)?.unwrap_or(SealRow { seq: 0, hash: GENESIS, mac: None });
    if !is_sealed(key, CHECKPOINT, &start) {
        return Err(broken());
    }
    let mut end = start.clone();
    for row in audit::chained(tx, start.seq, STEP)?.iter().take_while(|row| row.at < cutoff) {
        end.seq += 1;
        end.hash = hash(key, &end.hash, row, end.seq, row.commitment.as_deref());
        if row.seq != Some(end.seq) || row.hash.as_deref() != Some(end.hash.as_slice()) {
            return Err(broken());
        }
    }
    if end.seq == start.seq {
        return Ok(0);
    }
    end.mac = Some(key.seal(CHECKPOINT, end.seq, &end.hash).to_vec());
    audit::cut(tx, &end, now)
}
