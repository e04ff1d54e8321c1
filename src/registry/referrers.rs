//! The manifests that refer to a subject.

use oci::{Digest, RepositoryName};

use super::{Error, Registry};
use crate::db::referrers::{self, ReferrerRow};
use crate::db::{self, repositories};

/// At most this many descriptors on a page.
const PAGE: usize = 100;
/// At most about this many bytes of annotations and types on a page: clients refuse longer lists than a manifest may be.
const PAGE_BYTES: usize = 4 * 1024 * 1024 - 64 * 1024;
/// What the JSON of a descriptor takes beside its annotations, media type and artifact type.
const DESCRIPTOR_BYTES: usize = 320;

/// One page of referrers.
#[derive(Debug)]
pub struct Page {
    /// The referrers, in the order of their digests.
    pub referrers: Vec<ReferrerRow>,
    /// The digest behind which the next page begins.
    pub next: Option<Digest>,
}

/// Lists the referrers of `subject` behind `last`; a repository or subject that is not there has none.
pub async fn list(
    registry: &Registry,
    repository: &RepositoryName,
    subject: &Digest,
    artifact_type: Option<&str>,
    last: Option<&Digest>,
) -> Result<Page, Error> {
    let (name, subject) = (repository.clone(), *subject);
    let artifact_type = artifact_type.map(str::to_owned);
    let after = last.map(Digest::to_key).unwrap_or_default();
    let find = move |tx: &mut db::Tx<'_>| {
        let Some(id) = repositories::find(tx, &name)? else { return Ok(Vec::new()) };
        referrers::list(tx, id, &subject, after.clone(), artifact_type.as_deref(), PAGE as i64 + 1)
    };
    let rows: Vec<ReferrerRow> = registry.db.scan::<_, db::Error, _>(find).await?;
    Ok(cut(rows))
}

fn cut(mut rows: Vec<ReferrerRow>) -> Page {
    let mut bytes = 0;
    let fits = rows
        .iter()
        .take(PAGE)
        .take_while(|row| {
            let annotations = row.annotations.as_ref().map_or(0, String::len);
            let types = row.media_type.len() + row.artifact_type.as_ref().map_or(0, String::len);
            bytes += DESCRIPTOR_BYTES + annotations + types;
            bytes <= PAGE_BYTES
        })
        .count()
        // One that is too long alone still has to be listed, or the list would never end.
        .max(usize::from(!rows.is_empty()));
    let more = rows.len() > fits;
    rows.truncate(fits);
    let next = rows.last().filter(|_| more).map(|row| row.digest);
    Page { referrers: rows, next }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci::Algorithm;

    fn row(seed: u8, annotations: usize) -> ReferrerRow {
        ReferrerRow {
            digest: Algorithm::Sha256.digest(&[seed]),
            media_type: "m".into(),
            artifact_type: None,
            annotations: Some("x".repeat(annotations)),
            size: 1,
        }
    }

    #[test]
    fn a_page_is_cut_by_count() {
        let page = cut((0..=100).map(|i| row(i, 10)).collect());
        assert_eq!(page.referrers.len(), PAGE);
        assert_eq!(page.next, Some(page.referrers[PAGE - 1].digest));
    }

    #[test]
    fn a_page_is_cut_by_bytes_but_is_never_empty() {
        let page = cut(vec![row(1, 3_000_000), row(2, 3_000_000)]);
        assert_eq!((page.referrers.len(), page.next.is_some()), (1, true));
        let page = cut(vec![row(1, 8_000_000)]);
        assert_eq!((page.referrers.len(), page.next.is_some()), (1, false));
    }
}
