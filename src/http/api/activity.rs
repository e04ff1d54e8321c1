//! What was written down: the audit log for administrators, the activity of a repository for who may see it.

use http::Method;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Call, Reply};
use super::page::Cursor;
use super::problem::Refused;
use super::route::{Needs, Parameter, Route};
use super::times::{moment, time};
use crate::auth::Permissions;
use crate::registry::audit::{self, Entry, Filter};

pub(super) const ROUTES: &[Route] = &[
    Route::new(
        Method::GET,
        "/audit",
        "Search what was written down, the newest first",
        Needs::Instance,
        Permissions::INSTANCE,
        |call| Box::pin(search(call)),
    )
    .group("audit")
    .query(&[
        Parameter { name: "since", about: "not before this moment (RFC 3339)", required: false },
        Parameter { name: "until", about: "before this moment (RFC 3339)", required: false },
        Parameter { name: "actor", about: "a user, a robot such as acme+ci, or user:ID", required: false },
        Parameter {
            name: "action",
            about: "what happened, such as tag.move, or tag. for all of tags",
            required: false,
        },
        Parameter { name: "repository", about: "the repository it happened in", required: false },
    ])
    .pages::<Event>(),
    Route::new(
        Method::GET,
        "/audit/head",
        "The end of the chain, to be kept elsewhere as proof of what stood before it",
        Needs::Instance,
        Permissions::INSTANCE,
        |call| Box::pin(head(call)),
    )
    .group("audit")
    .answers::<Head>(200),
    Route::new(
        Method::GET,
        "/activity",
        "What happened in a repository, the newest first, without addresses",
        Needs::On,
        Permissions::ACTIVITY,
        |call| Box::pin(activity(call)),
    )
    .group("audit")
    .query(&[
        Parameter { name: "on", about: "the repository, such as acme/app", required: true },
        Parameter { name: "since", about: "not before this moment (RFC 3339)", required: false },
        Parameter { name: "until", about: "before this moment (RFC 3339)", required: false },
        Parameter {
            name: "action",
            about: "what happened, such as tag.move, or tag. for all of tags",
            required: false,
        },
    ])
    .pages::<Event>(),
];

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
struct Event {
    /// Its place in the chain; null until it has one, within a second.
    seq: Option<i64>,
    /// When.
    at: String,
    /// What, such as `manifest.push`.
    action: String,
    /// `ok` or `refused`.
    result: String,
    /// Who: `user:ID`, `robot:ID`, `anonymous` or `system`.
    actor: String,
    /// The present name of who did it.
    actor_name: Option<String>,
    /// By which credential.
    credential: Option<String>,
    /// In which repository.
    repository: Option<String>,
    /// Of which tag.
    tag: Option<String>,
    /// In which request.
    request_id: String,
    /// From which address; null where it was erased, or is not shown.
    address: Option<String>,
    /// With which client; null where it was erased, or is not shown.
    user_agent: Option<String>,
    /// Particulars.
    detail: Option<serde_json::Value>,
}

impl Event {
    fn new(entry: Entry, with_personal: bool) -> Self {
        let Entry { event, actor_name, .. } = entry;
        let personal = event.personal.filter(|_| with_personal);
        let (address, user_agent) = personal.map_or((None, None), |personal| (personal.address, personal.user_agent));
        Self {
            seq: event.seq,
            at: time(event.at),
            action: event.kind,
            result: event.result,
            actor: event.actor,
            actor_name,
            credential: event.credential.filter(|_| with_personal),
            repository: event.repository,
            tag: event.tag,
            request_id: event.request_id,
            address,
            user_agent,
            detail: event.detail.and_then(|text| serde_json::from_str(&text).ok()),
        }
    }
}

/// The end of the chain.
#[derive(Debug, Serialize, ToSchema)]
struct Head {
    /// The place of the last event.
    seq: i64,
    /// Its hash, in hexadecimal digits.
    hash: String,
    /// Whether the seal of the end is the registry's own; null where that cannot be told.
    sealed: Option<bool>,
}

async fn search(call: Call) -> Result<Reply, Refused> {
    let text = |name| call.query(name).map(str::to_owned);
    let filter = Filter {
        since: moment(call.query("since"))?,
        until: moment(call.query("until"))?,
        actor: text("actor"),
        action: text("action"),
        repository: text("repository"),
    };
    listed(&call, &filter, true).await
}

async fn activity(call: Call) -> Result<Reply, Refused> {
    let name = call.on_repository()?;
    let filter = Filter {
        since: moment(call.query("since"))?,
        until: moment(call.query("until"))?,
        actor: None,
        action: call.query("action").map(str::to_owned),
        repository: Some(name.to_string()),
    };
    listed(&call, &filter, false).await
}

async fn listed(call: &Call, filter: &Filter, with_personal: bool) -> Result<Reply, Refused> {
    let cursor = call.cursor()?;
    let after = key(&cursor)?;
    let rows = audit::query(call.registry(), filter, after, cursor.limit + 1).await?;
    let key = |entry: &Entry| format!("{} {}", entry.cursor().0, entry.cursor().1);
    Ok(call.page(&cursor.page(rows, key, |entry| Event::new(entry, with_personal)), &cursor))
}

/// The moment and the key behind which the page begins.
fn key(cursor: &Cursor) -> Result<Option<(i64, i64)>, Refused> {
    if cursor.after.is_empty() {
        return Ok(None);
    }
    let both = cursor.after.split_once(' ').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    both.map(Some)
        .ok_or_else(|| Refused::invalid("after takes the `next` of an earlier page, as it was given".to_owned()))
}

async fn head(call: Call) -> Result<Reply, Refused> {
    let head = audit::head(call.registry()).await?;
    let hash = head.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Reply::json(200, &Head { seq: head.seq, hash, sealed: head.sealed }))
}
