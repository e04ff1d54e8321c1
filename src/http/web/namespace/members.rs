//! Who holds which role in a namespace, and who is invited to one.

use askama::Template;

use super::{Choice, Head, after_number, enter, pages, refused, role_choices, whole};
use crate::auth::{Pattern, Permissions};
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::form::Form;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::{Visit, back};
use crate::http::web::words;
use crate::registry::Error;
use crate::registry::access::manage::Target;
use crate::registry::accounts::invitations::{self, InvitationRow, Invite};
use crate::registry::accounts::roles::{self, Subject};
use crate::registry::accounts::{AccountError, BindingRow};

pub(in crate::http::web) const ROUTES: &[Route] = &[
    Route::get("/{namespace}/-/members", |visit| Box::pin(list(visit))),
    Route::post("/{namespace}/-/members", |visit| Box::pin(grant(visit))),
    Route::post("/{namespace}/-/members/revoke", |visit| Box::pin(revoke(visit))),
    Route::post("/{namespace}/-/members/invite", |visit| Box::pin(invite(visit))),
    Route::post("/{namespace}/-/members/uninvite", |visit| Box::pin(uninvite(visit))),
];

/// How many invitations are shown.
const INVITATIONS: usize = 100;

/// A role that somebody holds, as it is shown.
pub(in crate::http::web) struct Held {
    /// `user`, `team` or `robot`.
    pub kind: &'static str,
    /// The name by which the forms know who holds it.
    pub holder: String,
    pub role: String,
    pub permissions: Vec<&'static str>,
    pub on: String,
    /// Whether it is about the whole namespace.
    pub whole: bool,
}

impl Held {
    pub fn of(namespace: &str, row: BindingRow) -> Self {
        let holder = if row.holder_kind == "robot" { format!("{namespace}+{}", row.holder) } else { row.holder };
        let whole = !row.exact && row.pattern == Pattern::namespace(namespace).text();
        Self {
            kind: row.holder_kind,
            holder,
            role: row.role,
            permissions: Permissions::from_bits(row.permissions).words().collect(),
            on: Pattern::from_row(row.pattern, row.exact).to_string(),
            whole,
        }
    }
}

#[derive(Template)]
#[template(path = "namespace/members.html")]
struct MembersPage<'a> {
    v: &'a View,
    h: &'a Head,
    form: &'a Form,
    error: Option<String>,
    held: Vec<Held>,
    first: Option<String>,
    next: Option<String>,
    roles: Vec<Choice>,
    kinds: Vec<Choice>,
    on: String,
    /// Nothing where the reader may not invite.
    invitations: Option<Vec<InvitationRow>>,
}

/// Who can hold a role: a user, a team, a robot.
pub(in crate::http::web) fn kinds(v: &View, organisation: bool, chosen: &str) -> Vec<Choice> {
    let all = [("user", "holder-user"), ("team", "holder-team"), ("robot", "holder-robot")];
    let choice =
        |(value, key): (&str, &str)| Choice { value: value.to_owned(), text: v.t(key), selected: value == chosen };
    all.into_iter().filter(|(kind, _)| organisation || *kind != "team").map(choice).collect()
}

async fn list(mut visit: Visit) -> Result<Answer, Failure> {
    page(&mut visit, None).await
}

async fn page(visit: &mut Visit, error: Option<String>) -> Result<Answer, Failure> {
    let v = visit.view();
    let h = enter(visit, &v, Permissions::ACTIVITY, "members").await?;
    let name = &h.row.name;
    let mut rows = roles::bindings(visit.registry(), name, after_number(visit), super::PAGE + 1).await?;
    let (first, next) = pages(&mut rows, &format!("/{name}/-/members"), visit, |row| row.id.to_string());
    let chosen = visit.form.text("role").unwrap_or("developer");
    let roles = role_choices(visit, h.rights, chosen).await?;
    let invitations = match h.may_choose_members() && h.is_organisation() {
        true => match invitations::list(visit.registry(), visit.ctx(), Some(name), 0, INVITATIONS).await {
            Ok(rows) => Some(rows),
            Err(Error::Denied(_)) => None,
            Err(error) => return Err(error.into()),
        },
        false => None,
    };
    let failed = error.is_some();
    let page = MembersPage {
        v: &v,
        h: &h,
        form: &visit.form,
        error,
        held: rows.into_iter().map(|row| Held::of(name, row)).collect(),
        first,
        next,
        roles,
        kinds: kinds(&v, h.is_organisation(), visit.form.get("kind")),
        on: visit.form.text("on").unwrap_or(name).to_owned(),
        invitations,
    };
    Ok(if failed { Answer::again(&page) } else { Answer::ok(&page) })
}

