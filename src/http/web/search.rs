//! Search: the page of results with ways to narrow them, and the few that are shown while somebody types.

use askama::Template;
use http::StatusCode;

use super::answer::Answer;
use super::entries::{self, Entry};
use super::failure::Failure;
use super::route::Route;
use super::view::View;
use super::visit::Visit;
use crate::registry::search::{self, Found, MOST, Query};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/-/search", |visit| Box::pin(results(visit))),
    Route::get("/-/search/instant", |visit| Box::pin(instant(visit))),
];

/// Results on a page.
const PAGE: usize = 20;
/// Results while somebody types.
const INSTANT: usize = 8;
const DAY: i64 = 24 * 3600 * 1_000_000;
/// How long ago something was pushed to, in days.
const AGES: [(&str, i64); 4] = [("day", 1), ("week", 7), ("month", 31), ("year", 366)];

#[derive(Template)]
#[template(path = "explore/search.html")]
struct SearchPage<'a> {
    v: &'a View,
    q: &'a str,
    /// How many there are, in words.
    count: String,
    nearly: bool,
    entries: Vec<Entry>,
    namespaces: Vec<Facet>,
    ages: Vec<Facet>,
    /// The search without what narrows it, where something does.
    wider: Option<String>,
    first: Option<String>,
    next: Option<String>,
}

/// One way to narrow the results.
struct Facet {
    text: String,
    href: String,
    count: String,
    selected: bool,
}

#[derive(Template)]
#[template(path = "explore/instant.html")]
struct Suggestions {
    entries: Vec<Entry>,
}

/// What is asked for, as it stands in the URL.
#[derive(Clone, Copy)]
struct Asked<'a> {
    q: &'a str,
    namespace: &'a str,
    since: &'a str,
}

impl Asked<'_> {
    fn href(&self, page: usize) -> String {
        let mut href = format!("/-/search?q={}", oci::encode_component(self.q));
        for (name, value) in [("in", self.namespace), ("since", self.since)] {
            if !value.is_empty() {
                href.push_str(&format!("&{name}={}", oci::encode_component(value)));
            }
        }
        if page > 1 {
            href.push_str(&format!("&page={page}"));
        }
        href
    }
}

async fn results(visit: Visit) -> Result<Answer, Failure> {
    let v = visit.view();
    let asked =
        Asked { q: visit.parameter("q").trim(), namespace: visit.parameter("in"), since: visit.parameter("since") };
    let age = AGES.into_iter().find(|(word, _)| *word == asked.since);
    let query = Query {
        text: asked.q.to_owned(),
        namespace: Some(asked.namespace.to_owned()).filter(|name| !name.is_empty()),
        since: age.map_or(0, |(_, days)| v.now - days * DAY),
        limit: MOST,
    };
    let found = search::find(visit.registry(), visit.ctx(), query).await?;
    let page = visit.parameter("page").parse().unwrap_or(1).clamp(1, MOST.div_ceil(PAGE));
    let (namespaces, ages) = (namespaces(&v, &asked, &found), ages(&v, &asked, &found));
    let (count, total) = (count(&v, &found), found.rows.len());
    let rows = found.rows.into_iter().skip((page - 1) * PAGE).take(PAGE).collect();
    let wide = Asked { namespace: "", since: "", ..asked };
    Ok(Answer::ok(&SearchPage {
        q: asked.q,
        count,
        nearly: found.nearly,
        entries: entries::of(rows),
        namespaces,
        ages,
        wider: (!asked.namespace.is_empty() || !asked.since.is_empty()).then(|| wide.href(1)),
        first: (page > 1).then(|| asked.href(1)),
        next: (total > page * PAGE).then(|| asked.href(page + 1)),
        v: &v,
    }))
}

fn count(v: &View, found: &Found) -> String {
    match found.more {
        true => v.tn("search-count-more", found.rows.len()),
        false => v.tn("search-count", found.rows.len()),
    }
}

fn namespaces(v: &View, asked: &Asked<'_>, found: &Found) -> Vec<Facet> {
    if !asked.namespace.is_empty() {
        let wide = Asked { namespace: "", ..*asked };
        return vec![Facet {
            text: entries::short(asked.namespace),
            href: wide.href(1),
            count: String::new(),
            selected: true,
        }];
    }
    let facet = |(name, n): (String, usize)| Facet {
        href: Asked { namespace: &name, ..*asked }.href(1),
        count: v.number(n),
        selected: false,
        text: name,
    };
    found.namespaces().into_iter().map(facet).collect()
}

fn ages(v: &View, asked: &Asked<'_>, found: &Found) -> Vec<Facet> {
    let text = |word| match word {
        "day" => v.t("search-day"),
        "week" => v.t("search-week"),
        "month" => v.t("search-month"),
        _ => v.t("search-year"),
    };
    let facet = |(word, days)| {
        let selected = word == asked.since;
        let since = if selected { "" } else { word };
        let n = found.since(v.now - days * DAY);
        let narrowed = AGES.iter().any(|(word, _)| *word == asked.since);
        let count = if narrowed { String::new() } else { v.number(n) };
        (n > 0 || selected).then(|| Facet {
            text: text(word),
            href: Asked { since, ..*asked }.href(1),
            count,
            selected,
        })
    };
    AGES.into_iter().filter_map(facet).collect()
}

async fn instant(visit: Visit) -> Result<Answer, Failure> {
    let query = Query { text: visit.parameter("q").to_owned(), limit: INSTANT, ..Query::default() };
    let found = search::find(visit.registry(), visit.ctx(), query).await?;
    let fragment = Suggestions { entries: entries::of(found.rows) };
    Ok(Answer::page(StatusCode::OK, &fragment))
}
