//! Looking for events.

use std::collections::HashMap;

use crate::auth::proof::parse_principal;
use crate::auth::{Principal, account_name};
use crate::db::audit::{self, AuditRow};
use crate::db::{self, Tx, repositories, robots, users};
use crate::registry::accounts::AccountError;
use crate::registry::{Error, Registry};

/// Which events are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before, in microseconds since 1970.
    pub since: Option<i64>,
    /// Before, in microseconds since 1970.
    pub until: Option<i64>,
    /// Whose: the name of a user or robot, or a principal such as `user:ID`, `anonymous`, `system`.
    pub actor: Option<String>,
    /// A kind such as `tag.move`, or what kinds begin with, such as `tag.`.
    pub action: Option<String>,
    /// The repository, by its canonical name.
    pub repository: Option<String>,
}

/// An event that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The event.
    pub event: AuditRow,
    /// The present name of who did it, where there is one.
    pub actor_name: Option<String>,
    /// The present name of the user whom it was done to, where that is not who did it.
    pub user_name: Option<String>,
}

impl Entry {
    /// Behind which the next page begins.
    pub fn cursor(&self) -> (i64, i64) {
        (self.event.at, self.event.id)
    }
}

/// Lists events, the newest first, behind the cursor of the last one; at most `limit`.
pub async fn query(
    registry: &Registry,
    filter: &Filter,
    after: Option<(i64, i64)>,
    limit: usize,
) -> Result<Vec<Entry>, Error> {
    let filter = filter.clone();
    let find = move |tx: &mut Tx<'_>| {
        let actor = filter.actor.as_deref().map(|actor| principal(tx, actor)).transpose()?;
        let before = after.unwrap_or((filter.until.unwrap_or(i64::MAX), 0));
        let wanted = audit::Filter {
            since: filter.since.unwrap_or(i64::MIN),
            actor: actor.unwrap_or_default(),
            kind: filter.action.clone().unwrap_or_default(),
            repository: filter.repository.clone().unwrap_or_default(),
        };
        let rows = audit::list(tx, &wanted, before, limit as i64)?;
        named(tx, rows)
    };
    registry.db.scan(find).await
}

/// Repositories whose events are put together at most, for what happened in a namespace.
const REPOSITORIES: i64 = 50;

/// Lists what happened in the repositories of a namespace, those that were pushed to last, as [`query`] does.
pub async fn of_namespace(
    registry: &Registry,
    namespace: &str,
    filter: &Filter,
    after: Option<(i64, i64)>,
    limit: usize,
) -> Result<Vec<Entry>, Error> {
    let (namespace, filter) = (namespace.to_owned(), filter.clone());
    let find = move |tx: &mut Tx<'_>| {
        let before = after.unwrap_or((filter.until.unwrap_or(i64::MAX), 0));
        let mut rows = Vec::new();
        for repository in repositories::latest_of(tx, &namespace, REPOSITORIES)? {
            let kind = filter.action.clone().unwrap_or_default();
            let since = filter.since.unwrap_or(i64::MIN);
            let wanted = audit::Filter { since, kind, repository, actor: String::new() };
            rows.extend(audit::list(tx, &wanted, before, limit as i64)?);
        }
        rows.sort_by_key(|row| std::cmp::Reverse((row.at, row.id)));
        rows.truncate(limit);
        named(tx, rows)
    };
    registry.db.scan(find).await
}

/// Adds the names that people have today.
fn named(tx: &mut Tx<'_>, rows: Vec<AuditRow>) -> Result<Vec<Entry>, Error> {
    let mut names: HashMap<String, Option<String>> = HashMap::new();
    let mut name_of = |tx: &mut Tx<'_>, principal: &str| {
        if let Some(known) = names.get(principal) {
            return Ok::<_, Error>(known.clone());
        }
        let found = actor_name(tx, principal)?;
        names.insert(principal.to_owned(), found.clone());
        Ok(found)
    };
    rows.into_iter()
        .map(|event| {
            let actor_name = name_of(tx, &event.actor)?;
            let detail = event.detail.as_deref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
            let user = detail.as_ref().and_then(|detail| detail.get("user")?.as_str());
            let user_name = match user.map(|id| format!("user:{id}")).filter(|user| *user != event.actor) {
                Some(user) => name_of(tx, &user)?,
                None => None,
            };
            Ok(Entry { event, actor_name, user_name })
        })
        .collect()
}

/// The principal of a name.
fn principal(tx: &mut Tx<'_>, text: &str) -> Result<String, Error> {
    if text == "system" || parse_principal(text).is_some() {
        return Ok(text.to_owned());
    }
    let found = match account_name::split_robot(text) {
        Some((namespace, own)) => {
            robots::by_name(tx, namespace, own)?.map(|robot| format!("robot:{}", robot.public_id))
        }
        None => users::by_name(tx, text)?.map(|user| format!("user:{}", user.public_id)),
    };
    Ok(found.ok_or_else(|| AccountError::Unknown { kind: "user or robot", name: text.to_owned() })?)
}

/// The present name of who acted, where there is one.
pub(in crate::registry) fn actor_name(tx: &mut Tx<'_>, actor: &str) -> Result<Option<String>, db::Error> {
    Ok(match parse_principal(actor) {
        Some(Principal::User(id)) => {
            users::by_public_id(tx, &id)?.filter(|user| user.state != "erased").map(|user| user.name)
        }
        Some(Principal::Robot(id)) => robots::by_public_id(tx, &id)?.map(|robot| robot.full_name()),
        Some(Principal::Anonymous) | None => None,
    })
}
