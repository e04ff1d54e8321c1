//! The tags of a repository as a page shows them: in the order of versions, several tags of one image together.
//!
//! Putting tags in the order of versions takes all of them. A repository with more than [`SORTED`] is listed by what was
//! moved last instead, or, where somebody looks for a beginning, by name: both in pages by key.

use std::cmp::Ordering;
use std::collections::HashMap;

use oci::{Digest, RepositoryName};

use crate::db::tags::{self, TagRow};
use crate::db::{Tx, repositories};
use crate::registry::repositories::Details;
use crate::registry::versions::{Kind, Version};
use crate::registry::{Ctx, Error, Registry};

/// With more tags than this, a repository is not put in the order of versions.
pub const SORTED: usize = 2_000;
/// At most this many tags on a page, and one row more at most.
pub const PAGE: usize = 200;
/// At most this many rows on a page.
const ROWS: usize = 100;

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What the name says.
    pub version: Version,
    /// When it was last moved, in microseconds since 1970.
    pub updated_at: i64,
    /// When it was last pulled.
    pub pulled_at: Option<i64>,
}

/// The tags of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The row of the manifest they point to.
    pub manifest_id: i64,
    /// Its digest.
    pub digest: Digest,
    /// The tags, the most exact first; there is at least one.
    pub tags: Vec<Entry>,
}

impl Group {
    /// The most exact tag.
    #[must_use]
    pub fn name(&self) -> &str {
        self.tags.first().map_or("", |tag| &tag.name)
    }

    /// When one of them was last moved.
    #[must_use]
    pub fn updated_at(&self) -> i64 {
        self.tags.iter().map(|tag| tag.updated_at).max().unwrap_or_default()
    }

    /// When one of them was last pulled.
    #[must_use]
    pub fn pulled_at(&self) -> Option<i64> {
        self.tags.iter().filter_map(|tag| tag.pulled_at).max()
    }

    /// Whether all of them are to be tried only.
    #[must_use]
    pub fn is_pre_release(&self) -> bool {
        self.tags.iter().all(|tag| tag.version.is_pre_release())
    }

    /// The tag that a list sorts it by: the one that would stand first.
    fn head(&self) -> Option<&Entry> {
        self.tags.iter().min_by(|one, other| order(one, other))
    }
}

/// How the tags on a page are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As versions.
    Version,
    /// Those that were moved last first: there are too many.
    Newest,
    /// By name: there are too many, and a beginning was looked for.
    Name,
}

/// Which tags are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// What names hold, or begin with where there are too many; small letters.
    pub text: String,
    /// What names stand for.
    pub kind: Option<Kind>,
    /// Only releases, or only what is to be tried.
    pub pre_release: Option<bool>,
}

impl Filter {
    /// Whether it lets everything through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn lets(&self, entry: &Entry) -> bool {
        entry.name.to_ascii_lowercase().contains(&self.text)
            && self.kind.is_none_or(|kind| kind == entry.version.kind())
            && self.pre_release.is_none_or(|pre| pre == entry.version.is_pre_release())
    }
}

/// Tags of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The images with their tags.
    pub groups: Vec<Group>,
    /// How they are ordered.
    pub order: Order,
    /// How many tags the repository has; nothing where there are more than are counted.
    pub total: Option<usize>,
    /// The key behind which the next page begins.
    pub next: Option<String>,
}

/// Which of two tags is listed first. Commits tell no order: of them, the one that was moved last.
fn order(one: &Entry, other: &Entry) -> Ordering {
    let moved = match (one.version.kind(), other.version.kind()) {
        (Kind::Commit, Kind::Commit) => other.updated_at.cmp(&one.updated_at),
        _ => Ordering::Equal,
    };
    moved.then_with(|| one.version.newest_first(&other.version)).then_with(|| one.name.cmp(&other.name))
}

fn entry(row: &TagRow) -> Entry {
    Entry {
        version: Version::read(&row.name),
        name: row.name.clone(),
        updated_at: row.updated_at,
        pulled_at: row.pulled_at,
    }
}

/// Puts tags of one image together, in the order in which the images come up.
fn grouped(rows: &[TagRow]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<i64, usize> = HashMap::new();
    for row in rows {
        let place = *places.entry(row.manifest_id).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.tags.push(entry(row)),
            None => groups.push(Group { manifest_id: row.manifest_id, digest: row.digest, tags: vec![entry(row)] }),
        }
    }
    for group in &mut groups {
        group.tags.sort_by(|one, other| one.version.most_exact_first(&other.version));
    }
    groups
}

