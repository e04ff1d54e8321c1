//! The settings of a repository: who may see it, who may do what in it and why, its name, its end.

use askama::Template;
use oci::RepositoryName;

use super::answer::Answer;
use super::failure::Failure;
use super::form::Form;
use super::frame::{Crumb, Tab, crumbs_of, repository_tabs};
use super::namespace::members::{Held, kinds};
use super::namespace::roles::permission;
use super::namespace::{Choice, Fact, refused};
use super::route::Route;
use super::view::View;
use super::visit::Visit;
use crate::auth::policy::{Decision, Ground};
use crate::auth::{Pattern, Permissions};
use crate::registry::access::explain::{Explanation, explain};
use crate::registry::access::manage::Target;
use crate::registry::access::{Denial, Why};
use crate::registry::accounts::repositories::{self, Count, Extent, REMOVING};
use crate::registry::accounts::{AccountError, namespaces, roles};
use crate::registry::{Error, catalog};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/{repository}/-/settings", |visit| Box::pin(show(visit))),
    Route::post("/{repository}/-/settings", |visit| Box::pin(set_visibility(visit))),
    Route::post("/{repository}/-/settings/rename", |visit| Box::pin(rename(visit))),
    Route::get("/{repository}/-/settings/delete", |visit| Box::pin(confirm(visit))),
    Route::post("/{repository}/-/settings/delete", |visit| Box::pin(delete(visit))),
];

/// How many roles are shown.
const ROLES: usize = 200;

/// What stands above the page.
struct Head {
    name: RepositoryName,
    crumbs: Vec<Crumb>,
    tabs: Vec<Tab>,
}

impl Head {
    async fn new(visit: &Visit, v: &View, name: RepositoryName) -> Result<Self, Failure> {
        let activity = !v.open && visit.may(&name, Permissions::READ | Permissions::ACTIVITY).await?;
        let tabs = repository_tabs(v, name.as_str(), "settings", activity, true);
        Ok(Self { crumbs: crumbs_of(name.as_str()), tabs, name })
    }
}

/// What was asked about somebody, and what came out.
struct Verdict {
    yes: bool,
    text: String,
    reasons: Vec<String>,
}

#[derive(Template)]
#[template(path = "repository_settings/settings.html")]
struct SettingsPage<'a> {
    v: &'a View,
    h: &'a Head,
    form: &'a Form,
    error: Option<String>,
    visibility: String,
    held: Vec<Held>,
    more: bool,
    /// Whether the reader may give and take roles here.
    members: bool,
    roles: Vec<Choice>,
    kinds: Vec<Choice>,
    who: &'a str,
    actions: Vec<Choice>,
    verdict: Option<Verdict>,
    new_name: String,
    former: Vec<String>,
    deletes: bool,
    /// Of this page.
    path: String,
}

/// Lets in who may do in the repository of the path what takes `needed`. Without accounts, that is everybody.
async fn enter(visit: &mut Visit, needed: Permissions) -> Result<RepositoryName, Failure> {
    let name = RepositoryName::parse(visit.argument("repository")).map_err(|_| Failure::NotFound)?.canonical();
    if !visit.registry().access.open {
        visit.manage(Target::Repository(name.clone()), needed).await?;
    }
    Ok(name)
}

/// Exactly this repository.
fn exactly(name: &RepositoryName) -> Pattern {
    Pattern::from_row(name.as_str().to_owned(), true)
}

async fn show(mut visit: Visit) -> Result<Answer, Failure> {
    let name = enter(&mut visit, Permissions::SETTINGS).await?;
    page(&visit, name, None).await
}

async fn page(visit: &Visit, name: RepositoryName, error: Option<String>) -> Result<Answer, Failure> {
    let v = visit.view();
    let row = catalog::find(visit.registry(), &name).await?;
    let rights = visit.rights_over(exactly(&name)).await?;
    let members = rights.contains(Permissions::MEMBERS);
    let namespace = name.namespace();
    let (mut held, mut choices, mut organisation) = (Vec::new(), Vec::new(), false);
    if members {
        held = roles::bindings_on(visit.registry(), &name, 0, ROLES + 1).await?;
        let gives = |bits| rights.contains(Permissions::from_bits(bits));
        let chosen = visit.form.text("role").unwrap_or("developer");
        let all = roles::list(visit.registry(), Some(namespace)).await?;
        choices = all
            .into_iter()
            .filter(|role| gives(role.permissions))
            .map(|role| Choice { selected: role.name == chosen, value: role.name.clone(), text: role.name })
            .collect();
        organisation = namespaces::find(visit.registry(), namespace).await?.owner_kind == "organisation";
    }
    let more = held.len() > ROLES;
    held.truncate(ROLES);
    let (verdict, error) = match verdict(visit, &v, &name, members).await {
        Ok(verdict) => (verdict, error),
        Err(failure) => (None, Some(refused(visit, failure)?)),
    };
    let deletes = v.open || rights.contains(REMOVING);
    let former = repositories::former(visit.registry(), &name).await?;
    let (failed, h) = (error.is_some(), Head::new(visit, &v, name.clone()).await?);
    let page = SettingsPage {
        v: &v,
        form: &visit.form,
        error,
        visibility: row.visibility,
        held: held.into_iter().map(|row| Held::of(namespace, row)).collect(),
        more,
        members,
        roles: choices,
        kinds: kinds(&v, organisation, visit.form.get("kind")),
        who: visit.parameter("who"),
        actions: actions(&v, visit.parameter("action")),
        verdict,
        new_name: visit.form.text("name").unwrap_or(name.as_str()).to_owned(),
        former,
        deletes,
        path: format!("/{name}/-/settings"),
        h: &h,
    };
    Ok(if failed { Answer::again(&page) } else { Answer::ok(&page) })
}

