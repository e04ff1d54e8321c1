//! Two images side by side: which layers they share, how large they are, how they run.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use oci::{Digest, Reference, encode_component};

use super::{Choice, Seen};
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::Error;
use crate::registry::tags::image::{self, Image, Setting, Value, cut};
use crate::registry::tags::page::{self, Filter};

pub(in crate::http::web) const ROUTES: &[Route] =
    &[Route::get("/{repository}/-/compare", |visit| Box::pin(compare(visit)))];

/// Most layers that are shown; more than any image of ours has.
const LAYERS: usize = 200;
/// Most settings that are shown.
const SETTINGS: usize = 200;
/// Longest value of a setting that is shown, in bytes.
const VALUE: usize = 500;
/// Most platforms that can be chosen.
const PLATFORMS: usize = 16;

/// One of the two.
struct Side {
    name: String,
    href: String,
    digest: String,
    image: String,
    platform: Option<String>,
    bytes: u64,
    layers: usize,
}

/// A layer of one of the two, or of both.
struct Layer {
    digest: String,
    bytes: u64,
    /// `shared`, `removed` (in the first only) or `added` (in the second only).
    kind: &'static str,
    text: String,
}

/// A setting that differs.
struct Difference {
    what: String,
    name: String,
    one: Shown,
    other: Shown,
}

/// The value of a setting, as it may be shown.
struct Shown {
    text: String,
    masked: bool,
}

#[derive(Template)]
#[template(path = "repository/compare.html")]
struct ComparePage<'a> {
    v: &'a View,
    f: &'a Seen,
    one: Side,
    other: Side,
    layers: Vec<Layer>,
    more_layers: usize,
    shared: u64,
    shared_layers: usize,
    added: u64,
    removed: u64,
    differences: Vec<Difference>,
    more_differences: usize,
    platforms: Vec<Choice>,
    swap: String,
}

#[derive(Template)]
#[template(path = "repository/pick.html")]
struct PickPage<'a> {
    v: &'a View,
    f: &'a Seen,
    ones: Vec<Choice>,
    others: Vec<Choice>,
    error: Option<String>,
}

async fn compare(mut visit: Visit) -> Result<Answer, Failure> {
    let seen = Seen::find(&mut visit, Permissions::READ, "tags").await?;
    let v = visit.view();
    let mut picked = visit.query.all("tag");
    let mut side = |name| Some(visit.parameter(name)).filter(|text| !text.is_empty()).or_else(|| picked.next());
    let (a, b) = (side("a").unwrap_or_default(), side("b").unwrap_or_default());
    let (one, other) = match (Reference::parse(a), Reference::parse(b)) {
        (Ok(one), Ok(other)) => (one, other),
        _ => return pick(&visit, &seen, &v, a, b, None).await,
    };
    let platform = Some(visit.parameter("platform")).filter(|platform| !platform.is_empty());
    let (registry, ctx) = (visit.registry(), visit.ctx());
    let found = match image::find(registry, ctx, &seen.name, &one, platform).await {
        Ok(one) => image::find(registry, ctx, &seen.name, &other, platform).await.map(|other| (one, other)),
        Err(error) => Err(error),
    };
    let (first, second) = match found {
        Ok(found) => found,
        Err(Error::ManifestUnknown { reference, .. }) => {
            let error = v.ta("compare-unknown", "name", &reference_text(&reference));
            return pick(&visit, &seen, &v, a, b, Some(error)).await;
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Answer::ok(&page_of(&v, &seen, (a, &first), (b, &second))))
}

fn reference_text(reference: &Reference) -> String {
    match reference {
        Reference::Tag(tag) => tag.to_string(),
        Reference::Digest(digest) => digest.to_string(),
    }
}

fn page_of<'a>(v: &'a View, seen: &'a Seen, one: (&str, &Image), other: (&str, &Image)) -> ComparePage<'a> {
    let ((a, first), (b, second)) = (one, other);
    let layers = layers(v, first, second);
    let sum = |kind: &str| {
        let of_kind = layers.iter().filter(|layer| layer.kind == kind);
        of_kind.fold(0, |sum: u64, layer| sum.saturating_add(layer.bytes))
    };
    let differences = differences(v, first, second);
    let (shared, added, removed) = (sum("shared"), sum("added"), sum("removed"));
    ComparePage {
        one: side(seen, a, first),
        other: side(seen, b, second),
        shared,
        added,
        removed,
        shared_layers: layers.iter().filter(|layer| layer.kind == "shared").count(),
        more_layers: layers.len().saturating_sub(LAYERS),
        layers: layers.into_iter().take(LAYERS).collect(),
        more_differences: differences.len().saturating_sub(SETTINGS),
        differences: differences.into_iter().take(SETTINGS).collect(),
        platforms: platforms(first, second),
        swap: format!("{}/-/compare?a={}&b={}", seen.path, encode_component(b), encode_component(a)),
        f: seen,
        v,
    }
}

fn side(seen: &Seen, name: &str, image: &Image) -> Side {
    let href = if name.contains(':') { String::new() } else { seen.tag(name) };
    Side {
        name: name.to_owned(),
        href,
        digest: image.digest.to_string(),
        image: seen.image(&image.digest),
        platform: image.platform.clone(),
        bytes: image.size,
        layers: image.layers.len(),
    }
}

/// What can be compared: the platforms that either is there for, where there is a choice.
fn platforms(first: &Image, second: &Image) -> Vec<Choice> {
    let all: BTreeSet<&String> = first.platforms.iter().chain(&second.platforms).collect();
    let chosen = first.platform.as_ref().or(second.platform.as_ref());
    let choice = |platform: &String| Choice {
        value: platform.clone(),
        text: platform.clone(),
        selected: Some(platform) == chosen,
    };
    if all.len() < 2 { Vec::new() } else { all.into_iter().take(PLATFORMS).map(choice).collect() }
}

/// The layers of both in the order of the second, after those that only the first has.
fn layers(v: &View, first: &Image, second: &Image) -> Vec<Layer> {
    let of = |image: &Image| image.layers.iter().map(|layer| layer.digest).collect::<BTreeSet<Digest>>();
    let (ones, others) = (of(first), of(second));
    let line = |layer: &image::Layer, kind: &'static str, key: &str| Layer {
        digest: layer.digest.to_string(),
        bytes: layer.size,
        kind,
        text: v.t(key),
    };
    let removed = first.layers.iter().filter(|layer| !others.contains(&layer.digest));
    let removed = removed.map(|layer| line(layer, "removed", "compare-removed"));
    let rest = second.layers.iter().map(|layer| match ones.contains(&layer.digest) {
        true => line(layer, "shared", "compare-shared"),
        false => line(layer, "added", "compare-added"),
    });
    let mut seen = BTreeSet::new();
    rest.chain(removed).filter(|layer| seen.insert(layer.digest.clone())).collect()
}

