//! The manifests that refer to a subject.

use oci::{Digest, RepositoryName};

use super::{Ctx, Error, Registry};
pub use crate::db::referrers::ReferrerRow;
use crate::db::referrers::{self, ReferrerLength};
use crate::db::{self, repositories};

/// At most this many descriptors on a page.
const PAGE: usize = 100;
/// At most about this many bytes of annotations and types on a page: clients refuse longer lists than a manifest may be.
const PAGE_BYTES: u64 = 4 * 1024 * 1024 - 64 * 1024;
/// What the JSON of a descriptor takes beside its annotations, media type and artifact type.
const DESCRIPTOR_BYTES: u64 = 320;

/// One page of referrers.
#[derive(Debug)]
pub struct Page {
    /// The referrers, in the order of their digests.
    pub referrers: Vec<ReferrerRow>,
    /// The digest behind which the next page begins.
    pub next: Option<Digest>,
}

/// Lists the referrers of `subject` behind `last`; a subject that is not there has none.
pub async fn list(
    registry: &Registry,
    _ctx: &Ctx,
    repository: &RepositoryName,
    subject: &Digest,
    artifact_type: Option<&str>,
    last: Option<&Digest>,
) -> Result<Page, Error> {
    let (name, subject) = (repository.clone(), *subject);
    let artifact_type = artifact_type.unwrap_or_default().to_owned();
    let after = last.map(Digest::to_key).unwrap_or_default();
    let find = move |tx: &mut db::Tx<'_>| {
        let nothing = Page { referrers: Vec::new(), next: None };
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        // Cut first, read then: a hundred referrers may carry a hundred megabytes of annotations.
        let measured = referrers::measure(tx, id, &subject, after.clone(), &artifact_type, PAGE as i64 + 1)?;
        let (fits, more) = cut(&measured);
        let Some(end) = fits.last().map(|length| length.digest) else { return Ok(nothing) };
        let referrers = referrers::list(tx, id, &subject, after, &end, &artifact_type)?;
        Ok(Page { referrers, next: more.then_some(end) })
    };
    registry.db.scan::<_, Error, _>(find).await
}

/// Tells how many of the measured referrers a page holds, and whether there are more.
fn cut(measured: &[ReferrerLength]) -> (&[ReferrerLength], bool) {
    let mut bytes = 0;
    let fits = measured
        .iter()
        .take(PAGE)
        .take_while(|length| {
            bytes += DESCRIPTOR_BYTES + length.bytes;
            bytes <= PAGE_BYTES
        })
        .count()
        // One that is too long alone still has to be listed, or the list would never end.
        .max(usize::from(!measured.is_empty()));
    (&measured[..fits], measured.len() > fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci::Algorithm;

    fn length(seed: u8, bytes: u64) -> ReferrerLength {
        ReferrerLength { digest: Algorithm::Sha256.digest(&[seed]), bytes }
    }

    #[test]
    fn a_page_is_cut_by_count() {
        let measured: Vec<_> = (0..=100).map(|i| length(i, 10)).collect();
        let (fits, more) = cut(&measured);
        assert_eq!((fits.len(), more), (PAGE, true));
    }

    #[test]
    fn a_page_is_cut_by_bytes_but_is_never_empty() {
        let (fits, more) = {
            let measured = [length(1, 3_000_000), length(2, 3_000_000)];
            let (fits, more) = cut(&measured);
            (fits.len(), more)
        };
        assert_eq!((fits, more), (1, true));
        assert_eq!(cut(&[length(1, 8_000_000)]), (&[length(1, 8_000_000)][..], false));
        assert_eq!(cut(&[]), (&[][..], false));
    }
}
