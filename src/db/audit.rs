//! The audit: events with all that is known of them, their chain, its end and where it begins.

use oci::Digest;

use super::{Error, Kind, Row, Tx};

/// An event with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its key.
    pub id: i64,
    /// Microseconds since 1970.
    pub at: i64,
    /// What happened.
    pub kind: String,
    /// `ok` or `refused`.
    pub result: String,
    /// The repository.
    pub repository: Option<String>,
    /// The tag.
    pub tag: Option<String>,
    /// The digest, as its column holds it.
    pub digest: Option<Vec<u8>>,
    /// Who did it.
    pub actor: String,
    /// By which credential.
    pub credential: Option<String>,
    /// In which request.
    pub request_id: String,
    /// Particulars, a JSON object.
    pub detail: Option<String>,
    /// The commitment to what is personal, once chained.
    pub commitment: Option<Vec<u8>>,
    /// Its place in the chain, once chained.
    pub seq: Option<i64>,
    /// The hash of the chain up to it, once chained.
    pub hash: Option<Vec<u8>>,
    /// What tells about a person; nothing once erased.
    pub personal: Option<Personal>,
}

impl AuditRow {
    /// The digest.
    pub fn digest(&self) -> Option<Digest> {
        Digest::from_key(self.digest.as_deref()?)
    }
}

/// What of an event tells about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal {
    /// Whose it is.
    pub person: String,
    /// Random bytes.
    pub salt: Vec<u8>,
    /// From which address.
    pub address: Option<String>,
    /// With which client.
    pub user_agent: Option<String>,
    /// What somebody who is unknown gave as a name.
    pub name: Option<String>,
}

fn audit_row(mut row: Row) -> Result<AuditRow, Error> {
    let personal = match row.opt_bytes(15)? {
        None => None,
        Some(salt) => Some(Personal {
            person: row.text(14)?,
            salt,
            address: row.opt_text(16)?,
            user_agent: row.opt_text(17)?,
            name: row.opt_text(18)?,
        }),
    };
    Ok(AuditRow {
        id: row.int(0)?,
        at: row.int(1)?,
        kind: row.text(2)?,
        result: row.text(3)?,
        repository: row.opt_text(4)?,
        tag: row.opt_text(5)?,
        digest: row.opt_bytes(6)?,
        actor: row.text(7)?,
        credential: row.opt_text(8)?,
        request_id: row.text(9)?,
        detail: row.opt_text(10)?,
        commitment: row.opt_bytes(11)?,
        seq: row.opt_int(12)?,
        hash: row.opt_bytes(13)?,
        personal,
    })
}

fn rows(rows: Vec<Row>) -> Result<Vec<AuditRow>, Error> {
    rows.into_iter().map(audit_row).collect()
}

