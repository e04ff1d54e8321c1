//! Looking around: all repositories that the reader may see, by how often they are pulled, by when they were pushed to, by
//! name.

use askama::Template;

use super::answer::Answer;
use super::entries::{self, Entry};
use super::failure::Failure;
use super::route::Route;
use super::view::View;
use super::visit::Visit;
use crate::registry::explore::{self, Order};

pub(super) const ROUTES: &[Route] = &[Route::get("/-/explore", |visit| Box::pin(list(visit)))];

/// Repositories on a page.
const PAGE: usize = 30;

#[derive(Template)]
#[template(path = "explore/list.html")]
struct ExplorePage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    entries: Vec<Entry>,
    first: Option<String>,
    next: Option<String>,
}

/// One of the orders.
struct Tab {
    text: String,
    href: String,
    current: bool,
    count: Option<String>,
}

async fn list(visit: Visit) -> Result<Answer, Failure> {
    let v = visit.view();
    let (order, word) = match visit.parameter("by") {
        "recent" => (Order::Recent, "recent"),
        "name" => (Order::Name, "name"),
        _ => (Order::Popular, "popular"),
    };
    let after = visit.parameter("after");
    let page = explore::list(visit.registry(), visit.ctx(), order, after, PAGE).await?;
    let href = |word: &str| format!("/-/explore?by={word}");
    let tab = |text, name: &str| Tab { text, href: href(name), current: name == word, count: None };
    let tabs = vec![
        tab(v.t("explore-popular"), "popular"),
        tab(v.t("explore-recent"), "recent"),
        tab(v.t("explore-name"), "name"),
    ];
    let next = page.next.map(|next| format!("{}&after={}", href(word), oci::encode_component(&next)));
    let first = (!after.is_empty()).then(|| href(word));
    Ok(Answer::ok(&ExplorePage { entries: entries::of(page.rows), tabs, first, next, v: &v }))
}
