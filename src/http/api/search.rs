//! Search.

use http::Method;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Call, Reply};
use super::problem::Refused;
use super::route::{Needs, Parameter, Route};
use super::times::time;
use crate::auth::Permissions;
use crate::registry::explore::ListedRow;
use crate::registry::search::{self, MAX_QUERY, MOST};

/// How many are found when the client does not say.
const RESULTS: usize = 25;

pub(super) const ROUTES: &[Route] = &[Route::new(
    Method::GET,
    "/search",
    "Find repositories that the caller may read by words of their name and of what is said about them",
    Needs::Anybody,
    Permissions::NONE,
    |call| Box::pin(find(call)),
)
.group("repositories")
.query(&[
    Parameter { name: "q", about: "the words, at most 200 bytes", required: true },
    Parameter { name: "namespace", about: "only those in this namespace", required: false },
    Parameter { name: "limit", about: "how many at most: 1 to 300, 25 when left out", required: false },
])
.answers::<Found>(200)];

/// What a search has found.
#[derive(Debug, Serialize, ToSchema)]
struct Found {
    /// The repositories, the best first.
    items: Vec<FoundRepository>,
    /// Whether there are more.
    more: bool,
    /// Whether nothing has the words as they were given, and these have them nearly.
    nearly: bool,
}

/// A repository that was found.
#[derive(Debug, Serialize, ToSchema)]
struct FoundRepository {
    /// Its name.
    name: String,
    /// What it is, in one line.
    description: Option<String>,
    /// Who may see it without a role: `public`, `internal` (any signed-in user) or `private`.
    visibility: String,
    /// How many users have starred it.
    stars: i64,
    /// How often it was pulled.
    pulls: i64,
    /// When something was pushed to it last.
    pushed_at: Option<String>,
    /// Whether administrators call its namespace official.
    official: bool,
}

impl From<ListedRow> for FoundRepository {
    fn from(row: ListedRow) -> Self {
        Self {
            name: row.name,
            description: row.description,
            visibility: row.visibility,
            stars: row.stars,
            pulls: row.pulls,
            pushed_at: row.pushed_at.map(time),
            official: row.official,
        }
    }
}

async fn find(call: Call) -> Result<Reply, Refused> {
    let text = call.query("q").unwrap_or_default();
    if text.len() > MAX_QUERY {
        return Err(Refused::invalid(format!("q takes at most {MAX_QUERY} bytes")));
    }
    let limit = match call.query("limit") {
        None => RESULTS,
        Some(limit) => limit
            .parse()
            .ok()
            .filter(|n| (1..=MOST).contains(n))
            .ok_or_else(|| Refused::invalid(format!("limit is a whole number from 1 to {MOST}")))?,
    };
    let namespace = call.query("namespace").map(str::to_owned);
    let wanted = search::Query { text: text.to_owned(), namespace, limit, since: 0 };
    let found = search::find(call.registry(), call.ctx(), wanted).await?;
    let items = found.rows.into_iter().map(FoundRepository::from).collect();
    Ok(Reply::json(200, &Found { items, more: found.more, nearly: found.nearly }))
}