/// Lists events that are not chained yet, the oldest first. Rows commit in another order than that of their keys, so it
/// never goes on behind a key.
pub fn unchained(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<AuditRow>, Error> {
    rows(tx.query(
        "SELECT e.id, e.at, e.kind, e.result, e.repository, e.tag, e.digest, e.actor, e.credential, e.request_id, \
         e.detail, e.personal, e.seq, e.hash, p.person, p.salt, p.address, p.user_agent, p.name \
         FROM events e LEFT JOIN event_persons p ON p.event_id = e.id \
         WHERE e.seq IS NULL ORDER BY e.seq, e.id LIMIT $1",
        &[limit.into()],
    )?)
}

/// Tells whether an event is not chained yet.
pub fn any_unchained(tx: &mut Tx<'_>) -> Result<bool, Error> {
    Ok(tx.first("SELECT id FROM events WHERE seq IS NULL ORDER BY seq, id LIMIT 1", &[])?.is_some())
}

/// Counts the events that are not chained yet, and tells when the oldest happened.
pub fn tail(tx: &mut Tx<'_>) -> Result<(i64, Option<i64>), Error> {
    let mut row = tx.one("SELECT COUNT(*), MIN(at) FROM events WHERE seq IS NULL", &[])?;
    Ok((row.int(0)?, row.opt_int(1)?))
}

/// Lists chained events behind `after`, in the order of the chain.
pub fn chained(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<AuditRow>, Error> {
    rows(tx.query(
        "SELECT e.id, e.at, e.kind, e.result, e.repository, e.tag, e.digest, e.actor, e.credential, e.request_id, \
         e.detail, e.personal, e.seq, e.hash, p.person, p.salt, p.address, p.user_agent, p.name \
         FROM events e LEFT JOIN event_persons p ON p.event_id = e.id \
         WHERE e.seq > $1 ORDER BY e.seq LIMIT $2",
        &[after.into(), limit.into()],
    )?)
}

/// Gives an event its place in the chain.
pub fn chain(tx: &mut Tx<'_>, id: i64, seq: i64, hash: &[u8; 32], commitment: Option<&[u8; 32]>) -> Result<(), Error> {
    let sql = "UPDATE events SET seq = $2, hash = $3, personal = $4 WHERE id = $1 AND seq IS NULL";
    let commitment = commitment.map(|bytes| bytes.to_vec());
    let changed = tx.execute(sql, &[id.into(), seq.into(), hash.to_vec().into(), commitment.into()])?;
    if changed == 1 { Ok(()) } else { Err(Error::new(Kind::Conflict, "an event was chained meanwhile")) }
}

/// The end of the chain, or where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealRow {
    /// How many events it counts.
    pub seq: i64,
    /// The hash up to there.
    pub hash: [u8; 32],
    /// The keyed seal; nothing before the first event.
    pub mac: Option<Vec<u8>>,
}

fn seal(row: &mut Row) -> Result<SealRow, Error> {
    let hash = <[u8; 32]>::try_from(row.bytes(1)?.as_slice());
    let hash = hash.map_err(|_| Error::new(Kind::Corrupt, "a hash of the audit's chain has not 32 bytes"))?;
    Ok(SealRow { seq: row.int(0)?, hash, mac: row.opt_bytes(2)? })
}

/// The hash of the chain up to a place; nothing when no event stands there.
pub fn hash_at(tx: &mut Tx<'_>, seq: i64) -> Result<Option<[u8; 32]>, Error> {
    let row = tx.first("SELECT hash FROM events WHERE seq = $1", &[seq.into()])?;
    let bytes = row.map(|mut row| row.opt_bytes(0)).transpose()?.flatten();
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()))
}

/// Reads the end of the chain.
pub fn head(tx: &mut Tx<'_>) -> Result<Option<SealRow>, Error> {
    let row = tx.first("SELECT seq, hash, mac FROM audit_head WHERE id = 1", &[])?;
    row.map(|mut row| seal(&mut row)).transpose()
}

/// Locks the end of the chain until the transaction ends; with it, who chains and until when.
pub fn lock_head(tx: &mut Tx<'_>) -> Result<Option<(SealRow, Option<String>, i64)>, Error> {
    let sql = "SELECT seq, hash, mac, holder, lease_until FROM audit_head WHERE id = 1 FOR UPDATE";
    let row = tx.first(sql, &[])?;
    row.map(|mut row| Ok((seal(&mut row)?, row.opt_text(3)?, row.int(4)?))).transpose()
}

/// Moves the end of the chain, and who chains.
pub fn set_head(tx: &mut Tx<'_>, head: &SealRow, holder: &str, until: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE audit_head SET seq = $1, hash = $2, mac = $3, holder = $4, lease_until = $5 WHERE id = 1",
        &[head.seq.into(), head.hash.to_vec().into(), head.mac.clone().into(), holder.into(), until.into()],
    )?;
    Ok(())
}

/// Reads where the chain begins, where rows were removed because of their age.
pub fn checkpoint(tx: &mut Tx<'_>) -> Result<Option<SealRow>, Error> {
    let sql = "SELECT seq, hash, mac FROM audit_checkpoints WHERE seq > 0 ORDER BY seq DESC LIMIT 1";
    let row = tx.first(sql, &[])?;
    row.map(|mut row| seal(&mut row)).transpose()
}

/// Has the chain begin behind `to`, and removes the events up to there.
pub fn cut(tx: &mut Tx<'_>, to: &SealRow, now: i64) -> Result<u64, Error> {
    tx.execute(
        "INSERT INTO audit_checkpoints (seq, hash, mac, at) VALUES ($1, $2, $3, $4)",
        &[to.seq.into(), to.hash.to_vec().into(), to.mac.clone().into(), now.into()],
    )?;
    tx.execute("DELETE FROM audit_checkpoints WHERE seq < $1", &[to.seq.into()])?;
    tx.execute("DELETE FROM events WHERE seq <= $1", &[to.seq.into()])
}

/// What a list of events is kept to. Empty texts stand for anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before, in microseconds since 1970.
    pub since: i64,
    /// Whose.
    pub actor: String,
    /// What happened: a kind, or what kinds begin with when it ends with a dot.
    pub kind: String,
    /// Where.
    pub repository: String,
}

