//! Manifests and the edges to what they name.

use oci::{Digest, RepositoryName, Tag};

use super::{Error, Row, Tx};

/// A manifest as a pull needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestRow {
    /// Its digest.
    pub digest: Digest,
    /// Its media type, as pushed.
    pub media_type: String,
    /// Its bytes, exactly as pushed.
    pub content: Vec<u8>,
    /// Its row and its repository's.
    pub keys: Keys,
}

/// The rows of a manifest and of its repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// The manifest.
    pub manifest: i64,
    /// Its repository.
    pub repository: i64,
}

/// A manifest without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestHead {
    /// Its digest.
    pub digest: Digest,
    /// Its media type, as pushed.
    pub media_type: String,
    /// How many bytes it has.
    pub size: u64,
    /// Its row and its repository's.
    pub keys: Keys,
}

fn manifest_row(mut row: Row) -> Result<ManifestRow, Error> {
    let keys = keys(&mut row)?;
    Ok(ManifestRow { digest: row.digest(0)?, media_type: row.text(1)?, content: row.bytes(2)?, keys })
}

fn manifest_head(mut row: Row) -> Result<ManifestHead, Error> {
    let keys = keys(&mut row)?;
    Ok(ManifestHead { digest: row.digest(0)?, media_type: row.text(1)?, size: row.size(2)?, keys })
}

fn keys(row: &mut Row) -> Result<Keys, Error> {
    Ok(Keys { manifest: row.int(3)?, repository: row.int(4)? })
}

/// Finds the manifest a tag points to.
pub fn by_tag(tx: &mut Tx<'_>, repository: &RepositoryName, tag: &Tag) -> Result<Option<ManifestRow>, Error> {
    let row = tx.first(
        "SELECT m.digest, m.media_type, m.content, m.id, m.repository_id FROM repositories r \
         JOIN tags t ON t.repository_id = r.id AND t.name = $2 \
         JOIN manifests m ON m.id = t.manifest_id WHERE r.name = $1",
        &[repository.as_str().into(), tag.as_str().into()],
    )?;
    row.map(manifest_row).transpose()
}

/// Finds a manifest by its digest.
pub fn by_digest(tx: &mut Tx<'_>, repository: &RepositoryName, digest: &Digest) -> Result<Option<ManifestRow>, Error> {
    let row = tx.first(
        "SELECT m.digest, m.media_type, m.content, m.id, m.repository_id FROM repositories r \
         JOIN manifests m ON m.repository_id = r.id AND m.digest = $2 WHERE r.name = $1",
        &[repository.as_str().into(), digest.into()],
    )?;
    row.map(manifest_row).transpose()
}

/// Finds what a tag points to, without its bytes.
pub fn head_by_tag(tx: &mut Tx<'_>, repository: &RepositoryName, tag: &Tag) -> Result<Option<ManifestHead>, Error> {
    let row = tx.first(
        "SELECT m.digest, m.media_type, m.size, m.id, m.repository_id FROM repositories r \
         JOIN tags t ON t.repository_id = r.id AND t.name = $2 \
         JOIN manifests m ON m.id = t.manifest_id WHERE r.name = $1",
        &[repository.as_str().into(), tag.as_str().into()],
    )?;
    row.map(manifest_head).transpose()
}

/// Finds a manifest by its digest, without its bytes.
pub fn head_by_digest(
    tx: &mut Tx<'_>,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Option<ManifestHead>, Error> {
    let row = tx.first(
        "SELECT m.digest, m.media_type, m.size, m.id, m.repository_id FROM repositories r \
         JOIN manifests m ON m.repository_id = r.id AND m.digest = $2 WHERE r.name = $1",
        &[repository.as_str().into(), digest.into()],
    )?;
    row.map(manifest_head).transpose()
}

/// Lists the manifests that an index names and the repository holds, of at most `size` bytes each, in the order of their
/// digests; at most `limit`.
pub fn children(tx: &mut Tx<'_>, manifest_id: i64, size: i64, limit: i64) -> Result<Vec<ManifestRow>, Error> {
    let rows = tx.query(
        "SELECT m.digest, m.media_type, m.content, m.id, m.repository_id FROM manifest_edges e \
         JOIN manifests m ON m.repository_id = e.repository_id AND m.digest = e.digest \
         WHERE e.manifest_id = $1 AND e.kind = 'child' AND m.size <= $2 ORDER BY e.position LIMIT $3",
        &[manifest_id.into(), size.into(), limit.into()],
    )?;
    rows.into_iter().map(manifest_row).collect()
}

/// Finds a manifest's row and keeps it from being deleted until the transaction ends.
pub fn hold(tx: &mut Tx<'_>, repository_id: i64, digest: &Digest) -> Result<Option<i64>, Error> {
    let row = tx.first(
        "SELECT id FROM manifests WHERE repository_id = $1 AND digest = $2 FOR KEY SHARE",
        &[repository_id.into(), digest.into()],
    )?;
    row.map(|mut row| row.int(0)).transpose()
}

/// Locks a manifest's row for its deletion.
pub fn lock(tx: &mut Tx<'_>, repository_id: i64, digest: &Digest) -> Result<Option<i64>, Error> {
    let row = tx.first(
        "SELECT id FROM manifests WHERE repository_id = $1 AND digest = $2 FOR UPDATE",
        &[repository_id.into(), digest.into()],
    )?;
    row.map(|mut row| row.int(0)).transpose()
}