async fn set_visibility(mut visit: Visit) -> Result<Answer, Failure> {
    let name = enter(&mut visit, Permissions::SETTINGS).await?;
    let word = visit.form.get("visibility");
    match namespaces::set_visibility(visit.registry(), visit.ctx(), &name, word).await {
        Ok(()) => Ok(Answer::redirect(format!("/{name}/-/settings?done=visibility-changed"))),
        Err(error) => {
            let error = refused(&visit, error.into())?;
            page(&visit, name, Some(error)).await
        }
    }
}

/// What can be asked about.
fn actions(v: &View, chosen: &str) -> Vec<Choice> {
    let words = ["pull", "push"].into_iter().map(|word| (word, v.t(&format!("action-{word}"))));
    let permissions = Permissions::NAMESPACE
        .words()
        .filter(|word| !["read", "write"].contains(word))
        .map(|word| (word, permission(v, word)));
    words
        .chain(permissions)
        .map(|(word, text)| Choice { value: word.to_owned(), text, selected: word == chosen })
        .collect()
}

/// Whether somebody may do something here, and why; nothing where nothing was asked.
async fn verdict(visit: &Visit, v: &View, name: &RepositoryName, members: bool) -> Result<Option<Verdict>, Failure> {
    let word = visit.parameter("action");
    if word.is_empty() || !members {
        return Ok(None);
    }
    let needed = match word {
        "pull" => Some(Permissions::READ),
        "push" => Some(Permissions::WRITE),
        word => Permissions::parse(word).filter(|one| Permissions::NAMESPACE.contains(*one)),
    };
    let known = || AccountError::Word { kind: "action", word: shortened(word), known: String::new() };
    let needed = needed.ok_or_else(known)?;
    let who = Some(visit.parameter("who").trim()).filter(|who| !who.is_empty());
    // Whether there is a robot of another namespace is that namespace's to tell.
    let elsewhere = who.and_then(|who| who.split_once('+')).is_some_and(|(at, _)| at != name.namespace());
    if elsewhere && !v.admin() {
        return Err(Denial::of(Why::Hidden).into());
    }
    let explanation = explain(visit.registry(), visit.ctx(), who, needed, name).await?;
    Ok(Some(told(v, &explanation, who, word, name)))
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

fn told(v: &View, explanation: &Explanation, who: Option<&str>, word: &str, name: &RepositoryName) -> Verdict {
    let somebody = who.map_or_else(|| v.t("why-somebody"), str::to_owned);
    let action = match word {
        "pull" | "push" => v.t(&format!("action-{word}")),
        word => permission(v, word),
    };
    let key = match explanation.decision {
        _ if explanation.shut_out => "why-shut-out",
        Decision::Allow => "why-allow",
        Decision::SignIn => "why-sign-in",
        Decision::BeyondCredential | Decision::Forbidden => "why-forbidden",
        Decision::Hidden => "why-hidden",
    };
    let text = v.tx(key, &[("who", &somebody), ("action", &action), ("repository", name.as_str())]);
    let yes = explanation.decision == Decision::Allow && !explanation.shut_out;
    let because = if explanation.shut_out { "why-would" } else { "why-because" };
    let mut reasons: Vec<String> =
        explanation.allowing.iter().map(|one| v.ta(because, "ground", &ground(v, one))).collect();
    reasons.extend(explanation.waiting.iter().map(|one| v.ta("why-waits", "ground", &ground(v, one))));
    if explanation.decision != Decision::Allow {
        reasons.extend(explanation.other.iter().map(|one| v.ta("why-not-enough", "ground", &ground(v, one))));
    }
    Verdict { yes, text, reasons }
}

fn ground(v: &View, ground: &Ground) -> String {
    match ground {
        Ground::Administrator => v.t("ground-administrator"),
        Ground::OwnNamespace => v.t("ground-own-namespace"),
        Ground::Public => v.t("ground-public"),
        Ground::Internal => v.t("ground-internal"),
        Ground::Binding(held) => {
            let (on, allows) = (held.on.to_string(), held.permissions.words().collect::<Vec<_>>().join(", "));
            let arguments = [("role", held.role.as_str()), ("on", &on), ("allows", &allows)];
            match &held.team {
                Some(team) => {
                    let [role, on, allows] = arguments;
                    v.tx("ground-team-role", &[role, on, allows, ("team", team)])
                }
                None => v.tx("ground-role", &arguments),
            }
        }
    }
}

async fn rename(mut visit: Visit) -> Result<Answer, Failure> {
    let name = enter(&mut visit, Permissions::SETTINGS).await?;
    let text = visit.form.get("name").trim().to_owned();
    let v = visit.view();
    let Some(to) = RepositoryName::parse(&text).ok().filter(|to| to.as_str().contains('/')) else {
        return page(&visit, name, Some(v.ta("rename-not-a-name", "name", &shortened(&text)))).await;
    };
    if to == name {
        return page(&visit, name, Some(v.t("rename-same"))).await;
    }
    match repositories::rename(visit.registry(), visit.ctx(), &name, &to).await {
        Ok(()) => Ok(Answer::redirect(format!("/{to}?done=repository-renamed"))),
        Err(error) => {
            let why = match &error {
                Error::Account(AccountError::InUse(_)) => v.ta("rename-in-use", "name", to.as_str()),
                Error::NameReserved(_) => v.ta("rename-reserved", "namespace", to.namespace()),
                Error::Denied(denial) if denial.why == Why::Hidden => v.ta("rename-not-there", "name", to.as_str()),
                _ => refused(&visit, error.into())?,
            };
            page(&visit, name, Some(why)).await
        }
    }
}

#[derive(Template)]
#[template(path = "repository_settings/delete.html")]
struct DeletePage<'a> {
    v: &'a View,
    h: &'a Head,
    error: Option<String>,
    action: String,
    preview: Vec<Fact>,
}