/// Lists events that happened before `before` (a time and a key), the newest first.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, before: (i64, i64), limit: i64) -> Result<Vec<AuditRow>, Error> {
    let prefix = filter.kind.ends_with('.');
    let sql = match (filter.actor.is_empty(), filter.repository.is_empty(), filter.kind.is_empty() || prefix) {
        (false, ..) => {
            "SELECT e.id, e.at, e.kind, e.result, e.repository, e.tag, e.digest, e.actor, e.credential, e.request_id, \
             e.detail, e.personal, e.seq, e.hash, p.person, p.salt, p.address, p.user_agent, p.name \
             FROM events e LEFT JOIN event_persons p ON p.event_id = e.id \
             WHERE e.actor = $4 AND e.at >= $1 AND (e.at, e.id) < ($2, $3) AND ($5 = '' OR e.repository = $5) \
             AND ($6 = '' OR e.kind = $6 OR e.kind LIKE $7) ORDER BY e.at DESC, e.id DESC LIMIT $8"
        }
        (true, false, _) => {
            "SELECT e.id, e.at, e.kind, e.result, e.repository, e.tag, e.digest, e.actor, e.credential, e.request_id, \
             e.detail, e.personal, e.seq, e.hash, p.person, p.salt, p.address, p.user_agent, p.name \
             FROM events e LEFT JOIN event_persons p ON p.event_id = e.id \
             WHERE e.repository = $5 AND e.at >= $1 AND (e.at, e.id) < ($2, $3) AND ($4 = '' OR e.actor = $4) \
             AND ($6 = '' OR e.kind = $6 OR e.kind LIKE $7) ORDER BY e.at DESC, e.id DESC LIMIT $8"
        }
        (true, true, false) => {
            "SELECT e.id, e.at, e.kind, e.result, e.repository, e.tag, e.digest, e.actor, e.credential, e.request_id, \
             e.detail, e.personal, e.seq, e.hash, p.person, p.salt, p.address, p.user_agent, p.name \
             FROM events e LEFT JOIN event_persons p ON p.event_id = e.id \
             WHERE e.kind = $6 AND e.at >= $1 AND (e.at, e.id) < ($2, $3) AND ($4 = '' OR e.actor = $4) \
             AND ($5 = '' OR e.repository = $5) AND ($7 = '' OR e.kind LIKE $7) ORDER BY e.at DESC, e.id DESC LIMIT $8"
        }
        (true, true, true) => {
            "SELECT e.id, e.at, e.kind, e.result, e.repository, e.tag, e.digest, e.actor, e.credential, e.request_id, \
             e.detail, e.personal, e.seq, e.hash, p.person, p.salt, p.address, p.user_agent, p.name \
             FROM events e LEFT JOIN event_persons p ON p.event_id = e.id \
             WHERE e.at >= $1 AND (e.at, e.id) < ($2, $3) AND ($4 = '' OR e.actor = $4) \
             AND ($5 = '' OR e.repository = $5) AND ($6 = '' OR e.kind = $6 OR e.kind LIKE $7) \
             ORDER BY e.at DESC, e.id DESC LIMIT $8"
        }
    };
    rows(tx.query(
        sql,
        &[
            filter.since.into(),
            before.0.into(),
            before.1.into(),
            filter.actor.as_str().into(),
            filter.repository.as_str().into(),
            filter.kind.as_str().into(),
            (if prefix { format!("{}%", filter.kind) } else { String::new() }).into(),
            limit.into(),
        ],
    )?)
}

/// Has what tells about a person erased from the events.
pub fn erase_person(tx: &mut Tx<'_>, person: &str, now: i64) -> Result<(), Error> {
    let sql = "INSERT INTO erasures (person, at) VALUES ($1, $2) ON CONFLICT (person) DO UPDATE SET at = $2";
    tx.execute(sql, &[person.into(), now.into()])?;
    Ok(())
}

/// Lists persons that are to be erased from the events.
pub fn erasures(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(String, i64)>, Error> {
    let rows =
        tx.query("SELECT person, at FROM erasures WHERE person > '' ORDER BY person LIMIT $1", &[limit.into()])?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// Erases what some events tell about a person; returns how many.
pub fn erase_some(tx: &mut Tx<'_>, person: &str, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM event_persons WHERE event_id IN \
               (SELECT event_id FROM event_persons WHERE person = $1 ORDER BY event_id LIMIT $2)";
    tx.execute(sql, &[person.into(), limit.into()])
}

/// Ends an erasure.
pub fn erased(tx: &mut Tx<'_>, person: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM erasures WHERE person = $1", &[person.into()])?;
    Ok(())
}
