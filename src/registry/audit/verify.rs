//! Proving the chain.

use super::chain::{HEAD, committed, hash, is_sealed};
use crate::auth::chain::{ChainKey, GENESIS, LEN};
use crate::db::audit::{self, AuditRow, SealRow};
use crate::db::{self, Tx};
use crate::registry::{Error, Registry};

/// Rows of one page.
const PAGE: i64 = 500;
/// What the seal of the chain's beginning says that it is.
pub(super) const CHECKPOINT: &str = "checkpoint";

/// What is wrong with a place of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The event was changed.
    Changed,
    /// What it tells about a person was changed or added.
    Personal,
    /// An event is gone.
    Missing,
    /// An event was put in.
    Inserted,
    /// The event stood elsewhere.
    Moved,
    /// The last events are gone.
    Cut,
    /// The record of the chain's end was altered, or sealed with another key.
    Head,
    /// The record of where the chain begins was altered, or sealed with another key.
    Checkpoint,
    /// It is not the chain whose end was kept elsewhere.
    Other,
}

/// The first place that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// The place.
    pub seq: i64,
    /// The event that stands there.
    pub event: Option<i64>,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Behind which place it began: 0, or where older events were removed.
    pub from: i64,
    /// Up to which place the chain is proved.
    pub seq: i64,
    /// Its hash up to there.
    pub hash: [u8; LEN],
    /// Events of which what they told about a person was erased.
    pub erased: u64,
    /// The first place that is wrong; nothing when all is proved.
    pub broken: Option<Broken>,
    /// Events that are not chained yet.
    pub unchained: i64,
    /// When the oldest of them happened, in microseconds since 1970.
    pub unchained_since: Option<i64>,
}

/// Where the proof stands.
struct Walk<'a> {
    key: &'a ChainKey,
    seq: i64,
    hash: [u8; LEN],
    erased: u64,
}

/// Proves the chain, page by page, beside a running server. `kept`: an end of the chain that was kept elsewhere. `progress`
/// is told up to which place it is proved.
pub async fn verify(
    registry: &Registry,
    kept: Option<(i64, [u8; LEN])>,
    mut progress: impl FnMut(i64) + Send,
) -> Result<Verified, Error> {
    let key = registry.audit.key.as_ref().ok_or(Error::MasterKey)?;
    let start = checkpoint(registry).await?;
    let mut walk = Walk { key, seq: start.seq, hash: start.hash, erased: 0 };
    let from = start.seq;
    let broken = if is_sealed(key, CHECKPOINT, &start) {
        walk.on(registry, kept, &mut progress).await?
    } else {
        Some(Broken { seq: start.seq, event: None, fault: Fault::Checkpoint })
    };
    let (unchained, unchained_since) = registry.db.scan(audit::tail).await?;
    let Walk { seq, hash, erased, .. } = walk;
    Ok(Verified { from, seq, hash, erased, broken, unchained, unchained_since })
}

async fn checkpoint(registry: &Registry) -> Result<SealRow, Error> {
    let found = registry.db.read(audit::checkpoint).await?;
    Ok(found.unwrap_or(SealRow { seq: 0, hash: GENESIS, mac: None }))
}

/// Reads the end of the chain and then a page: every row up to that end has to be seen.
async fn page(registry: &Registry, after: i64) -> Result<(Option<SealRow>, Vec<AuditRow>), Error> {
    let read = move |tx: &mut Tx<'_>| Ok::<_, db::Error>((audit::head(tx)?, audit::chained(tx, after, PAGE)?));
    Ok(registry.db.scan(read).await?)
}