/// All groups in the order of versions.
fn sorted(rows: &[TagRow]) -> Vec<Group> {
    let mut groups: Vec<(Entry, Group)> =
        grouped(rows).into_iter().filter_map(|group| Some((group.head()?.clone(), group))).collect();
    groups.sort_by(|(one, _), (other, _)| order(one, other));
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Cuts a page of whole groups off those that come behind the tag `after`; tells the key of the next one.
fn cut(groups: Vec<Group>, after: &str) -> (Vec<Group>, Option<String>) {
    let begin = match groups.iter().position(|group| group.head().is_some_and(|head| head.name == after)) {
        _ if after.is_empty() => 0,
        Some(place) => place + 1,
        // It went meanwhile: what would come behind it follows.
        None => {
            let gone = Entry { name: after.to_owned(), version: Version::read(after), updated_at: 0, pulled_at: None };
            groups.partition_point(|group| group.head().is_some_and(|head| order(head, &gone).is_lt()))
        }
    };
    let behind = groups.into_iter().skip(begin);
    let (mut page, mut tags, mut more) = (Vec::new(), 0, false);
    for group in behind {
        if page.len() == ROWS || tags >= PAGE {
            more = true;
            break;
        }
        tags += group.tags.len();
        page.push(group);
    }
    let next = page.last().filter(|_| more).and_then(Group::head).map(|head| head.name.clone());
    (page, next)
}

/// Counts the tags of a repository; nothing where there are more than are counted.
pub async fn count(registry: &Registry, _ctx: &Ctx, details: &Details) -> Result<Option<usize>, Error> {
    let id = details.id;
    let count = registry.db.read(move |tx: &mut Tx<'_>| tags::count(tx, id, SORTED as i64 + 1)).await?;
    Ok(usize::try_from(count).ok().filter(|count| *count <= SORTED))
}

/// Lists tags behind the key `after`.
pub async fn page(
    registry: &Registry,
    _ctx: &Ctx,
    repository: &RepositoryName,
    filter: &Filter,
    after: &str,
) -> Result<Listing, Error> {
    let (name, filter, after) = (repository.clone(), filter.clone(), after.to_owned());
    let find = move |tx: &mut Tx<'_>| {
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let rows = tags::rows(tx, id, "", "", SORTED as i64 + 1)?;
        if rows.len() > SORTED { many(tx, id, &filter.text, &after) } else { Ok(few(&rows, &filter, &after)) }
    };
    registry.db.scan(find).await
}

fn few(rows: &[TagRow], filter: &Filter, after: &str) -> Listing {
    let mut groups = sorted(rows);
    if !filter.is_empty() {
        groups.retain(|group| group.tags.iter().any(|tag| filter.lets(tag)));
    }
    let (groups, next) = cut(groups, after);
    Listing { groups, order: Order::Version, total: Some(rows.len()), next }
}

/// A page of a repository that has too many tags to be sorted.
fn many(tx: &mut Tx<'_>, id: i64, prefix: &str, after: &str) -> Result<Listing, Error> {
    let limit = ROWS as i64 + 1;
    let order = if prefix.is_empty() { Order::Newest } else { Order::Name };
    let mut rows = if prefix.is_empty() {
        let before = after.split_once(' ').and_then(|(at, name)| Some((at.parse().ok()?, name)));
        tags::newest(tx, id, before.unwrap_or((i64::MAX, "")), limit)?
    } else {
        tags::rows(tx, id, prefix, after, limit)?
    };
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let next = rows.last().filter(|_| more).map(|row| match order {
        Order::Newest => format!("{} {}", row.updated_at, row.name),
        Order::Version | Order::Name => row.name.clone(),
    });
    Ok(Listing { groups: grouped(&rows), order, total: None, next })
}

/// What the first page of a repository says of its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The images, as [`page`] has them; the first page.
    pub listing: Listing,
    /// The newest release.
    pub stable: Option<Group>,
    /// The tag that was asked for, or that is proposed, with its image.
    pub chosen: Option<Group>,
}

/// Finds what the first page of a repository says: the tag `wanted`, or else the newest release, `latest`, the newest tag.
pub async fn overview(
    registry: &Registry,
    _ctx: &Ctx,
    repository: &RepositoryName,
    wanted: &str,
) -> Result<Overview, Error> {
    let (name, wanted) = (repository.clone(), wanted.to_owned());
    let find = move |tx: &mut Tx<'_>| {
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let rows = tags::rows(tx, id, "", "", SORTED as i64 + 1)?;
        if rows.len() <= SORTED {
            let groups = sorted(&rows);
            let stable = newest_release(&groups);
            let chosen = groups.iter().find_map(|group| with(group, &wanted)).or_else(|| stable.clone());
            let chosen = chosen.or_else(|| groups.first().cloned());
            let (groups, next) = cut(groups, "");
            let listing = Listing { groups, order: Order::Version, total: Some(rows.len()), next };
            return Ok::<_, Error>(Overview { listing, stable, chosen });
        }
        let listing = many(tx, id, "", "")?;
        let mut chosen = None;
        for name in [wanted.as_str(), "latest"].into_iter().filter(|name| !name.is_empty()) {
            if chosen.is_none() {
                chosen = tags::find(tx, id, name)?.and_then(|row| grouped(&[row]).into_iter().next());
            }
        }
        let chosen = chosen.or_else(|| listing.groups.first().cloned());
        Ok(Overview { listing, stable: None, chosen })
    };
    registry.db.scan(find).await
}

