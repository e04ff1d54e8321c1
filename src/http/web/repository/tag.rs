//! One tag: what it points to, where it pointed before, and putting it back.

use askama::Template;
use oci::{Digest, Tag};

use super::Seen;
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::summaries;
use crate::registry::tags::change::{self, Deed};
use crate::registry::versions::Version;

pub(in crate::http::web) const ROUTES: &[Route] = &[
    Route::get("/{repository}/-/tags/{tag}", |visit| {
        let tag = visit.argument("tag").to_owned();
        Box::pin(async move { show(visit, &tag).await })
    }),
    Route::post("/{repository}/-/tags/{tag}", |visit| Box::pin(put_back(visit))),
];

/// Moves on a page.
const LIMIT: usize = 50;

/// What a tag points to now.
struct Current {
    digest: String,
    image: String,
    reference: String,
    by_digest: String,
    platforms: Vec<String>,
    bytes: u64,
    updated: i64,
    pulled: Option<i64>,
    others: i64,
}

/// A move.
struct Line {
    /// `made`, `moved` or `deleted`.
    text: String,
    digest: Option<String>,
    image: String,
    previous: Option<String>,
    who: Option<String>,
    at: i64,
    current: bool,
    /// Whether the tag can be put back to where it pointed.
    offered: bool,
    /// Whether that is no longer in the repository.
    gone: bool,
}

#[derive(Template)]
#[template(path = "repository/tag.html")]
struct TagPage<'a> {
    v: &'a View,
    f: &'a Seen,
    tag: &'a str,
    pre_release: bool,
    current: Option<Current>,
    lines: Vec<Line>,
    first: Option<String>,
    next: Option<String>,
}

pub(super) async fn show(mut visit: Visit, tag: &str) -> Result<Answer, Failure> {
    let seen = Seen::find(&mut visit, Permissions::READ, "tags").await?;
    let tag = Tag::parse(tag).map_err(|_| Failure::NotFound)?;
    let before = visit.parameter("before").parse().ok();
    let (registry, ctx) = (visit.registry(), visit.ctx());
    let history = change::history(registry, ctx, &seen.name, &tag, before, seen.may_activity, LIMIT).await?;
    let history = history.ok_or(Failure::NotFound)?;
    let v = visit.view();
    let current = match &history.tag {
        Some(row) => {
            let summary = summaries::summary(registry, ctx, &seen.name, &[row.digest]).await?;
            let summary = summary.into_iter().flatten().next().unwrap_or_default();
            Some(Current {
                digest: row.digest.to_string(),
                image: seen.image(&row.digest),
                reference: seen.reference(&v, tag.as_str()),
                by_digest: format!("docker pull {}/{}@{}", v.host, seen.name, row.digest),
                platforms: summary.platforms,
                bytes: summary.bytes,
                updated: row.updated_at,
                pulled: row.pulled_at,
                others: history.shared_by.saturating_sub(1),
            })
        }
        None => None,
    };
    let points_to = history.tag.as_ref().map(|row| row.digest);
    let path = seen.tag(tag.as_str());
    Ok(Answer::ok(&TagPage {
        pre_release: Version::read(tag.as_str()).is_pre_release(),
        lines: history.deeds.iter().map(|deed| line(&seen, &v, deed, points_to)).collect(),
        first: before.map(|_: i64| path.clone()),
        next: history.next.map(|before| format!("{path}?before={before}")),
        tag: tag.as_str(),
        current,
        f: &seen,
        v: &v,
    }))
}

fn line(seen: &Seen, v: &View, deed: &Deed, points_to: Option<Digest>) -> Line {
    let row = &deed.row;
    let text = match (row.digest, row.previous) {
        (None, _) => v.t("tag-deleted"),
        (Some(_), None) => v.t("tag-made"),
        (Some(_), Some(_)) => v.t("tag-moved"),
    };
    let current = row.digest.is_some() && row.digest == points_to;
    Line {
        text,
        digest: row.digest.map(|digest| digest.to_string()),
        image: row.digest.filter(|_| row.there).map(|digest| seen.image(&digest)).unwrap_or_default(),
        previous: row.previous.map(|digest| digest.to_string()),
        who: deed.name.clone(),
        at: row.at,
        current,
        offered: seen.may_write && row.there && !current,
        gone: row.digest.is_some() && !row.there,
    }
}

async fn put_back(mut visit: Visit) -> Result<Answer, Failure> {
    let name = visit.repository(Permissions::WRITE).await?;
    let tag = Tag::parse(visit.argument("tag")).map_err(|_| Failure::NotFound)?;
    let digest = Digest::parse(visit.form.get("digest")).map_err(|_| Failure::NotFound)?;
    change::put_back(visit.registry(), visit.ctx(), &name, &tag, &digest).await?;
    let tag = oci::encode_component(tag.as_str());
    Ok(Answer::redirect(format!("/{name}/-/tags/{tag}?done=tag-put-back")))
}
