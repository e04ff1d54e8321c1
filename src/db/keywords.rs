//! What the words that an image says of itself are found in, and where they are kept.

use oci::Digest;

use super::{Error, Row, Tx};

/// A manifest as it was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

fn image_row(mut row: Row) -> Result<Image, Error> {
    Ok(Image { media_type: row.text(0)?, content: row.bytes(1)? })
}

/// Finds a manifest.
pub fn image(tx: &mut Tx<'_>, manifest: i64) -> Result<Option<Image>, Error> {
    tx.first("SELECT media_type, content FROM manifests WHERE id = $1", &[manifest.into()])?.map(image_row).transpose()
}

/// Finds a manifest of a repository by its digest.
pub fn child(tx: &mut Tx<'_>, repository: i64, digest: &Digest) -> Result<Option<Image>, Error> {
    let sql = "SELECT media_type, content FROM manifests WHERE repository_id = $1 AND digest = $2";
    tx.first(sql, &[repository.into(), digest.into()])?.map(image_row).transpose()
}

/// Finds where the bytes of a blob lie that a repository holds.
pub fn location(tx: &mut Tx<'_>, repository: i64, digest: &Digest) -> Result<Option<String>, Error> {
    let row = tx.first(
        "SELECT b.location FROM blobs b JOIN repository_blobs k ON k.blob_id = b.id AND k.repository_id = $1 \
         WHERE b.digest = $2 AND b.state = 'live'",
        &[repository.into(), digest.into()],
    )?;
    row.map(|mut row| row.text(0)).transpose()
}

/// Keeps the words of a repository; those that are there already are not written again.
pub fn keep(tx: &mut Tx<'_>, repository: i64, words: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE repositories SET keywords = $2 WHERE id = $1 AND (keywords IS NULL OR keywords <> $2)",
        &[repository.into(), words.into()],
    )?;
    Ok(())
}
