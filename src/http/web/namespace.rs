//! Namespaces: the page of one with its repositories, what stands above each of its pages, and making an organisation.

pub(super) mod members;
pub(super) mod robots;
pub(super) mod roles;
pub(super) mod settings;
pub(super) mod teams;

use askama::Template;
use oci::RepositoryName;

use super::answer::Answer;
use super::avatar;
use super::failure::Failure;
use super::form::Form;
use super::frame::{NamespaceRights, Tab, namespace_tabs};
use super::route::Route;
use super::view::View;
use super::visit::Visit;
use crate::auth::{Pattern, Permissions};
use crate::registry::Error;
use crate::registry::access::former;
use crate::registry::access::manage::Target;
use crate::registry::accounts::namespaces::{self, ShownRow};
use crate::registry::accounts::roles as rules;
use crate::registry::accounts::{NamespaceRow, RoleRow};
use crate::registry::catalog;

pub(super) const ROUTES: &[Route] = &[
    Route::get("/{namespace}", |visit| Box::pin(show(visit))),
    Route::get("/-/organisations/new", |visit| Box::pin(new(visit))),
    Route::post("/-/organisations/new", |visit| Box::pin(make(visit))),
];

/// Entries on a page.
const PAGE: usize = 50;
/// How many members the first page shows.
const MEMBERS: usize = 12;
/// How many roles are looked through for them.
const BINDINGS: usize = 100;
/// Longest cursor that is read.
const MAX_CURSOR: usize = 512;

/// One of several that can be chosen.
pub(super) struct Choice {
    pub value: String,
    pub text: String,
    pub selected: bool,
}

/// A fact with its name.
pub(super) struct Fact {
    pub term: String,
    pub text: String,
}

/// What stands above each page of a namespace.
struct Head {
    row: NamespaceRow,
    avatar: String,
    tabs: Vec<Tab>,
    /// What the reader may do in all of it.
    rights: Permissions,
}

impl Head {
    /// `place` is the word of the page in `frame::namespace_tabs`.
    fn new(v: &View, row: NamespaceRow, rights: Permissions, place: &str) -> Self {
        let shown = NamespaceRights {
            members: rights.contains(Permissions::MEMBERS),
            robots: rights.contains(Permissions::ROBOTS),
            activity: rights.contains(Permissions::ACTIVITY),
            settings: rights.contains(Permissions::SETTINGS),
        };
        let mut tabs = namespace_tabs(v, &row.name, place, shown);
        if row.owner_kind != "organisation" {
            tabs.retain(|tab| !tab.href.ends_with("/-/teams"));
        }
        Self { avatar: avatar::svg(&row.name), tabs, rights, row }
    }

    /// What people call it.
    fn title(&self) -> &str {
        self.row.display_name.as_deref().unwrap_or(&self.row.name)
    }

    fn may_choose_members(&self) -> bool {
        self.rights.contains(Permissions::MEMBERS)
    }

    fn is_organisation(&self) -> bool {
        self.row.owner_kind == "organisation"
    }
}

/// Lets in who may do in all of the namespace of the path what takes `needed`; tells what stands above the page.
async fn enter(visit: &mut Visit, v: &View, needed: Permissions, place: &str) -> Result<Head, Failure> {
    let pattern = whole(visit)?;
    visit.manage(Target::Over(pattern), needed).await?;
    let row = namespaces::find(visit.registry(), visit.argument("namespace")).await?;
    Ok(Head::new(v, row, visit.ctx().hands_on, place))
}

/// All of the namespace of the path.
fn whole(visit: &Visit) -> Result<Pattern, Failure> {
    let name = visit.argument("namespace");
    match Pattern::parse(name) {
        Some(pattern) if pattern.namespace_name() == name => Ok(pattern),
        _ => Err(Failure::NotFound),
    }
}

/// The key behind which a page of a list begins; one that none can be says nothing.
fn after(visit: &Visit) -> &str {
    let text = visit.parameter("after");
    if text.len() <= MAX_CURSOR && !text.chars().any(char::is_control) { text } else { "" }
}

/// The same where keys are numbers.
fn after_number(visit: &Visit) -> i64 {
    visit.parameter("after").parse().unwrap_or(0)
}

/// The links of a list that was asked for with one entry more than fits: to its first page, and to the next one.
fn pages<T>(
    rows: &mut Vec<T>,
    path: &str,
    visit: &Visit,
    key: impl Fn(&T) -> String,
) -> (Option<String>, Option<String>) {
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|row| format!("{path}?after={}", oci::encode_component(&key(row))));
    ((!visit.parameter("after").is_empty()).then(|| path.to_owned()), next)
}

/// The roles of a namespace that allow no more than `rights`, to choose from.
async fn role_choices(visit: &Visit, rights: Permissions, chosen: &str) -> Result<Vec<Choice>, Failure> {
    let rows = rules::list(visit.registry(), Some(visit.argument("namespace"))).await?;
    let gives = |row: &RoleRow| rights.contains(Permissions::from_bits(row.permissions));
    let choice = |row: RoleRow| Choice { selected: row.name == chosen, value: row.name.clone(), text: row.name };
    Ok(rows.into_iter().filter(gives).map(choice).collect())
}

