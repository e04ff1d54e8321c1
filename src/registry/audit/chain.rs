//! The chain: each event's place and hash, given by one node at a time.

use std::sync::Arc;

use crate::auth::chain::{ChainKey, GENESIS, LEN, Link, commit};
use crate::db::audit::{self, AuditRow, Personal, SealRow};
use crate::db::{self, Tx};
use crate::registry::{Ctx, Error, Registry};

/// At most this many events in one transaction.
const BATCH: i64 = 256;
/// How long a node goes on chaining without being asked whether it lives, in microseconds.
const LEASE: i64 = 2_000_000;
/// What the seal of the chain's end says that it is.
pub(super) const HEAD: &str = "head";

/// The end of the chain, to be kept elsewhere: it proves later that nothing up to there was taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How many events the chain counts.
    pub seq: i64,
    /// Its hash up to there.
    pub hash: [u8; LEN],
    /// Whether its seal was made with this key; nothing without a key.
    pub sealed: Option<bool>,
}

/// Reads the end of the chain.
pub async fn head(registry: &Registry) -> Result<Head, Error> {
    let row = registry.db.read(audit::head).await?.unwrap_or(SealRow { seq: 0, hash: GENESIS, mac: None });
    let sealed = registry.audit.key.as_ref().map(|key| is_sealed(key, HEAD, &row));
    Ok(Head { seq: row.seq, hash: row.hash, sealed })
}

/// Gives a place and a hash to every event that has none; returns how many. Does nothing while another node does it.
pub async fn chain(registry: &Registry, ctx: &Ctx) -> Result<u64, Error> {
    if registry.audit.key.is_none() || !registry.db.read(audit::any_unchained).await? {
        return Ok(0);
    }
    let mut done = 0;
    loop {
        let (owner, node, now) = (Arc::clone(&registry.audit), Arc::clone(&registry.node), ctx.now);
        let kept = registry.audit.kept();
        let step = move |tx: &mut Tx<'_>| match &owner.key {
            Some(key) => step(tx, key, &node, kept, now),
            None => Ok((0, None)),
        };
        let (chained, head) = registry.db.write(step).await?;
        if head.is_some() {
            registry.audit.keep(head);
        }
        done += chained as u64;
        if chained < BATCH {
            return Ok(done);
        }
    }
}

/// An end of the chain: its place and its hash.
type End = (i64, [u8; LEN]);

fn step(tx: &mut Tx<'_>, key: &ChainKey, node: &str, kept: Option<End>, now: i64) -> Result<(i64, Option<End>), Error> {
    let Some((mut head, holder, until)) = audit::lock_head(tx)? else { return Err(broken("its end is gone")) };
    // The lock alone keeps two from chaining at once; the lease keeps them from waiting for each other in turn. A clock
    // that is ahead must not hold it for ever.
    let held = now < until && until <= now.saturating_add(LEASE);
    if held && holder.as_deref().is_some_and(|holder| holder != node) {
        return Ok((0, None));
    }
    if !is_sealed(key, HEAD, &head) {
        return Err(broken("its end was altered, or sealed with another master key"));
    }
    agrees(tx, &head, kept)?;
    let rows = audit::unchained(tx, BATCH)?;
    for row in &rows {
        let commitment = row.personal.as_ref().map(committed);
        head.seq += 1;
        head.hash = hash(key, &head.hash, row, head.seq, commitment.as_ref().map(<[u8; LEN]>::as_slice));
        audit::chain(tx, row.id, head.seq, &head.hash, commitment.as_ref())?;
    }
    if !rows.is_empty() {
        head.mac = Some(key.seal(HEAD, head.seq, &head.hash).to_vec());
        audit::set_head(tx, &head, node, now.saturating_add(LEASE))?;
    }
    Ok((rows.len() as i64, Some((head.seq, head.hash))))
}

/// Refuses to go on with a chain that is not the one this node knows.
fn agrees(tx: &mut Tx<'_>, head: &SealRow, kept: Option<End>) -> Result<(), Error> {
    let Some((seq, hash)) = kept else { return Ok(()) };
    let there = match head.seq {
        end if end < seq => None,
        end if end == seq => Some(head.hash),
        _ => match audit::hash_at(tx, seq)? {
            Some(there) => Some(there),
            // Removed because of its age, behind a sealed checkpoint.
            None if audit::checkpoint(tx)?.is_some_and(|checkpoint| checkpoint.seq >= seq) => return Ok(()),
            None => None,
        },
    };
    if there == Some(hash) {
        return Ok(());
    }
    Err(broken(
        "it is not the one that this node wrote; if the database was put back from a backup, remove the file audit-head of \
         the data directory and start again",
    ))
}

fn broken(why: &str) -> Error {
    db::Error::new(db::Kind::Corrupt, format!("the audit's chain is not continued: {why}")).into()
}

/// Whether a place of the chain was sealed with this key. Before the first event there is nothing to seal.
pub(super) fn is_sealed(key: &ChainKey, what: &str, row: &SealRow) -> bool {
    match &row.mac {
        Some(mac) => key.is_sealed(what, row.seq, &row.hash, mac),
        None => row.seq == 0 && row.hash == GENESIS,
    }
}

/// The hash of the chain up to an event, as if it stood at `seq`.
pub(super) fn hash(
    key: &ChainKey,
    previous: &[u8; LEN],
    row: &AuditRow,
    seq: i64,
    commitment: Option<&[u8]>,
) -> [u8; LEN] {
    let fields = [
        Some(row.kind.as_bytes()),
        Some(row.result.as_bytes()),
        row.repository.as_deref().map(str::as_bytes),
        row.tag.as_deref().map(str::as_bytes),
        row.digest.as_deref(),
        Some(row.actor.as_bytes()),
        row.credential.as_deref().map(str::as_bytes),
        Some(row.request_id.as_bytes()),
        row.detail.as_deref().map(str::as_bytes),
        commitment,
    ];
    key.link(previous, &Link { seq, id: row.id, at: row.at, fields })
}

/// The commitment to what tells about a person.
pub(super) fn committed(personal: &Personal) -> [u8; LEN] {
    let fields = [
        Some(personal.person.as_bytes()),
        personal.address.as_deref().map(str::as_bytes),
        personal.user_agent.as_deref().map(str::as_bytes),
        personal.name.as_deref().map(str::as_bytes),
    ];
    commit(&personal.salt, &fields)
}