/// A manifest to insert.
#[derive(Debug, Clone)]
pub struct NewManifest<'a> {
    /// The repository.
    pub repository_id: i64,
    /// Its digest.
    pub digest: &'a Digest,
    /// Its media type.
    pub media_type: &'a str,
    /// The artifact type that the referrers API names.
    pub artifact_type: Option<&'a str>,
    /// What it refers to.
    pub subject: Option<&'a Digest>,
    /// Its annotations as a JSON object; kept only where the referrers API lists them.
    pub annotations: Option<&'a str>,
    /// Its bytes.
    pub content: &'a [u8],
    /// Microseconds since 1970.
    pub now: i64,
}

/// Inserts a manifest; returns nothing when it is already there.
pub fn insert(tx: &mut Tx<'_>, new: &NewManifest<'_>) -> Result<Option<i64>, Error> {
    let row = tx.first(
        "INSERT INTO manifests (repository_id, digest, media_type, artifact_type, subject, annotations, size, \
         created_at, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (repository_id, digest) DO NOTHING RETURNING id",
        &[
            new.repository_id.into(),
            new.digest.into(),
            new.media_type.into(),
            new.artifact_type.into(),
            new.subject.into(),
            new.annotations.into(),
            (new.content.len() as i64).into(),
            new.now.into(),
            new.content.to_vec().into(),
        ],
    )?;
    row.map(|mut row| row.int(0)).transpose()
}

/// Where an edge leads, when its target is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A blob that the repository holds.
    Blob(i64),
    /// A manifest of the repository.
    Child(i64),
    /// Nothing, where that is allowed.
    Missing,
}

/// Inserts an edge. `kind` is 'config', 'layer' or 'child'.
pub fn insert_edge(
    tx: &mut Tx<'_>,
    manifest_id: i64,
    position: i64,
    kind: &'static str,
    repository_id: i64,
    digest: &Digest,
    target: Target,
) -> Result<(), Error> {
    let (blob, child) = match target {
        Target::Blob(id) => (Some(id), None),
        Target::Child(id) => (None, Some(id)),
        Target::Missing => (None, None),
    };
    tx.execute(
        "INSERT INTO manifest_edges (manifest_id, position, kind, repository_id, digest, blob_id, child_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            manifest_id.into(),
            position.into(),
            kind.into(),
            repository_id.into(),
            digest.into(),
            blob.into(),
            child.into(),
        ],
    )?;
    Ok(())
}

/// Lists the digests of manifests that have the manifest `digest` as a child, at most `limit` of them.
pub fn parents(tx: &mut Tx<'_>, repository_id: i64, digest: &Digest, limit: i64) -> Result<Vec<Digest>, Error> {
    named_by(tx, repository_id, digest, true, limit)
}

/// Lists the digests of manifests that name the blob `digest`, at most `limit` of them.
pub fn users(tx: &mut Tx<'_>, repository_id: i64, digest: &Digest, limit: i64) -> Result<Vec<Digest>, Error> {
    named_by(tx, repository_id, digest, false, limit)
}

fn named_by(
    tx: &mut Tx<'_>,
    repository_id: i64,
    digest: &Digest,
    as_child: bool,
    limit: i64,
) -> Result<Vec<Digest>, Error> {
    let rows = tx.query(
        "SELECT DISTINCT m.digest FROM manifest_edges e JOIN manifests m ON m.id = e.manifest_id \
         WHERE e.repository_id = $1 AND e.digest = $2 AND (e.kind = 'child') = $3 ORDER BY m.digest LIMIT $4",
        &[repository_id.into(), digest.into(), as_child.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| row.digest(0)).collect()
}

/// Lists the blobs that a manifest names and the repository holds, in the order of their digests. Those that came after the
/// manifest, to which no edge leads, are among them.
pub fn blobs_of(tx: &mut Tx<'_>, manifest_id: i64) -> Result<Vec<(i64, Digest)>, Error> {
    let rows = tx.query(
        "SELECT DISTINCT b.id, b.digest FROM manifest_edges e JOIN blobs b ON b.digest = e.digest \
         JOIN repository_blobs l ON l.repository_id = e.repository_id AND l.blob_id = b.id \
         WHERE e.manifest_id = $1 AND e.kind <> 'child' ORDER BY b.digest",
        &[manifest_id.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.int(0)?, row.digest(1)?))).collect()
}

/// Deletes a manifest with its edges; blobs that nothing names any more begin their grace period.
pub fn delete(tx: &mut Tx<'_>, repository_id: i64, manifest_id: i64, now: i64) -> Result<(), Error> {
    let blobs = blobs_of(tx, manifest_id)?;
    for (blob_id, _) in &blobs {
        // Two manifests that name one layer and are deleted at once would each still see the other's edge.
        super::blobs::lock_link(tx, repository_id, *blob_id)?;
    }
    tx.execute("DELETE FROM manifest_edges WHERE manifest_id = $1", &[manifest_id.into()])?;
    tx.execute("DELETE FROM manifests WHERE id = $1", &[manifest_id.into()])?;
    for (blob_id, digest) in blobs {
        tx.execute(
            "UPDATE repository_blobs SET unreferenced_since = $3 WHERE repository_id = $1 AND blob_id = $2 \
             AND NOT EXISTS (SELECT 1 FROM manifest_edges e \
             WHERE e.repository_id = $1 AND e.digest = $4 AND e.kind <> 'child')",
            &[repository_id.into(), blob_id.into(), now.into(), (&digest).into()],
        )?;
    }
    Ok(())
}