/// Where a change leads: to the page whose form it was.
fn then(visit: &Visit, done: &str) -> Answer {
    let to = match visit.form.text("back") {
        Some(to) => back(to),
        None => format!("/{}/-/members", visit.argument("namespace")),
    };
    Answer::redirect(format!("{to}?done={done}"))
}

/// Gives or takes the role that the form names.
async fn set(visit: &mut Visit, held: bool) -> Result<(), Failure> {
    let on = visit.form.get("on").trim().to_owned();
    let namespace = visit.argument("namespace").to_owned();
    let pattern = Pattern::parse(&on).filter(|pattern| pattern.namespace_name() == namespace);
    let pattern = pattern.ok_or_else(|| AccountError::Pattern(on.clone()))?;
    let holder = visit.form.get("holder").trim();
    let subject = match visit.form.get("kind") {
        "team" => Subject::Team(holder.to_owned()),
        "robot" if holder.contains('+') => Subject::Robot(holder.to_owned()),
        "robot" => Subject::Robot(format!("{namespace}+{holder}")),
        _ => Subject::User(holder.to_owned()),
    };
    visit.manage(Target::Over(pattern), Permissions::MEMBERS).await?;
    roles::set(visit.registry(), visit.ctx(), visit.form.get("role"), subject, &on, held).await?;
    Ok(())
}

async fn grant(mut visit: Visit) -> Result<Answer, Failure> {
    match set(&mut visit, true).await {
        Ok(()) => Ok(then(&visit, "role-given")),
        Err(failure) => {
            let error = refused(&visit, failure)?;
            page(&mut visit, Some(error)).await
        }
    }
}

async fn revoke(mut visit: Visit) -> Result<Answer, Failure> {
    match set(&mut visit, false).await {
        Ok(()) => Ok(then(&visit, "role-taken")),
        Err(failure) => {
            let error = refused(&visit, failure)?;
            page(&mut visit, Some(error)).await
        }
    }
}

#[derive(Template)]
#[template(path = "namespace/invited.html")]
struct InvitedPage<'a> {
    v: &'a View,
    h: &'a Head,
    email: &'a str,
    link: &'a str,
    mailed: bool,
}

async fn invite(mut visit: Visit) -> Result<Answer, Failure> {
    let v = visit.view();
    let h = enter(&mut visit, &v, Permissions::MEMBERS, "members").await?;
    let email = visit.form.get("email").trim().to_owned();
    let invite = Invite {
        email: email.clone(),
        name: None,
        role: Some((h.row.name.clone(), visit.form.get("role").to_owned())),
        language: words::language(visit.form.get("language")).unwrap_or(v.language),
    };
    match invitations::create(visit.registry(), visit.ctx(), invite).await {
        Ok(made) => {
            let page = InvitedPage { v: &v, h: &h, email: &email, link: &made.link, mailed: made.mailed };
            Ok(Answer::ok(&page))
        }
        Err(error) => {
            let error = refused(&visit, error.into())?;
            page(&mut visit, Some(error)).await
        }
    }
}

async fn uninvite(mut visit: Visit) -> Result<Answer, Failure> {
    let pattern = whole(&visit)?;
    visit.manage(Target::Over(pattern), Permissions::MEMBERS).await?;
    let (namespace, id) = (visit.argument("namespace"), visit.form.get("invitation"));
    invitations::revoke(visit.registry(), visit.ctx(), Some(namespace), id).await?;
    Ok(then(&visit, "invitation-taken-back"))
}