async fn confirm(mut visit: Visit) -> Result<Answer, Failure> {
    let name = enter(&mut visit, REMOVING).await?;
    confirm_page(&visit, name, None).await
}

async fn confirm_page(visit: &Visit, name: RepositoryName, error: Option<String>) -> Result<Answer, Failure> {
    let v = visit.view();
    let extent = repositories::extent(visit.registry(), visit.ctx(), &name).await?;
    let (action, failed) = (format!("/{name}/-/settings/delete"), error.is_some());
    let h = Head::new(visit, &v, name).await?;
    let page = DeletePage { v: &v, h: &h, error, action, preview: preview(&v, &extent) };
    Ok(if failed { Answer::again(&page) } else { Answer::ok(&page) })
}

fn counted(v: &View, count: Count) -> String {
    let number = v.number(count.number);
    if count.more { v.ta("more-than", "number", &number) } else { number }
}

/// What goes with a repository.
fn preview(v: &View, extent: &Extent) -> Vec<Fact> {
    let fact = |key: &str, text: String| Fact { term: v.t(key), text };
    let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let mut size = v.size(bytes(extent.own_bytes));
    if extent.blobs.more {
        size = v.ta("more-than", "number", &size);
    }
    let mut facts = vec![
        fact("delete-tags", counted(v, extent.tags)),
        fact("delete-manifests", counted(v, extent.manifests)),
        fact("delete-bytes", size),
    ];
    if extent.bytes > extent.own_bytes {
        facts.push(fact("delete-shared", v.size(bytes(extent.bytes.saturating_sub(extent.own_bytes)))));
    }
    facts.push(fact("delete-pulls", v.number(extent.pulls)));
    let pulls: Vec<String> = extent.last_pulls.iter().map(|(tag, at)| format!("{tag} · {}", v.ago(*at))).collect();
    if !pulls.is_empty() {
        facts.push(fact("delete-last-pulls", pulls.join(", ")));
    }
    if !extent.former_names.is_empty() {
        facts.push(fact("delete-former-names", extent.former_names.join(", ")));
    }
    facts
}

async fn delete(mut visit: Visit) -> Result<Answer, Failure> {
    let name = enter(&mut visit, REMOVING).await?;
    if visit.form.get("confirm").trim() != name.as_str() {
        let error = visit.view().ta("confirm-differs", "name", name.as_str());
        return confirm_page(&visit, name, Some(error)).await;
    }
    repositories::delete(visit.registry(), visit.ctx(), &name).await?;
    Ok(Answer::redirect(format!("/{}?done=repository-deleted", name.namespace())))
}
