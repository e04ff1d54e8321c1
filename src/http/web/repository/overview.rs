//! The first page of a repository: what it is, how to pull it, who uses it; and the star that a reader gives it.

use askama::Template;
use url::Url;

use super::{Choice, Seen};
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::markdown;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::repositories::{self, Use};
use crate::registry::summaries;
use crate::registry::tags::image::{self, Notes};
use crate::registry::tags::page::{self, Group, Overview};

pub(in crate::http::web) const ROUTES: &[Route] = &[
    Route::get("/{repository}", |visit| Box::pin(overview(visit))),
    Route::post("/{repository}/-/star", |visit| Box::pin(star(visit, true))),
    Route::post("/{repository}/-/unstar", |visit| Box::pin(star(visit, false))),
];

/// Most tags that can be chosen on this page; the others are on the page of tags.
const CHOICES: usize = 100;
/// Longest licence that is shown, in bytes.
const LICENCE: usize = 120;
const DAY: i64 = 86_400_000_000;

/// A link to elsewhere, which the image names.
struct Link {
    href: String,
    text: String,
}

/// A day of the chart.
struct Bar {
    label: String,
    value: i64,
    height: i64,
    x: usize,
}

/// The image that is proposed to be pulled.
struct Chosen {
    href: String,
    image: String,
    digest: String,
    reference: String,
    by_digest: String,
    updated: i64,
    platforms: Vec<String>,
    bytes: u64,
    layers: usize,
}

/// The newest release.
struct Stable {
    tag: String,
    href: String,
    at: i64,
}

#[derive(Template)]
#[template(path = "repository/overview.html")]
struct OverviewPage<'a> {
    v: &'a View,
    f: &'a Seen,
    chosen: Option<Chosen>,
    choices: Vec<Choice>,
    links: Vec<Link>,
    licence: Option<String>,
    readme: Option<String>,
    from_image: bool,
    stable: Option<Stable>,
    pusher: Option<String>,
    bars: Vec<Bar>,
    pulls: i64,
    recent: i64,
    teach: String,
}

async fn overview(mut visit: Visit) -> Result<Answer, Failure> {
    let seen = Seen::find(&mut visit, Permissions::READ, "overview").await?;
    let v = visit.view();
    let (registry, ctx) = (visit.registry(), visit.ctx());
    let tags = page::overview(registry, ctx, &seen.name, visit.parameter("tag")).await?;
    let used = repositories::usage(registry, ctx, &seen.details, seen.may_activity).await?;
    let notes = match &tags.chosen {
        Some(group) => image::notes(registry, ctx, &seen.name, &group.digest).await?,
        None => Notes::default(),
    };
    let chosen = match &tags.chosen {
        Some(group) => Some(chosen(&visit, &seen, &v, group).await?),
        None => None,
    };
    let recent = used.days.iter().fold(0, |sum: i64, (_, pulls)| sum.saturating_add(*pulls));
    let written = seen.details.readme.as_deref().filter(|text| !text.trim().is_empty());
    let text = written.or(notes.description.as_deref());
    Ok(Answer::ok(&OverviewPage {
        choices: choices(&tags),
        links: links(&v, &notes),
        licence: notes.licenses.as_deref().map(|text| image::cut(text, LICENCE).to_owned()),
        readme: text.map(markdown::render),
        from_image: written.is_none(),
        stable: tags.stable.as_ref().map(|group| Stable {
            tag: group.name().to_owned(),
            href: seen.tag(group.name()),
            at: group.updated_at(),
        }),
        bars: bars(&v, &used),
        // The days are written before their sum is.
        pulls: seen.details.pulls.max(recent),
        recent,
        pusher: used.pusher,
        teach: seen.first_push(&v),
        chosen,
        f: &seen,
        v: &v,
    }))
}

async fn chosen(visit: &Visit, seen: &Seen, v: &View, group: &Group) -> Result<Chosen, Failure> {
    let summary = summaries::summary(visit.registry(), visit.ctx(), &seen.name, &[group.digest]).await?;
    let summary = summary.into_iter().flatten().next().unwrap_or_default();
    let tag = group.name().to_owned();
    Ok(Chosen {
        href: seen.tag(&tag),
        image: seen.image(&group.digest),
        digest: group.digest.to_string(),
        reference: seen.reference(v, &tag),
        by_digest: format!("docker pull {}/{}@{}", v.host, seen.name, group.digest),
        updated: group.updated_at(),
        platforms: summary.platforms,
        bytes: summary.bytes,
        layers: summary.layers,
    })
}

/// The tags that can be chosen: the one that is, and those that the list shows first.
fn choices(tags: &Overview) -> Vec<Choice> {
    let chosen = tags.chosen.as_ref().map_or("", |group| group.name());
    let names = tags.listing.groups.iter().flat_map(|group| &group.tags).map(|tag| tag.name.as_str());
    let mut names: Vec<&str> = names.take(CHOICES).collect();
    if !chosen.is_empty() && !names.contains(&chosen) {
        names.insert(0, chosen);
    }
    let choice = |name: &str| Choice { value: name.to_owned(), text: name.to_owned(), selected: name == chosen };
    names.into_iter().map(choice).collect()
}

/// Where an image says that more is to be found. An address that is not plain HTTP is none.
fn links(v: &View, notes: &Notes) -> Vec<Link> {
    let all = [("link-source", &notes.source), ("link-documentation", &notes.documentation), ("link-url", &notes.url)];
    let mut links: Vec<Link> = Vec::new();
    for (key, address) in all {
        let Some(href) = address.as_deref().and_then(address_of) else { continue };
        if !links.iter().any(|link| link.href == href) {
            links.push(Link { href, text: v.t(key) });
        }
    }
    links
}

fn address_of(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    (plain && url.host().is_some()).then(|| url.to_string())
}

fn bars(v: &View, used: &Use) -> Vec<Bar> {
    let most = used.days.iter().map(|(_, pulls)| *pulls).max().unwrap_or_default().max(1);
    let bar = |(at, (day, pulls)): (usize, &(i64, i64))| Bar {
        label: v.day(day.saturating_mul(DAY)),
        value: *pulls,
        // A day with one pull is not one without.
        height: if *pulls > 0 { (pulls.saturating_mul(40) / most).clamp(1, 40) } else { 0 },
        x: at * 4,
    };
    used.days.iter().enumerate().map(bar).collect()
}

async fn star(mut visit: Visit, on: bool) -> Result<Answer, Failure> {
    visit.user()?;
    let name = visit.repository(Permissions::READ).await?;
    repositories::star(visit.registry(), visit.ctx(), &name, on).await?;
    Ok(Answer::redirect(format!("/{name}")))
}

#[cfg(test)]
mod tests {
    use super::address_of;

    #[test]
    fn only_plain_addresses_become_links() {
        assert_eq!(address_of("https://example.org/a b").as_deref(), Some("https://example.org/a%20b"));
        assert!(address_of("http://example.org").is_some());
        for other in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//example.org",
            "/x",
            "",
            "https://",
            "ftp://x",
            "https://a:b@x/",
            "https://a@x",
        ] {
            assert_eq!(address_of(other), None, "{other}");
        }
    }
}
