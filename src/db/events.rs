//! Events: one row for every change, in the change's own transaction.

use oci::Digest;

use super::{Error, Tx};

/// An event to insert.
#[derive(Debug, Default)]
pub struct NewEvent<'a> {
    /// Microseconds since 1970.
    pub at: i64,
    /// What happened, for example `manifest.push`.
    pub kind: &'static str,
    /// Whether it was refused.
    pub refused: bool,
    /// The repository it happened in.
    pub repository: Option<&'a str>,
    /// The tag it concerns.
    pub tag: Option<&'a str>,
    /// The digest it concerns.
    pub digest: Option<&'a Digest>,
    /// Who did it.
    pub actor: &'a str,
    /// By which credential.
    pub credential: Option<&'a str>,
    /// In which request.
    pub request_id: &'a str,
    /// Particulars, a JSON object.
    pub detail: Option<&'a str>,
    /// What tells about a person.
    pub personal: Option<NewPersonal<'a>>,
}

/// What of an event tells about a person; kept apart, so that it can be erased.
#[derive(Debug)]
pub struct NewPersonal<'a> {
    /// Whose it is.
    pub person: &'a str,
    /// Random bytes, without which the commitment of the chain tells nothing.
    pub salt: [u8; 32],
    /// From which address.
    pub address: Option<&'a str>,
    /// With which client.
    pub user_agent: Option<&'a str>,
    /// What somebody who is unknown gave as a name.
    pub name: Option<&'a str>,
}

/// Inserts an event; returns its key.
pub fn insert(tx: &mut Tx<'_>, new: &NewEvent<'_>) -> Result<i64, Error> {
    let mut row = tx.one(
        "INSERT INTO events (at, kind, result, repository, tag, digest, actor, credential, request_id, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
        &[
            new.at.into(),
            new.kind.into(),
            (if new.refused { "refused" } else { "ok" }).into(),
            new.repository.into(),
            new.tag.into(),
            new.digest.into(),
            new.actor.into(),
            new.credential.into(),
            new.request_id.into(),
            new.detail.into(),
        ],
    )?;
    let id = row.int(0)?;
    if let Some(personal) = &new.personal {
        tx.execute(
            "INSERT INTO event_persons (event_id, person, salt, address, user_agent, name) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                id.into(),
                personal.person.into(),
                personal.salt.to_vec().into(),
                personal.address.into(),
                personal.user_agent.into(),
                personal.name.into(),
            ],
        )?;
    }
    Ok(id)
}

/// An event as it was recorded.
#[derive(Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its key.
    pub id: i64,
    /// What happened.
    pub kind: String,
    /// The tag it concerns.
    pub tag: Option<String>,
    /// The digest it concerns.
    pub digest: Option<Digest>,
    /// Who did it.
    pub actor: String,
    /// In which request.
    pub request_id: String,
}

/// Lists a repository's events, the oldest first.
pub fn of_repository(tx: &mut Tx<'_>, repository: &str, limit: i64) -> Result<Vec<EventRow>, Error> {
    let rows = tx.query(
        "SELECT id, kind, tag, digest, actor, request_id FROM events WHERE repository = $1 ORDER BY id LIMIT $2",
        &[repository.into(), limit.into()],
    )?;
    rows.into_iter()
        .map(|mut row| {
            Ok(EventRow {
                id: row.int(0)?,
                kind: row.text(1)?,
                tag: row.opt_text(2)?,
                digest: row.opt_digest(3)?,
                actor: row.text(4)?,
                request_id: row.text(5)?,
            })
        })
        .collect()
}

/// Who pushed to a repository at this moment.
pub fn pusher(tx: &mut Tx<'_>, repository: &str, at: i64) -> Result<Option<String>, Error> {
    let row = tx.first(
        "SELECT actor FROM events WHERE repository = $1 AND at = $2 \
         AND kind IN ('manifest.push', 'tag.create', 'tag.move') ORDER BY id DESC LIMIT 1",
        &[repository.into(), at.into()],
    )?;
    row.map(|mut row| row.text(0)).transpose()
}
