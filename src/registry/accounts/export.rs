//! Everything that is held about a person, in pages: a line of JSON each. The format is described in docs/accounts.md.

use serde_json::{Value, json};

use super::user;
use crate::db::users::{self, UserRow};
use crate::db::{Tx, invitations, links, personal, sessions, stars};
use crate::registry::{Error, Registry};

/// The version of the format. It grows when a field changes its meaning; new fields and kinds do not count.
const VERSION: u32 = 1;
/// Rows of a page.
const PAGE: i64 = 500;

/// Where an export stands.
#[derive(Debug)]
enum Part {
    Profile,
    Tokens(i64),
    Repositories(String),
    Stars(i64),
    Events(i64),
    Done,
}

/// An export under way.
#[derive(Debug)]
pub struct Export {
    user: UserRow,
    part: Part,
}

/// Begins the export of what is held about a user.
pub async fn start(registry: &Registry, name: &str) -> Result<Export, Error> {
    let name = name.to_owned();
    let user = registry.db.read(move |tx| user(tx, &name)).await?;
    Ok(Export { user, part: Part::Profile })
}

impl Export {
    /// Returns the next page of lines; nothing when all has been told.
    pub async fn next(&mut self, registry: &Registry) -> Result<Option<Vec<Value>>, Error> {
        let user = self.user.clone();
        let (lines, part) = match std::mem::replace(&mut self.part, Part::Done) {
            Part::Profile => (registry.db.scan(move |tx| profile(tx, &user)).await?, Part::Tokens(0)),
            Part::Tokens(after) => {
                let rows = registry.db.scan(move |tx| personal::tokens(tx, user.id, after, PAGE)).await?;
                let next = rows.last().map_or_else(|| Part::Repositories(String::new()), |row| Part::Tokens(row.id));
                (rows.iter().map(token).collect(), next)
            }
            Part::Repositories(after) => {
                let rows = registry.db.scan(move |tx| personal::repositories(tx, user.id, &after, PAGE)).await?;
                let next = rows.last().map_or(Part::Stars(0), |(name, ..)| Part::Repositories(name.clone()));
                let line = |(name, visibility, at): &(String, String, i64)| json!({ "kind": "repository", "name": name, "visibility": visibility, "created_at": time(*at) });
                (rows.iter().map(line).collect(), next)
            }
            Part::Stars(after) => {
                let rows = registry.db.scan(move |tx| stars::of_user(tx, user.id, after, PAGE)).await?;
                let next = rows.last().map_or(Part::Events(0), |(id, ..)| Part::Stars(*id));
                let line = |(_, name, at): &(i64, String, i64)| json!({ "kind": "star", "repository": name, "since": time(*at) });
                (rows.iter().map(line).collect(), next)
            }
            Part::Events(after) => {
                let actor = format!("user:{}", user.public_id);
                let rows = registry.db.scan(move |tx| personal::deeds(tx, &actor, after, PAGE)).await?;
                let next = rows.last().map_or(Part::Done, |row| Part::Events(row.id));
                (rows.iter().map(deed).collect(), next)
            }
            Part::Done => return Ok(None),
        };
        self.part = part;
        Ok(Some(lines))
    }
}

fn profile(tx: &mut Tx<'_>, user: &UserRow) -> Result<Vec<Value>, Error> {
    let (language, verified) = users::mail_facts(tx, user.id)?;
    let mut lines = vec![
        json!({ "kind": "export", "format": "havre-personal-data", "version": VERSION }),
        json!({
            "kind": "profile",
            "id": user.public_id,
            "name": user.name,
            "email": user.email,
            "email_verified_at": verified.map(time),
            "display_name": user.display_name,
            "language": language,
            "administrator": user.admin,
            "state": user.state,
            "password": user.password_hash.is_some(),
            "second_factor": user.second_factor,
            "created_at": time(user.created_at),
        }),
    ];
    for (organisation, team, at) in personal::teams(tx, user.id)? {
        lines.push(json!({ "kind": "team", "organisation": organisation, "team": team, "since": time(at) }));
    }
    for (role, pattern, exact, at) in personal::roles(tx, user.id)? {
        let on = if exact { pattern } else { format!("{pattern}*") };
        lines.push(json!({ "kind": "role", "role": role, "on": on, "since": time(at) }));
    }
    for row in sessions::of_user(tx, user.id)? {
        lines.push(json!({
            "kind": "session",
            "id": row.public_id,
            "created_at": time(row.created_at),
            "last_seen_at": time(row.last_seen_at),
            "expires_at": time(row.expires_at),
            "address": row.address,
            "user_agent": row.user_agent,
        }));
    }
    for address in links::addresses(tx, user.id)? {
        lines.push(json!({ "kind": "address-to-confirm", "email": address }));
    }
    if let Some(email) = &user.email {
        for row in invitations::of_email(tx, email)? {
            lines.push(json!({
                "kind": "invitation",
                "id": row.public_id,
                "organisation": row.organisation,
                "role": row.role,
                "created_at": time(row.created_at),
                "expires_at": time(row.expires_at),
            }));
        }
    }
    Ok(lines)
}

fn token(row: &personal::HeldToken) -> Value {
    json!({
        "kind": "token",
        "id": row.public_id,
        "type": row.kind,
        "name": row.name,
        "created_at": time(row.created_at),
        "expires_at": row.expires_at.map(time),
        "revoked_at": row.revoked_at.map(time),
        "last_used_at": row.last_used_at.map(time),
        "last_used_address": row.last_used_address,
    })
}

fn deed(row: &personal::Deed) -> Value {
    json!({
        "kind": "event",
        "id": row.id,
        "at": time(row.at),
        "event": row.kind,
        "repository": row.repository,
        "tag": row.tag,
        "credential": row.credential,
        "request_id": row.request_id,
        "address": row.address,
        "user_agent": row.user_agent,
        "detail": row.detail.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok()),
    })
}

/// A time as RFC 3339 writes it, in UTC.
fn time(at: i64) -> String {
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |time| time.to_string())
}
