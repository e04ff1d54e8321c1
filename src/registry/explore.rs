//! Looking around: what is pulled most, what was pushed last, what there is by name, and what is one's own.

use super::{Ctx, Error, Identity, Registry};
use crate::db::access::Viewer;
use crate::db::explore::{self, Kept, Stretch};
pub use crate::db::explore::{ListedRow, OwnRow};
use crate::db::{self, Tx};

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// What is pulled most comes first.
    Popular,
    /// What was pushed to last comes first.
    Recent,
    /// By name.
    Name,
}

impl Order {
    /// The key of an entry: what stands behind it in the list follows this key.
    fn key(self, row: &ListedRow) -> String {
        match self {
            Self::Popular => format!("{}.{}", row.pulls, row.id),
            Self::Recent => format!("{}.{}", row.pushed_at.unwrap_or_default(), row.id),
            Self::Name => row.name.clone(),
        }
    }

    /// Whether one entry comes before another.
    fn compare(self, one: &ListedRow, other: &ListedRow) -> std::cmp::Ordering {
        match self {
            Self::Popular => (other.pulls, other.id).cmp(&(one.pulls, one.id)),
            Self::Recent => (other.pushed_at, other.id).cmp(&(one.pushed_at, one.id)),
            Self::Name => one.name.cmp(&other.name),
        }
    }
}

/// A page of such a list.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed {
    /// What is on it.
    pub rows: Vec<ListedRow>,
    /// The key behind which more follow, if they do.
    pub next: Option<String>,
}

/// Lists the repositories that the caller may read, behind the key `after`, which is empty at the beginning. A key that is
/// none begins anew.
pub async fn list(registry: &Registry, ctx: &Ctx, order: Order, after: &str, limit: usize) -> Result<Listed, Error> {
    let (viewer, after) = (registry.viewer(ctx), after.to_owned());
    let mut rows = registry.db.scan(move |tx| readable(tx, viewer, order, &after, limit as i64 + 1)).await?;
    rows.sort_by(|one, other| order.compare(one, other));
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| order.key(row));
    Ok(Listed { rows, next })
}

/// Up to `limit` entries of each sort, in no order.
fn readable(
    tx: &mut Tx<'_>,
    viewer: Viewer,
    order: Order,
    after: &str,
    limit: i64,
) -> Result<Vec<ListedRow>, db::Error> {
    let somebody = viewer.all || viewer.user > 0 || viewer.robot > 0;
    let kinds = [
        Some(Kept::Openly("public")),
        somebody.then_some(Kept::Openly("internal")),
        somebody.then_some(Kept::Privately),
    ];
    let numbers = after.split_once('.').and_then(|(number, id)| Some((number.parse().ok()?, id.parse().ok()?)));
    let (number, id) = numbers.unwrap_or((i64::MAX, i64::MAX));
    let stretch = Stretch { number, id, limit };
    let mut rows = Vec::new();
    for kept in kinds.into_iter().flatten() {
        rows.extend(match order {
            Order::Popular => explore::popular(tx, viewer, kept, &stretch)?,
            Order::Recent => explore::recent(tx, viewer, kept, &stretch)?,
            Order::Name => explore::named(tx, viewer, kept, after, limit)?,
        });
    }
    Ok(rows)
}

/// Lists the namespaces that are the caller's, or in which the caller holds a role.
pub async fn own(registry: &Registry, ctx: &Ctx, limit: usize) -> Result<Vec<OwnRow>, Error> {
    let Identity::User(user) = &ctx.identity else { return Ok(Vec::new()) };
    let id = user.id;
    Ok(registry.db.scan(move |tx| explore::own(tx, id, limit as i64)).await?)
}
