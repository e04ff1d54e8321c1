//! The page of one image, or of whatever else a manifest describes.

mod json;
mod model;
mod words;

use askama::Template;
use oci::{Digest, Reference, RepositoryName};

use self::model::{Body, Crumb, Head};
use super::answer::Answer;
use super::failure::Failure;
use super::markdown;
use super::route::Route;
use super::view::View;
use super::visit::Visit;
use crate::auth::Permissions;
use crate::registry::images::{self, Found, Image, Kind, Preview};
use crate::registry::{Error, catalog, manifests};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/{repository}/-/images/{digest}", |visit| Box::pin(look(visit))),
    Route::get("/{repository}/-/images/{digest}/manifest.json", |visit| Box::pin(manifest(visit))),
    Route::get("/{repository}/-/images/{digest}/config.json", |visit| Box::pin(config(visit))),
    Route::get("/{repository}/-/images/{digest}/delete", |visit| Box::pin(delete_form(visit))),
    Route::post("/{repository}/-/images/{digest}/delete", |visit| Box::pin(delete(visit))),
];

#[derive(Template)]
#[template(path = "image/look.html")]
struct LookPage<'a> {
    v: &'a View,
    head: Head,
    body: Body,
}

#[derive(Template)]
#[template(path = "image/json.html")]
struct JsonPage<'a> {
    v: &'a View,
    head: Head,
    title: String,
    html: Option<String>,
    cut: bool,
    /// Why there is nothing to be shown.
    why: String,
    raw: String,
}

#[derive(Template)]
#[template(path = "image/delete.html")]
struct DeletePage<'a> {
    v: &'a View,
    crumbs: Vec<Crumb>,
    digest: String,
    back: String,
    action: String,
    facts: Vec<model::Fact>,
    tags: Vec<String>,
    more_tags: bool,
    /// Links to the manifests that name it.
    parents: Vec<model::Link>,
}

/// The digest that the path names.
fn digest(visit: &Visit) -> Result<Digest, Failure> {
    Digest::parse(visit.argument("digest")).map_err(|_| Failure::NotFound)
}

async fn look(mut visit: Visit) -> Result<Answer, Failure> {
    let name = visit.repository(Permissions::READ).await?;
    let digest = digest(&visit)?;
    let image = images::look(visit.registry(), visit.ctx(), &name, &digest).await?;
    let may_delete = visit.may(&name, Permissions::DELETE_MANIFEST).await?;
    let v = visit.view();
    match visit.parameter("show") {
        "manifest" => {
            let head = Head::new(&v, &name, &image, "manifest", may_delete);
            let document = images::manifest_document(visit.registry(), &name, &digest).await?;
            Ok(json_page(&v, head, "manifest", &Found::Read(document)))
        }
        "config" if image.outline.config.is_some() => {
            let head = Head::new(&v, &name, &image, "config", may_delete);
            let document = images::config_document(visit.registry(), visit.ctx(), &name, &image).await?;
            Ok(json_page(&v, head, "config", &document))
        }
        _ => {
            let head = Head::new(&v, &name, &image, "", may_delete);
            let body = Box::pin(body(&visit, &v, &name, &image)).await?;
            Ok(Answer::ok(&LookPage { head, body, v: &v }))
        }
    }
}

fn json_page(v: &View, head: Head, which: &str, document: &Found<bytes::Bytes>) -> Answer {
    let coloured = document.read().and_then(|bytes| json::coloured(bytes));
    let why = match document {
        Found::Read(bytes) if bytes.len() > json::LONGEST => v.t("image-json-long"),
        Found::Read(_) => v.t("image-json-none"),
        Found::TooLong => v.t("image-json-long"),
        Found::None | Found::Missing => v.t("image-config-missing"),
    };
    let page = JsonPage {
        title: v.t(if which == "manifest" { "image-manifest" } else { "image-config" }),
        raw: format!("{}/{which}.json", head.path),
        cut: coloured.as_ref().is_some_and(|found| found.cut),
        html: coloured.map(|found| found.html),
        why,
        head,
        v,
    };
    Answer::ok(&page)
}