/// What is said of a change that was refused, where that is a matter of what was filled in.
pub(super) fn refused(visit: &Visit, failure: Failure) -> Result<String, Failure> {
    match failure.text(&visit.view()) {
        Some(text) => Ok(text),
        None => Err(failure),
    }
}

#[derive(Template)]
#[template(path = "namespace/repositories.html")]
struct RepositoriesPage<'a> {
    v: &'a View,
    h: &'a Head,
    repositories: Vec<ShownRow>,
    members: Vec<(&'static str, String)>,
    first: Option<String>,
    next: Option<String>,
    /// What to type to make a repository, for who may.
    push: Option<String>,
}

/// A namespace, or the repository of the library that has this name.
async fn show(mut visit: Visit) -> Result<Answer, Failure> {
    let name = visit.argument("namespace").to_owned();
    let Some(row) = namespaces::find_seen(visit.registry(), visit.ctx(), &name).await? else {
        return in_library(&mut visit, &name).await;
    };
    let v = visit.view();
    let rights = visit.rights_over(Pattern::namespace(&name)).await?;
    let listed = namespaces::repositories_shown(visit.registry(), visit.ctx(), &row, after(&visit), PAGE + 1);
    let mut repositories = listed.await?;
    let (first, next) = pages(&mut repositories, &format!("/{name}"), &visit, |row| row.name.clone());
    let members = match rights.contains(Permissions::ACTIVITY) {
        true => members_of(&visit, &name).await?,
        false => Vec::new(),
    };
    let pushes = v.open || rights.contains(Permissions::WRITE);
    let push = pushes.then(|| push_commands(&v, &name));
    let h = Head::new(&v, row, rights, "repositories");
    Ok(Answer::ok(&RepositoriesPage { v: &v, h: &h, repositories, members, first, next, push }))
}

/// Who holds a role on all of a namespace, each once.
async fn members_of(visit: &Visit, name: &str) -> Result<Vec<(&'static str, String)>, Failure> {
    let whole = Pattern::namespace(name);
    let mut members: Vec<(&'static str, String)> = Vec::new();
    for row in rules::bindings(visit.registry(), name, 0, BINDINGS).await? {
        let member = (row.holder_kind, row.holder);
        let on_all = !row.exact && row.pattern == whole.text();
        if on_all && row.holder_kind != "robot" && !members.contains(&member) && members.len() < MEMBERS {
            members.push(member);
        }
    }
    Ok(members)
}

fn push_commands(v: &View, name: &str) -> String {
    let host = &v.host;
    format!("docker tag my-app {host}/{name}/my-app:1.0.0\ndocker push {host}/{name}/my-app:1.0.0")
}

/// `/app` is what `docker pull HOST/app` means: `library/app`.
async fn in_library(visit: &mut Visit, name: &str) -> Result<Answer, Failure> {
    let name = RepositoryName::parse(name).map_err(|_| Failure::NotFound)?.canonical();
    let found = match visit.may(&name, Permissions::READ).await? {
        true => match catalog::find(visit.registry(), &name).await {
            Ok(row) => Some(row.name),
            Err(Error::NameUnknown(_)) => None,
            Err(error) => return Err(error.into()),
        },
        false => None,
    };
    if let Some(found) = found {
        return Ok(Answer::redirect(format!("/{found}")));
    }
    let (mut ctx, proof) = (visit.ctx().clone(), std::sync::Arc::clone(&visit.proof));
    let current = former::follow(visit.registry(), &mut ctx, &proof, &name).await?;
    current.map_or(Err(Failure::NotFound), |current| Ok(Answer::moved(format!("/{current}"))))
}

#[derive(Template)]
#[template(path = "namespace/new.html")]
struct NewPage<'a> {
    v: &'a View,
    form: &'a Form,
    error: Option<String>,
}

async fn new(mut visit: Visit) -> Result<Answer, Failure> {
    visit.manage(Target::Instance, Permissions::INSTANCE).await?;
    Ok(Answer::ok(&NewPage { v: &visit.view(), form: &visit.form, error: None }))
}

async fn make(mut visit: Visit) -> Result<Answer, Failure> {
    visit.manage(Target::Instance, Permissions::INSTANCE).await?;
    let name = visit.form.get("name").trim().to_owned();
    let display_name = visit.form.text("display_name").map(str::to_owned);
    match namespaces::add_organisation(visit.registry(), visit.ctx(), &name, display_name).await {
        Ok(()) => Ok(Answer::redirect(format!("/{name}/-/members?done=organisation-made"))),
        Err(error) => {
            let error = refused(&visit, error.into())?;
            Ok(Answer::again(&NewPage { v: &visit.view(), form: &visit.form, error: Some(error) }))
        }
    }
}
