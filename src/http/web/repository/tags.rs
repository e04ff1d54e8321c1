//! The tags of a repository, in the order of versions.

use std::collections::BTreeSet;

use askama::Template;
use oci::{Digest, encode_component};

use super::{Chip, Choice, Seen};
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::summaries::{self, Summary};
use crate::registry::tags::page::{self, Filter, Group, Listing, Order};
use crate::registry::versions::Kind;

pub(in crate::http::web) const ROUTES: &[Route] = &[Route::get("/{repository}/-/tags", |visit| Box::pin(tags(visit)))];

/// Most tags of one image that a row shows.
const SHOWN: usize = 12;
/// Most platforms of one image that a row shows.
const PLATFORMS: usize = 8;
/// Through so many pages is looked for images that run on a platform.
const LOOKED_THROUGH: usize = 4;
/// Longest text that is looked for; no tag is longer.
const MAX_TEXT: usize = 128;

/// The tags of one image.
struct Row {
    tags: Vec<Chip>,
    more: usize,
    /// The tag that stands for the row where it is picked.
    head: String,
    digest: String,
    image: String,
    platforms: Vec<String>,
    more_platforms: usize,
    bytes: Option<u64>,
    updated: i64,
    pulled: Option<i64>,
    pre_release: bool,
}

#[derive(Template)]
#[template(path = "repository/tags.html")]
struct TagsPage<'a> {
    v: &'a View,
    f: &'a Seen,
    rows: Vec<Row>,
    text: &'a str,
    kinds: Vec<Choice>,
    platforms: Vec<Choice>,
    filtered: bool,
    /// Why the tags do not come as versions.
    order: Option<String>,
    first: Option<String>,
    next: Option<String>,
    teach: String,
}

/// What is looked for, as the address says it.
struct Asked<'a> {
    text: &'a str,
    kind: &'a str,
    platform: &'a str,
}

impl Asked<'_> {
    fn filter(&self) -> Filter {
        Filter {
            text: self.text.to_ascii_lowercase(),
            kind: if self.kind == "stable" { Some(Kind::Version) } else { Kind::parse(self.kind) },
            pre_release: match self.kind {
                "stable" => Some(false),
                "pre" => Some(true),
                _ => None,
            },
        }
    }

    fn href(&self, path: &str, after: &str) -> String {
        let mut href = format!("{path}/-/tags");
        let pairs = [("q", self.text), ("kind", self.kind), ("platform", self.platform), ("after", after)];
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            href.push(if href.contains('?') { '&' } else { '?' });
            href.push_str(&format!("{name}={}", encode_component(value)));
        }
        href
    }
}

async fn tags(mut visit: Visit) -> Result<Answer, Failure> {
    let seen = Seen::find(&mut visit, Permissions::READ, "tags").await?;
    let v = visit.view();
    let asked = Asked {
        text: Some(visit.parameter("q").trim()).filter(|text| text.len() <= MAX_TEXT).unwrap_or_default(),
        kind: visit.parameter("kind"),
        platform: visit.parameter("platform"),
    };
    let after = visit.parameter("after");
    let found = find(&visit, &seen, &asked, after).await?;
    let order = match found.listing.order {
        Order::Version => None,
        Order::Newest => Some(v.tn("tags-order-newest", page::SORTED)),
        Order::Name => Some(v.tn("tags-order-name", page::SORTED)),
    };
    let rows =
        found.listing.groups.iter().zip(&found.summaries).map(|(group, summary)| row(&seen, group, summary.as_ref()));
    Ok(Answer::ok(&TagsPage {
        rows: rows.collect(),
        text: asked.text,
        kinds: kinds(&v, asked.kind, order.is_none()),
        platforms: platforms(&v, &found.platforms, asked.platform),
        filtered: !asked.filter().is_empty() || !asked.platform.is_empty(),
        order,
        first: (!after.is_empty()).then(|| asked.href(&seen.path, "")),
        next: found.listing.next.as_deref().map(|after| asked.href(&seen.path, after)),
        teach: seen.first_push(&v),
        f: &seen,
        v: &v,
    }))
}

