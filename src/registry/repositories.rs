//! A repository as its own page shows it: what it is, who likes it, how often it is pulled, who pushed last.

use oci::RepositoryName;
use serde_json::json;

use super::access::{Denial, Why, admit_again};
use super::accounts::{AccountError, description_is_plain};
use super::audit::actor_name;
use super::{Ctx, Error, Event, Identity, Registry};
use crate::auth::Permissions;
pub use crate::db::repositories::Details;
use crate::db::{Tx, events, pulls, repositories, stars};

/// Longest README, in bytes.
pub const MAX_README: usize = 256 * 1024;
/// Days of which pulls are shown.
pub const DAYS: usize = 90;
const DAY: i64 = 86_400_000_000;

/// What a repository is.
pub async fn find(registry: &Registry, _ctx: &Ctx, name: &RepositoryName) -> Result<Details, Error> {
    let name = name.clone();
    let find = move |tx: &mut Tx<'_>| repositories::details(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()));
    registry.db.read(find).await
}

/// How a repository is used, as far as the caller is to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Use {
    /// Pulls of each of the last days, the last one today: the day (days since 1970) and how many.
    pub days: Vec<(i64, i64)>,
    /// Who pushed last, by the present name.
    pub pusher: Option<String>,
}

/// Tells how a repository is used; who pushed last only for who may see who did what.
pub async fn usage(registry: &Registry, ctx: &Ctx, details: &Details, with_names: bool) -> Result<Use, Error> {
    let (id, name, pushed_at) = (details.id, details.name.clone(), details.pushed_at.filter(|_| with_names));
    let today = ctx.now.div_euclid(DAY);
    let first = today - (DAYS as i64 - 1);
    let find = move |tx: &mut Tx<'_>| {
        let counted = pulls::of_repository(tx, id, first)?;
        let on = |day| counted.iter().find(|(counted, _)| *counted == day).map_or(0, |(_, count)| count.pulls);
        let actor = match pushed_at {
            Some(at) => events::pusher(tx, &name, at)?,
            None => None,
        };
        let pusher = match &actor {
            Some(actor) => actor_name(tx, actor)?,
            None => None,
        };
        Ok::<_, Error>(Use { days: (first..=today).map(|day| (day, on(day))).collect(), pusher })
    };
    registry.db.scan(find).await
}

/// Whether the user who asks has starred a repository.
pub async fn is_starred(registry: &Registry, ctx: &Ctx, details: &Details) -> Result<bool, Error> {
    let (Some(user), id) = (user_id(ctx), details.id) else { return Ok(false) };
    Ok(registry.db.read(move |tx: &mut Tx<'_>| stars::is_starred(tx, user, id)).await?)
}

fn user_id(ctx: &Ctx) -> Option<i64> {
    match &ctx.identity {
        Identity::User(account) => Some(account.id),
        Identity::Anonymous | Identity::System | Identity::Robot(_) => None,
    }
}

/// What is to change of what a repository says of itself; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    /// What it is, in a line; an inner `None` takes it away.
    pub description: Option<Option<String>>,
    /// What there is to say of it, in Markdown; an inner `None` takes it away.
    pub readme: Option<Option<String>>,
}

/// Says what a repository is.
pub async fn describe(registry: &Registry, ctx: &Ctx, name: &RepositoryName, change: Description) -> Result<(), Error> {
    let blank = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let description = change.description.map(blank);
    let lines = |text: String| text.replace("\r\n", "\n");
    let readme = change.readme.map(|text| text.map(lines).filter(|text| !text.trim().is_empty()));
    description_is_plain(description.as_ref().and_then(Option::as_deref))?;
    readme_fits(readme.as_ref().and_then(Option::as_deref))?;
    let (ctx, name) = (ctx.clone(), name.clone());
    let change = move |tx: &mut Tx<'_>| {
        admit_again(tx, &ctx, &name, Permissions::SETTINGS)?;
        let before = repositories::details(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let mut changed = Vec::new();
        if let Some(text) = description.as_ref().filter(|text| **text != before.description) {
            repositories::set_description(tx, before.id, text.as_deref())?;
            changed.push("description");
        }
        if let Some(text) = readme.as_ref().filter(|text| **text != before.readme) {
            repositories::set_readme(tx, before.id, text.as_deref())?;
            changed.push("readme");
        }
        if !changed.is_empty() {
            let detail = Some(json!({ "changed": changed }).to_string());
            ctx.record(
                tx,
                &Event { kind: "repository.describe", repository: Some(&name), detail, ..Event::default() },
            )?;
        }
        Ok::<_, Error>(())
    };
    registry.db.write(change).await
}

/// Whether a text may be a README: of bounded length, and one that every engine keeps.
fn readme_fits(text: Option<&str>) -> Result<(), AccountError> {
    match text {
        Some(text) if text.len() > MAX_README || text.contains('\0') => Err(AccountError::Word {
            kind: "readme",
            word: text.chars().take(32).filter(|c| !c.is_control()).collect(),
            known: "at most 256 KiB of text".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Has the user who asks star a repository, or take the star back.
pub async fn star(registry: &Registry, ctx: &Ctx, name: &RepositoryName, on: bool) -> Result<(), Error> {
    let user = user_id(ctx).ok_or_else(|| Denial::of(Why::SignIn))?;
    let (ctx, name) = (ctx.clone(), name.clone());
    let change = move |tx: &mut Tx<'_>| {
        admit_again(tx, &ctx, &name, Permissions::READ)?;
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let changed = if on { stars::add(tx, user, id, ctx.now)? } else { stars::remove(tx, user, id)? };
        if changed {
            let kind = if on { "repository.star" } else { "repository.unstar" };
            ctx.record(tx, &Event { kind, repository: Some(&name), ..Event::default() })?;
        }
        Ok::<_, Error>(())
    };
    registry.db.write(change).await
}
