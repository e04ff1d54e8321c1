//! Upload sessions: where each stands, and which request holds it.

use oci::{Algorithm, RepositoryName};

use super::{Error, Kind, Row, Tx};

/// A session's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRow {
    /// Its id.
    pub id: String,
    /// The repository it belongs to.
    pub repository: String,
    /// Who began it.
    pub principal: String,
    /// The algorithm its bytes are hashed by while they arrive.
    pub algorithm: Algorithm,
    /// How many bytes are accounted for.
    pub received: u64,
    /// The state of the hash over those bytes.
    pub hash_state: Option<Vec<u8>>,
    /// Under which boot of the machine the state was saved.
    pub boot: String,
    /// Where the finished blob was about to be published.
    pub location: Option<String>,
}

fn upload_row(mut row: Row) -> Result<UploadRow, Error> {
    let code = u8::try_from(row.int(3)?).ok().and_then(Algorithm::from_code);
    Ok(UploadRow {
        id: row.text(0)?,
        repository: row.text(1)?,
        principal: row.text(2)?,
        algorithm: code.ok_or_else(|| Error::new(Kind::Corrupt, "an upload names an unknown algorithm"))?,
        received: row.size(4)?,
        hash_state: row.opt_bytes(5)?,
        boot: row.text(6)?,
        location: row.opt_text(7)?,
    })
}

/// Inserts a new session.
pub fn insert(
    tx: &mut Tx<'_>,
    id: &str,
    repository: &RepositoryName,
    principal: &str,
    algorithm: Algorithm,
    boot: &str,
    now: i64,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO uploads (id, repository, principal, algorithm, received, boot, lease_until, created_at, \
         updated_at) VALUES ($1, $2, $3, $4, 0, $5, 0, $6, $6)",
        &[
            id.into(),
            repository.as_str().into(),
            principal.into(),
            i64::from(algorithm.code()).into(),
            boot.into(),
            now.into(),
        ],
    )?;
    Ok(())
}

/// Finds a session.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<UploadRow>, Error> {
    let row = tx.first(
        "SELECT id, repository, principal, algorithm, received, hash_state, boot, location FROM uploads WHERE id = $1",
        &[id.into()],
    )?;
    row.map(upload_row).transpose()
}

/// Takes a session for one request until `until`, unless another holds it; returns where it stands.
pub fn claim(
    tx: &mut Tx<'_>,
    id: &str,
    holder: &str,
    location: Option<&str>,
    now: i64,
    until: i64,
) -> Result<Option<UploadRow>, Error> {
    let row = tx.first(
        "UPDATE uploads SET lease_holder = $2, lease_until = $3, updated_at = $4, \
         location = COALESCE($5, location) \
         WHERE id = $1 AND (lease_holder IS NULL OR lease_until < $4) \
         RETURNING id, repository, principal, algorithm, received, hash_state, boot, location",
        &[id.into(), holder.into(), until.into(), now.into(), location.into()],
    )?;
    row.map(upload_row).transpose()
}

/// Where a session stands after bytes arrived.
#[derive(Debug)]
pub struct Progress<'a> {
    /// How many bytes are accounted for.
    pub received: u64,
    /// The state of the hash over them.
    pub hash_state: &'a [u8],
    /// The algorithm of that hash.
    pub algorithm: Algorithm,
    /// The boot under which the state was saved.
    pub boot: &'a str,
}

/// Records progress while the holder goes on until `until`; tells whether it still held the session.
pub fn checkpoint(
    tx: &mut Tx<'_>,
    id: &str,
    holder: &str,
    progress: &Progress<'_>,
    now: i64,
    until: i64,
) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE uploads SET received = $3, hash_state = $4, algorithm = $5, boot = $6, updated_at = $7, \
         lease_until = $8 WHERE id = $1 AND lease_holder = $2",
        &[
            id.into(),
            holder.into(),
            (progress.received as i64).into(),
            progress.hash_state.to_vec().into(),
            i64::from(progress.algorithm.code()).into(),
            progress.boot.into(),
            now.into(),
            until.into(),
        ],
    )?;
    Ok(changed > 0)
}

/// Lets the holder of a session go on until `until` while no byte arrives; tells whether it still held the session.
pub fn extend(tx: &mut Tx<'_>, id: &str, holder: &str, now: i64, until: i64) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE uploads SET updated_at = $3, lease_until = $4 WHERE id = $1 AND lease_holder = $2",
        &[id.into(), holder.into(), now.into(), until.into()],
    )?;
    Ok(changed > 0)
}

/// Lets go of a session.
pub fn release(tx: &mut Tx<'_>, id: &str, holder: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE uploads SET lease_holder = NULL, lease_until = 0 WHERE id = $1 AND lease_holder = $2",
        &[id.into(), holder.into()],
    )?;
    Ok(())
}

/// Lets go of every session that requests of `node` hold. Holders are `NODE/REQUEST`.
pub fn release_all(tx: &mut Tx<'_>, node: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE uploads SET lease_holder = NULL, lease_until = 0 WHERE lease_holder > $1 AND lease_holder < $2",
        // `0` is the character behind `/`.
        &[format!("{node}/").into(), format!("{node}0").into()],
    )?;
    Ok(())
}

/// Deletes a session that is still untouched since `before` and held by nobody; tells whether it did.
pub fn delete_abandoned(tx: &mut Tx<'_>, id: &str, before: i64, now: i64) -> Result<bool, Error> {
    let deleted = tx.execute(
        "DELETE FROM uploads WHERE id = $1 AND updated_at < $2 AND (lease_holder IS NULL OR lease_until < $3)",
        &[id.into(), before.into(), now.into()],
    )?;
    Ok(deleted > 0)
}

/// Deletes a session that its holder still holds; tells whether it did.
pub fn delete_held(tx: &mut Tx<'_>, id: &str, holder: &str) -> Result<bool, Error> {
    let params = [id.into(), holder.into()];
    Ok(tx.execute("DELETE FROM uploads WHERE id = $1 AND lease_holder = $2", &params)? > 0)
}

/// Lists sessions untouched since `before` that nobody holds, the oldest first.
pub fn abandoned(tx: &mut Tx<'_>, before: i64, now: i64, limit: i64) -> Result<Vec<UploadRow>, Error> {
    let rows = tx.query(
        "SELECT id, repository, principal, algorithm, received, hash_state, boot, location FROM uploads \
         WHERE updated_at < $1 AND (lease_holder IS NULL OR lease_until < $2) ORDER BY updated_at LIMIT $3",
        &[before.into(), now.into(), limit.into()],
    )?;
    rows.into_iter().map(upload_row).collect()
}

/// Counts the open sessions.
pub fn count(tx: &mut Tx<'_>) -> Result<i64, Error> {
    tx.one("SELECT COUNT(*) FROM uploads", &[])?.int(0)
}

/// Touches the table as cheaply as can be, to see whether the database answers.
pub fn count_some(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query("SELECT id FROM uploads LIMIT 1", &[])?;
    Ok(())
}