/// What the page tells beside its head: of an index, about the child that was chosen.
async fn body(visit: &Visit, v: &View, name: &RepositoryName, image: &Image) -> Result<Body, Failure> {
    let (registry, ctx) = (visit.registry(), visit.ctx());
    let mut body = Body::default();
    let mut shown = image.clone();
    if image.outline.kind == Kind::Index {
        let chosen = image.outline.child(visit.parameter("platform"));
        body.platforms = model::platforms(name, image, chosen);
        body.more_platforms = v.tn("image-more", image.outline.children.more);
        body.has_more_platforms = image.outline.children.more > 0;
        match chosen {
            Some(child) if image.children.contains(&child.digest) => {
                shown = images::look(registry, ctx, name, &child.digest).await?;
                body.child = Some(model::child(v, name, child, &shown));
            }
            Some(_) => body.absent = Some(v.t("image-child-absent")),
            None => {}
        }
    }
    let tree = images::tree(registry, name, &image.digest, &image.outline).await?;
    body.attached = model::attached(v, name, image, &tree);
    body.more_attached = tree.more;
    // A download from /v2 takes what browsers do not show there: only what anybody may pull can be linked to.
    let open = v.open || catalog::find(registry, name).await?.visibility == "public";
    let shared = if shown.outline.kind == Kind::Image {
        images::sharing(registry, ctx, name, &shown.outline.layers.shown).await?
    } else {
        Vec::new()
    };
    body.tell(v, name, &shown, &shared, open);
    if shown.outline.kind == Kind::Chart {
        match images::chart(registry, ctx, name, &shown.outline).await? {
            Found::Read(chart) => {
                body.values.clone_from(&chart.values);
                body.readme = chart.readme.as_deref().map(markdown::render);
            }
            Found::TooLong => body.absent = Some(v.t("image-chart-long")),
            Found::None | Found::Missing => body.absent = Some(v.t("image-chart-missing")),
        }
    }
    body.pull = model::pull(v, name, image);
    body.parents = model::links(name, &image.parents);
    body.annotations = model::named(&image.outline.annotations);
    body.more_annotations = image.outline.annotations.more;
    body.subject = image.outline.subject.map(|subject| model::Link::to(name, &subject));
    Ok(body)
}

/// The manifest as it was pushed, to be kept.
async fn manifest(mut visit: Visit) -> Result<Answer, Failure> {
    let name = visit.repository(Permissions::READ).await?;
    let document = images::manifest_document(visit.registry(), &name, &digest(&visit)?).await?;
    Ok(Answer::download("application/json", "manifest.json", document))
}

/// The config as it was pushed, to be kept.
async fn config(mut visit: Visit) -> Result<Answer, Failure> {
    let name = visit.repository(Permissions::READ).await?;
    let image = images::look(visit.registry(), visit.ctx(), &name, &digest(&visit)?).await?;
    match images::config_document(visit.registry(), visit.ctx(), &name, &image).await? {
        Found::Read(document) => Ok(Answer::download("application/octet-stream", "config.json", document)),
        Found::None | Found::TooLong | Found::Missing => Err(Failure::NotFound),
    }
}

async fn delete_form(mut visit: Visit) -> Result<Answer, Failure> {
    let name = visit.repository(Permissions::DELETE_MANIFEST).await?;
    let digest = digest(&visit)?;
    let preview = images::preview(visit.registry(), &name, &digest).await?;
    let v = visit.view();
    Ok(Answer::ok(&delete_page(&v, &name, &digest, preview)))
}

fn delete_page<'a>(v: &'a View, name: &RepositoryName, digest: &Digest, preview: Preview) -> DeletePage<'a> {
    let back = model::path_of(name, digest);
    DeletePage {
        crumbs: model::crumbs(name, Some(v.t("image-delete"))),
        digest: digest.to_string(),
        action: format!("{back}/delete"),
        back,
        facts: model::goes(v, &preview),
        parents: model::links(name, &preview.parents),
        tags: preview.tags,
        more_tags: preview.more_tags,
        v,
    }
}

async fn delete(mut visit: Visit) -> Result<Answer, Failure> {
    let name = visit.repository(Permissions::DELETE_MANIFEST).await?;
    let digest = digest(&visit)?;
    let deleted = manifests::delete(visit.registry(), visit.ctx(), &name, &Reference::Digest(digest)).await;
    match deleted {
        Ok(()) => Ok(Answer::redirect(format!("/{name}?done=image-deleted"))),
        // Pushed into an index since the page was shown: it says so now.
        Err(Error::Referenced { .. }) => {
            let preview = images::preview(visit.registry(), &name, &digest).await?;
            let v = visit.view();
            Ok(Answer::again(&delete_page(&v, &name, &digest, preview)))
        }
        Err(error) => Err(error.into()),
    }
}
