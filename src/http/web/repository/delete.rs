//! Taking tags away, after a look at what goes and what stays.

use std::collections::BTreeSet;

use askama::Template;
use oci::{Digest, Tag};

use super::Seen;
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::tags::change::{self, Doomed};

/// Before the page of a tag, which `delete` could be the name of.
pub(in crate::http::web) const ROUTES: &[Route] = &[
    Route::get("/{repository}/-/tags/delete", |visit| Box::pin(preview(visit))),
    Route::post("/{repository}/-/tags/delete", |visit| Box::pin(delete(visit))),
];

/// A tag that may go.
struct Line {
    tag: String,
    /// What is sent: the tag, and what it points to.
    value: String,
    picked: bool,
}

/// An image that some tags of which may go.
struct Fate {
    digest: String,
    image: String,
    lines: Vec<Line>,
    /// Whether it keeps no tag.
    bare: bool,
    pulled: Option<i64>,
}

#[derive(Template)]
#[template(path = "repository/delete.html")]
struct DeletePage<'a> {
    v: &'a View,
    f: &'a Seen,
    fates: Vec<Fate>,
    picked: usize,
    bare: usize,
}

async fn preview(mut visit: Visit) -> Result<Answer, Failure> {
    let names: Vec<String> = visit.query.all("tag").map(str::to_owned).collect();
    if names.is_empty() {
        return super::tag::show(visit, "delete").await;
    }
    let seen = Seen::find(&mut visit, Permissions::DELETE_TAG, "tags").await?;
    let doomed = change::preview(visit.registry(), visit.ctx(), &seen.name, &names).await?;
    if doomed.is_empty() {
        return Err(Failure::NotFound);
    }
    let v = visit.view();
    let fates = fates(&seen, &doomed);
    let page = DeletePage {
        v: &v,
        f: &seen,
        picked: doomed.len(),
        bare: fates.iter().filter(|fate| fate.bare).count(),
        fates,
    };
    Ok(Answer::ok(&page))
}

/// The images, each with the tags that were picked and those that stay.
fn fates(seen: &Seen, doomed: &[Doomed]) -> Vec<Fate> {
    let picked: BTreeSet<&str> = doomed.iter().map(|one| one.tag.name.as_str()).collect();
    let mut images: Vec<&Doomed> = Vec::new();
    for one in doomed {
        if !images.iter().any(|image| image.tag.manifest_id == one.tag.manifest_id) {
            images.push(one);
        }
    }
    let fate = |image: &Doomed| {
        let line = |name: &String| Line {
            value: format!("{name}@{}", image.tag.digest),
            picked: picked.contains(name.as_str()),
            tag: name.clone(),
        };
        let of_image = doomed.iter().filter(|one| one.tag.manifest_id == image.tag.manifest_id);
        // Of an image with very many tags only some are named; what was picked always is.
        let own = of_image.clone().map(|one| &one.tag.name);
        let names: BTreeSet<&String> = image.others.iter().chain(own).collect();
        Fate {
            digest: image.tag.digest.to_string(),
            image: seen.image(&image.tag.digest),
            bare: image.others.iter().all(|name| picked.contains(name.as_str())),
            pulled: of_image.filter_map(|one| one.tag.pulled_at).max(),
            lines: names.into_iter().map(line).collect(),
        }
    };
    images.into_iter().map(fate).collect()
}

async fn delete(mut visit: Visit) -> Result<Answer, Failure> {
    let name = visit.repository(Permissions::DELETE_TAG).await?;
    let read = |value: &str| {
        let (tag, digest) = value.split_once('@')?;
        Some((Tag::parse(tag).ok()?, Digest::parse(digest).ok()?))
    };
    let seen: Vec<(Tag, Digest)> = visit.form.all("tag").filter_map(read).take(change::AT_ONCE).collect();
    let gone = change::delete_many(visit.registry(), visit.ctx(), &name, &seen).await?;
    let done = match gone {
        0 => "tags-kept",
        gone if gone < seen.len() => "tags-partly-deleted",
        _ => "tags-deleted",
    };
    Ok(Answer::redirect(format!("/{name}/-/tags?done={done}")))
}
