//! What holds between the rows of a database at any moment, whatever ran.

use crate::db::{Error, Tx};

/// What is wrong, in words; nothing when all is well. Assumes that no reference may be missing.
pub(crate) fn broken(tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for (what, sql) in RULES {
        let count = tx.one(sql, &[])?.int(0)?;
        if count > 0 {
            found.push(format!("{count} × {what}"));
        }
    }
    Ok(found)
}

const RULES: [(&str, &str); 9] = [
    (
        "a manifest names a blob that its repository does not hold",
        "SELECT COUNT(*) FROM manifest_edges e WHERE e.kind <> 'child' AND NOT EXISTS (SELECT 1 FROM repository_blobs l \
         JOIN blobs b ON b.id = l.blob_id WHERE l.repository_id = e.repository_id AND b.digest = e.digest \
         AND b.id = e.blob_id)",
    ),
    (
        "an index names a child that its repository does not hold",
        "SELECT COUNT(*) FROM manifest_edges e WHERE e.kind = 'child' AND NOT EXISTS (SELECT 1 FROM manifests m \
         WHERE m.repository_id = e.repository_id AND m.digest = e.digest AND m.id = e.child_id)",
    ),
    (
        "an edge and its manifest are in two repositories",
        "SELECT COUNT(*) FROM manifest_edges e JOIN manifests m ON m.id = e.manifest_id \
         WHERE m.repository_id <> e.repository_id",
    ),
    (
        "a tag points into another repository",
        "SELECT COUNT(*) FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE m.repository_id <> t.repository_id",
    ),
    (
        "a blob that no repository holds would never be removed",
        "SELECT COUNT(*) FROM blobs b WHERE b.unlinked_since IS NULL \
         AND NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.blob_id = b.id)",
    ),
    (
        "a blob that no manifest names would be held for ever",
        "SELECT COUNT(*) FROM repository_blobs l WHERE l.unreferenced_since IS NULL \
         AND NOT EXISTS (SELECT 1 FROM manifest_edges e WHERE e.repository_id = l.repository_id AND e.blob_id = l.blob_id)",
    ),
    ("bytes in use are also garbage", "SELECT COUNT(*) FROM garbage g JOIN blobs b ON b.location = g.location"),
    (
        "a tag is not where its history ends",
        "SELECT COUNT(*) FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE NOT EXISTS (SELECT 1 FROM tag_history h \
         WHERE h.repository_id = t.repository_id AND h.tag = t.name AND h.digest = m.digest \
         AND h.id = (SELECT MAX(n.id) FROM tag_history n WHERE n.repository_id = t.repository_id AND n.tag = t.name))",
    ),
    (
        "a line of a tag's history does not begin where the one before it ends",
        "SELECT COUNT(*) FROM tag_history h WHERE EXISTS (SELECT 1 FROM tag_history p \
         WHERE p.repository_id = h.repository_id AND p.tag = h.tag AND p.id = (SELECT MAX(q.id) FROM tag_history q \
         WHERE q.repository_id = h.repository_id AND q.tag = h.tag AND q.id < h.id) \
         AND ((p.digest IS NULL) <> (h.previous IS NULL) OR p.digest <> h.previous))",
    ),
];

mod tests {
    use super::broken;
    use crate::db::repositories;
    use crate::db::tests::support::{name, on_each_engine};
    use crate::db::{blobs, tests::support::digest};

    #[tokio::test]
    async fn a_blob_without_a_mark_is_seen() {
        on_each_engine(async |db| {
            let found = db
                .run(|tx| {
                    repositories::ensure(tx, &name("a/b"), 1)?;
                    assert!(broken(tx)?.is_empty());
                    blobs::insert(tx, &digest("x"), 1, "l", 1)?;
                    broken(tx)
                })
                .await;
            assert_eq!(found, ["1 × a blob that no repository holds would never be removed"]);
        })
        .await;
    }
}