impl Walk<'_> {
    async fn on(
        &mut self,
        registry: &Registry,
        kept: Option<(i64, [u8; LEN])>,
        progress: &mut (impl FnMut(i64) + Send),
    ) -> Result<Option<Broken>, Error> {
        if kept.is_some_and(|(seq, hash)| seq == self.seq && hash != self.hash) {
            return Ok(Some(Broken { seq: self.seq, event: None, fault: Fault::Other }));
        }
        loop {
            let (head, rows) = page(registry, self.seq).await?;
            if rows.is_empty() {
                return Ok(self.end(head, kept));
            }
            for (at, row) in rows.iter().enumerate() {
                if let Some(fault) = self.step(row, &rows[at..]) {
                    let start = checkpoint(registry).await?;
                    if start.seq > self.seq && is_sealed(self.key, CHECKPOINT, &start) {
                        // The server removed old events meanwhile.
                        (self.seq, self.hash) = (start.seq, start.hash);
                        break;
                    }
                    return Ok(Some(Broken { seq: self.seq + 1, event: Some(row.id), fault }));
                }
                if kept.is_some_and(|(seq, hash)| seq == self.seq && hash != self.hash) {
                    return Ok(Some(Broken { seq: self.seq, event: Some(row.id), fault: Fault::Other }));
                }
            }
            progress(self.seq);
        }
    }

    /// Compares the end of the rows with the record of the end.
    fn end(&self, head: Option<SealRow>, kept: Option<(i64, [u8; LEN])>) -> Option<Broken> {
        let wrong = |seq, fault| Some(Broken { seq, event: None, fault });
        let Some(head) = head.filter(|head| is_sealed(self.key, HEAD, head)) else {
            return wrong(self.seq, Fault::Head);
        };
        if head.seq > self.seq || kept.is_some_and(|(seq, _)| seq > self.seq) {
            return wrong(self.seq + 1, Fault::Cut);
        }
        if head.seq < self.seq {
            // Rows beyond it hold: an old record was put in its place.
            return wrong(head.seq, Fault::Head);
        }
        if head.hash == self.hash { None } else { wrong(self.seq, Fault::Head) }
    }

    /// Goes on by one row, of which `rest` is the beginning; tells what is wrong with it.
    fn step(&mut self, row: &AuditRow, rest: &[AuditRow]) -> Option<Fault> {
        let expected = self.seq + 1;
        if row.seq != Some(expected) {
            return Some(Fault::Missing);
        }
        let own = self.links(&self.hash, row, expected);
        let Some(hash) = own else { return Some(self.diagnose(expected, rest)) };
        match (&row.commitment, &row.personal) {
            (Some(commitment), Some(personal)) if committed(personal) != commitment.as_slice() => {
                return Some(Fault::Personal);
            }
            (None, Some(_)) => return Some(Fault::Personal),
            (Some(_), None) => self.erased += 1,
            _ => {}
        }
        (self.seq, self.hash) = (expected, hash);
        None
    }

    /// The row's hash, if it is the one of this place behind this hash.
    fn links(&self, previous: &[u8; LEN], row: &AuditRow, seq: i64) -> Option<[u8; LEN]> {
        let computed = hash(self.key, previous, row, seq, row.commitment.as_deref());
        (row.hash.as_deref() == Some(computed.as_slice())).then_some(computed)
    }

    /// Finds out, from the rows behind, what was done to the first of `rest`.
    fn diagnose(&self, expected: i64, rest: &[AuditRow]) -> Fault {
        let stored = |row: &AuditRow| row.hash.as_deref().and_then(|hash| <[u8; LEN]>::try_from(hash).ok());
        let (Some(row), Some(own)) = (rest.first(), rest.first().and_then(stored)) else { return Fault::Changed };
        // Is what should stand here further behind?
        let rightful = rest.iter().position(|other| self.links(&self.hash, other, expected).is_some());
        if let Some(at) = rightful {
            // Then this one stood there, or nowhere.
            let before = rest.get(if at == 1 { 1 } else { at.saturating_sub(1) }).and_then(stored);
            let moved = before.is_some_and(|before| self.links(&before, row, expected + at as i64).is_some());
            return if moved { Fault::Moved } else { Fault::Inserted };
        }
        match rest.get(1) {
            Some(next) if self.links(&own, next, expected + 2).is_some() => Fault::Missing,
            _ => Fault::Changed,
        }
    }
}
