//! Teams of an organisation and who is in them.

use super::{Error, Tx};

/// Finds a team of a namespace.
pub fn find(tx: &mut Tx<'_>, namespace_id: i64, name: &str) -> Result<Option<i64>, Error> {
    let row =
        tx.first("SELECT id FROM teams WHERE namespace_id = $1 AND name = $2", &[namespace_id.into(), name.into()])?;
    row.map(|mut row| row.int(0)).transpose()
}

/// Makes a team; nothing when there is one of that name.
pub fn insert(tx: &mut Tx<'_>, namespace_id: i64, name: &str, now: i64) -> Result<Option<i64>, Error> {
    let row = tx.first(
        "INSERT INTO teams (namespace_id, name, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT (namespace_id, name) DO NOTHING RETURNING id",
        &[namespace_id.into(), name.into(), now.into()],
    )?;
    row.map(|mut row| row.int(0)).transpose()
}

/// Removes a team with its members and roles.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM role_bindings WHERE team_id = $1", &[id.into()])?;
    tx.execute("DELETE FROM team_members WHERE team_id = $1", &[id.into()])?;
    tx.execute("DELETE FROM teams WHERE id = $1", &[id.into()])?;
    Ok(())
}

/// Lists the teams of a namespace behind `after`, with how many members each has.
pub fn list(tx: &mut Tx<'_>, namespace_id: i64, after: &str, limit: i64) -> Result<Vec<(String, i64)>, Error> {
    let rows = tx.query(
        "SELECT t.name, (SELECT COUNT(*) FROM team_members m WHERE m.team_id = t.id) FROM teams t \
         WHERE t.namespace_id = $1 AND t.name > $2 ORDER BY t.name LIMIT $3",
        &[namespace_id.into(), after.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// Puts a user into a team; tells whether that is new.
pub fn add_member(tx: &mut Tx<'_>, team_id: i64, user_id: i64, now: i64) -> Result<bool, Error> {
    let added = tx.execute(
        "INSERT INTO team_members (team_id, user_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        &[team_id.into(), user_id.into(), now.into()],
    )?;
    Ok(added > 0)
}

/// Takes a user out of a team; tells whether the user was in it.
pub fn remove_member(tx: &mut Tx<'_>, team_id: i64, user_id: i64) -> Result<bool, Error> {
    let sql = "DELETE FROM team_members WHERE team_id = $1 AND user_id = $2";
    Ok(tx.execute(sql, &[team_id.into(), user_id.into()])? > 0)
}

/// Counts the members of a team.
pub fn count(tx: &mut Tx<'_>, team_id: i64) -> Result<i64, Error> {
    tx.one("SELECT COUNT(*) FROM team_members WHERE team_id = $1", &[team_id.into()])?.int(0)
}

/// Lists the names of a team's members behind `after`.
pub fn members(tx: &mut Tx<'_>, team_id: i64, after: &str, limit: i64) -> Result<Vec<String>, Error> {
    let rows = tx.query(
        "SELECT u.name FROM team_members m JOIN users u ON u.id = m.user_id WHERE m.team_id = $1 \
         AND u.name > $2 ORDER BY u.name LIMIT $3",
        &[team_id.into(), after.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| row.text(0)).collect()
}

/// Takes a user out of every team.
pub fn remove_everywhere(tx: &mut Tx<'_>, user_id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM team_members WHERE user_id = $1", &[user_id.into()])?;
    Ok(())
}