/// Tags with what a row says of their images.
struct Found {
    listing: Listing,
    summaries: Vec<Option<Summary>>,
    /// What the images run on that were looked at.
    platforms: BTreeSet<String>,
}

/// Lists tags. What images run on is known of those that were looked at only, so looking for a platform goes page by page, and
/// through a few pages only: the next one is a click away.
async fn find(visit: &Visit, seen: &Seen, asked: &Asked<'_>, after: &str) -> Result<Found, Failure> {
    let (registry, ctx) = (visit.registry(), visit.ctx());
    let mut found: Option<Found> = None;
    let mut after = after.to_owned();
    for _ in 0..LOOKED_THROUGH {
        let listing = page::page(registry, ctx, &seen.name, &asked.filter(), &after).await?;
        let digests: Vec<Digest> = listing.groups.iter().map(|group| group.digest).collect();
        let summaries = summaries::summary(registry, ctx, &seen.name, &digests).await?;
        let place = found.get_or_insert_with(|| Found {
            listing: Listing { groups: Vec::new(), ..listing.clone() },
            summaries: Vec::new(),
            platforms: BTreeSet::new(),
        });
        place.listing.next.clone_from(&listing.next);
        for (group, summary) in listing.groups.into_iter().zip(summaries) {
            let runs_on = summary.as_ref().map(|summary| summary.platforms.as_slice()).unwrap_or_default();
            place.platforms.extend(runs_on.iter().take(PLATFORMS).cloned());
            if asked.platform.is_empty() || runs_on.iter().any(|platform| platform == asked.platform) {
                place.listing.groups.push(group);
                place.summaries.push(summary);
            }
        }
        match listing.next {
            Some(next) if place.listing.groups.is_empty() => after = next,
            _ => break,
        }
    }
    found.ok_or(Failure::NotFound)
}

fn row(seen: &Seen, group: &Group, summary: Option<&Summary>) -> Row {
    let platforms = summary.map(|summary| summary.platforms.as_slice()).unwrap_or_default();
    Row {
        tags: group.tags.iter().take(SHOWN).map(|entry| Chip::of(seen, entry)).collect(),
        more: group.tags.len().saturating_sub(SHOWN),
        head: group.name().to_owned(),
        digest: group.digest.to_string(),
        image: seen.image(&group.digest),
        platforms: platforms.iter().take(PLATFORMS).cloned().collect(),
        more_platforms: platforms.len().saturating_sub(PLATFORMS),
        bytes: summary.map(|summary| summary.bytes),
        updated: group.updated_at(),
        pulled: group.pulled_at(),
        pre_release: group.is_pre_release(),
    }
}

/// What names can stand for, where all of them are looked at.
fn kinds(v: &View, kind: &str, offered: bool) -> Vec<Choice> {
    let words = ["", "stable", "pre"].into_iter().chain(Kind::ALL.into_iter().skip(1).map(Kind::as_str));
    let choice = |word: &str| Choice {
        value: word.to_owned(),
        text: v.t(&format!("tags-kind-{}", if word.is_empty() { "all" } else { word })),
        selected: word == kind,
    };
    if offered { words.map(choice).collect() } else { Vec::new() }
}

/// The platforms of the images that are shown, and the one that is looked for.
fn platforms(v: &View, found: &BTreeSet<String>, platform: &str) -> Vec<Choice> {
    let all = Choice { value: String::new(), text: v.t("tags-platform-all"), selected: platform.is_empty() };
    let known = found.iter().map(String::as_str);
    let asked = Some(platform).filter(|platform| !platform.is_empty() && !found.contains(*platform));
    let choice = |word: &str| {
        let word = crate::registry::tags::image::cut(word, MAX_TEXT);
        Choice { value: word.to_owned(), text: word.to_owned(), selected: word == platform }
    };
    std::iter::once(all).chain(known.chain(asked).map(choice)).collect()
}