/// The settings in which two images differ. That a masked value differs is not told: it is not looked at.
fn differences(v: &View, first: &Image, second: &Image) -> Vec<Difference> {
    let (ones, others) = (first.configuration.settings(), second.configuration.settings());
    let keys: BTreeSet<&(Setting, String)> = ones.keys().chain(others.keys()).collect();
    let differs = |key: &&&(Setting, String)| ones.get(**key) != others.get(**key);
    let difference = |key: &(Setting, String)| Difference {
        what: v.t(setting(key.0)),
        name: cut(&key.1, VALUE).to_owned(),
        one: shown(&ones, key),
        other: shown(&others, key),
    };
    keys.iter().filter(differs).map(|key| difference(key)).collect()
}

fn shown(settings: &BTreeMap<(Setting, String), Value>, key: &(Setting, String)) -> Shown {
    match settings.get(key) {
        None => Shown { text: String::new(), masked: false },
        Some(Value::Masked) => Shown { text: String::new(), masked: true },
        Some(Value::Shown(text)) => Shown { text: cut(text, VALUE).to_owned(), masked: false },
    }
}

fn setting(setting: Setting) -> &'static str {
    match setting {
        Setting::Entrypoint => "setting-entrypoint",
        Setting::Command => "setting-command",
        Setting::Directory => "setting-directory",
        Setting::User => "setting-user",
        Setting::Ports => "setting-ports",
        Setting::Volumes => "setting-volumes",
        Setting::Signal => "setting-signal",
        Setting::Variable => "setting-variable",
        Setting::Label => "setting-label",
    }
}

/// Lets the reader choose what is compared.
async fn pick(
    visit: &Visit,
    seen: &Seen,
    v: &View,
    a: &str,
    b: &str,
    error: Option<String>,
) -> Result<Answer, Failure> {
    let listing = page::page(visit.registry(), visit.ctx(), &seen.name, &Filter::default(), "").await?;
    let names: Vec<&str> = listing.groups.iter().map(page::Group::name).collect();
    let choices = |chosen: &str| {
        let choice =
            |name: &&str| Choice { value: (*name).to_owned(), text: (*name).to_owned(), selected: *name == chosen };
        names.iter().map(choice).collect()
    };
    let second = if b.is_empty() { names.get(1).copied().unwrap_or_default() } else { b };
    let page = PickPage { v, f: seen, ones: choices(a), others: choices(second), error };
    Ok(if page.error.is_some() { Answer::page(http::StatusCode::NOT_FOUND, &page) } else { Answer::ok(&page) })
}