/// The group with this tag, as its first.
fn with(group: &Group, tag: &str) -> Option<Group> {
    let place = group.tags.iter().position(|entry| entry.name == tag)?;
    let mut group = group.clone();
    let entry = group.tags.remove(place);
    group.tags.insert(0, entry);
    Some(group)
}

/// The newest release without a variant, or else the newest with one.
fn newest_release(groups: &[Group]) -> Option<Group> {
    let stable = |group: &Group, variant: bool| {
        let mut tags = group.tags.iter();
        tags.find(|tag| tag.version.is_stable() && (variant || !tag.version.is_variant())).cloned()
    };
    // `1` may lead the list; what it leads to is told by the most exact tag of the same image.
    let newest = |variant: bool| {
        let mut found = groups.iter().filter_map(|group| Some((stable(group, variant)?, group))).collect::<Vec<_>>();
        found.sort_by(|(one, _), (other, _)| one.version.newest_first(&other.version));
        found.into_iter().next().and_then(|(tag, group)| with(group, &tag.name))
    };
    newest(false).or_else(|| newest(true))
}

#[cfg(test)]
mod tests {
    use oci::Algorithm;

    use super::{Filter, Group, PAGE, ROWS, cut, few, newest_release, sorted};
    use crate::db::tags::TagRow;
    use crate::registry::versions::Kind;

    fn row(name: &str, manifest_id: i64) -> TagRow {
        let digest = Algorithm::Sha256.digest(&manifest_id.to_be_bytes());
        TagRow { name: name.to_owned(), manifest_id, digest, updated_at: manifest_id, pulled_at: None }
    }

    fn lines(groups: &[Group]) -> Vec<String> {
        let line = |group: &Group| group.tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>().join(" ");
        groups.iter().map(line).collect()
    }

    fn rows() -> Vec<TagRow> {
        let rows = [
            ("1", 4),
            ("1.4", 4),
            ("1.4-alpine", 5),
            ("1.4.1", 2),
            ("1.4.2", 4),
            ("1.4.2-alpine", 5),
            ("1.5.0-rc.1", 6),
            ("abc1234", 7),
            ("abc1235", 8),
            ("latest", 4),
            ("main", 9),
        ];
        rows.map(|(name, id)| row(name, id)).into()
    }

    #[test]
    fn tags_of_one_image_stand_together_and_the_newest_first() {
        let groups = sorted(&rows());
        let expected =
            ["1.4.2 1.4 1 latest", "1.5.0-rc.1", "1.4.2-alpine 1.4-alpine", "1.4.1", "main", "abc1235", "abc1234"];
        assert_eq!(lines(&groups), expected);
        assert_eq!(newest_release(&groups).unwrap().name(), "1.4.2");
        assert_eq!(groups.iter().filter(|group| group.is_pre_release()).count(), 1);
        assert!(newest_release(&sorted(&[row("main", 1)])).is_none());
        assert_eq!(newest_release(&sorted(&[row("2-slim", 1), row("2.1-rc1", 2)])).unwrap().name(), "2-slim");
    }

    #[test]
    fn a_filter_keeps_whole_images() {
        let shown = |filter: Filter| lines(&few(&rows(), &filter, "").groups);
        assert_eq!(shown(Filter { text: "1.4.2".to_owned(), ..Filter::default() }).len(), 2);
        assert_eq!(shown(Filter { kind: Some(Kind::Commit), ..Filter::default() }), ["abc1235", "abc1234"]);
        assert_eq!(shown(Filter { pre_release: Some(true), ..Filter::default() }), ["1.5.0-rc.1"]);
        assert!(shown(Filter { text: "none".to_owned(), ..Filter::default() }).is_empty());
    }

    #[test]
    fn pages_hold_each_image_once_also_when_one_goes_between_them() {
        let rows: Vec<TagRow> = (0..500).map(|i| row(&format!("1.0.{i}"), i)).collect();
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let left: Vec<TagRow> = rows.iter().filter(|row| row.name != after).cloned().collect();
            let (page, next) = cut(sorted(&left), &after);
            assert!(page.len() <= ROWS);
            seen.extend(lines(&page));
            let Some(next) = next else { break };
            after = next;
        }
        let expected: Vec<String> = (0..500).rev().map(|i| format!("1.0.{i}")).collect();
        assert_eq!(seen, expected);
        // Many tags of one image are not torn apart.
        let one: Vec<TagRow> = (0..300).map(|i| row(&format!("1.0.{i}"), 1)).collect();
        let (page, next) = cut(sorted(&one), "");
        assert!(page[0].tags.len() > PAGE && next.is_none());
    }
}
