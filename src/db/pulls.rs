//! Counters of pulls: for a manifest, for a tag, for a repository and day.

use super::{Error, Tx};

/// How often a manifest was pulled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Times it was fetched by a tag, or by its digest where no index names it.
    pub pulls: i64,
    /// Times it was fetched by its digest where an index names it.
    pub child_pulls: i64,
}

/// Tells whether a manifest is one that an index of its repository names.
pub fn is_child(tx: &mut Tx<'_>, manifest_id: i64) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM manifests m JOIN manifest_edges e ON e.repository_id = m.repository_id \
               AND e.digest = m.digest AND e.kind = 'child' WHERE m.id = $1 LIMIT 1";
    Ok(tx.first(sql, &[manifest_id.into()])?.is_some())
}

/// Adds to the counters of a manifest, if it is still there.
pub fn add(tx: &mut Tx<'_>, manifest_id: i64, count: Count, at: i64) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO manifest_pulls (manifest_id, pulls, child_pulls, last_pulled_at) \
         SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM manifests WHERE id = $1 FOR KEY SHARE \
         ON CONFLICT (manifest_id) DO UPDATE SET pulls = manifest_pulls.pulls + excluded.pulls, \
         child_pulls = manifest_pulls.child_pulls + excluded.child_pulls, last_pulled_at = excluded.last_pulled_at",
        &[manifest_id.into(), count.pulls.into(), count.child_pulls.into(), at.into()],
    )?;
    Ok(())
}

/// Adds to the counters of a repository and a day (days since 1970), if it is still there.
pub fn add_day(tx: &mut Tx<'_>, repository_id: i64, day: i64, count: Count) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO repository_pulls (repository_id, day, pulls, child_pulls) \
         SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM repositories WHERE id = $1 \
         FOR KEY SHARE \
         ON CONFLICT (repository_id, day) DO UPDATE SET pulls = repository_pulls.pulls + excluded.pulls, \
         child_pulls = repository_pulls.child_pulls + excluded.child_pulls",
        &[repository_id.into(), day.into(), count.pulls.into(), count.child_pulls.into()],
    )?;
    Ok(())
}

/// Adds to how often was pulled from a repository altogether.
pub fn add_total(tx: &mut Tx<'_>, repository_id: i64, pulls: i64) -> Result<(), Error> {
    let sql = "UPDATE repositories SET pulls = pulls + $2 WHERE id = $1";
    tx.execute(sql, &[repository_id.into(), pulls.into()])?;
    Ok(())
}

/// Sets when a manifest was pushed to a repository last; what came later stays.
pub fn set_pushed(tx: &mut Tx<'_>, repository_id: i64, at: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE repositories SET pushed_at = $2 WHERE id = $1 AND (pushed_at IS NULL OR pushed_at < $2)",
        &[repository_id.into(), at.into()],
    )?;
    Ok(())
}

/// Sets when a tag was pulled last, if it is still there.
pub fn touch(tx: &mut Tx<'_>, repository_id: i64, tag: &str, at: i64) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO tag_pulls (repository_id, tag, last_pulled_at) \
         SELECT repository_id, name, CAST($3 AS BIGINT) FROM tags WHERE repository_id = $1 AND name = $2 FOR KEY SHARE \
         ON CONFLICT (repository_id, tag) DO UPDATE SET last_pulled_at = excluded.last_pulled_at",
        &[repository_id.into(), tag.into(), at.into()],
    )?;
    Ok(())
}

/// How often a manifest was pulled, and when last (microseconds since 1970).
pub fn of_manifest(tx: &mut Tx<'_>, manifest_id: i64) -> Result<Option<(Count, i64)>, Error> {
    let sql = "SELECT pulls, child_pulls, last_pulled_at FROM manifest_pulls WHERE manifest_id = $1";
    let row = tx.first(sql, &[manifest_id.into()])?;
    row.map(|mut row| Ok((Count { pulls: row.int(0)?, child_pulls: row.int(1)? }, row.int(2)?))).transpose()
}

/// When a tag was pulled last, in microseconds since 1970.
pub fn of_tag(tx: &mut Tx<'_>, repository_id: i64, tag: &str) -> Result<Option<i64>, Error> {
    let sql = "SELECT last_pulled_at FROM tag_pulls WHERE repository_id = $1 AND tag = $2";
    tx.first(sql, &[repository_id.into(), tag.into()])?.map(|mut row| row.int(0)).transpose()
}

/// Lists how often was pulled from a repository on each day from `since` on (days since 1970); days without are left out.
pub fn of_repository(tx: &mut Tx<'_>, repository_id: i64, since: i64) -> Result<Vec<(i64, Count)>, Error> {
    let rows = tx.query(
        "SELECT day, pulls, child_pulls FROM repository_pulls WHERE repository_id = $1 AND day >= $2 ORDER BY day",
        &[repository_id.into(), since.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.int(0)?, Count { pulls: row.int(1)?, child_pulls: row.int(2)? }))).collect()
}
