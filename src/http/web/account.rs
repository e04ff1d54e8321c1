//! The account of who is signed in: what everybody may see and change of their own.

mod data;
mod device;
mod password;
mod profile;
mod second_factor;
mod sessions;
mod tokens;

use std::sync::Arc;

use super::failure::Failure;
use super::frame::Tab;
use super::route::Route;
use super::view::View;
use super::visit::Visit;
use crate::auth::Permissions;
use crate::registry::access::manage::Target;
use crate::registry::access::{self, Denial, Why};
use crate::registry::accounts::AccountError;
use crate::registry::{Account, Error};

pub(super) const PROFILE: &[Route] = profile::ROUTES;
pub(super) const PASSWORD: &[Route] = password::ROUTES;
pub(super) const SECOND_FACTOR: &[Route] = second_factor::ROUTES;
pub(super) const SESSIONS: &[Route] = sessions::ROUTES;
pub(super) const TOKENS: &[Route] = tokens::ROUTES;
pub(super) const DATA: &[Route] = data::ROUTES;

/// One row of what is told, or of what goes.
struct Fact {
    term: String,
    text: String,
}

/// One of several things to choose from.
struct Choice {
    value: &'static str,
    text: String,
    selected: bool,
}

/// The tabs, with the one that leads to `current` marked.
fn tabs(v: &View, current: &str) -> Vec<Tab> {
    let tab = |href: &str, text| Tab { text, href: href.to_owned(), current: href == current, count: None };
    vec![
        tab("/-/account", v.t("account-profile")),
        tab("/-/account/password", v.t("account-password")),
        tab("/-/account/second-factor", v.t("account-second-factor")),
        tab("/-/account/sessions", v.t("account-sessions")),
        tab("/-/account/tokens", v.t("account-tokens")),
        tab("/-/account/data", v.t("account-data")),
    ]
}

/// Lets who is signed in look at the own account (`READ`), or change it (`SETTINGS`).
async fn enter(visit: &mut Visit, needed: Permissions) -> Result<Arc<Account>, Failure> {
    refuse_open(visit)?;
    let user = visit.user()?;
    visit.manage(Target::Account(user.name.to_string()), needed).await?;
    Ok(user)
}

/// A server without accounts has nothing to show here.
pub(super) fn refuse_open(visit: &Visit) -> Result<(), Failure> {
    if visit.registry().access.open { Err(Denial::of(Why::Open).into()) } else { Ok(()) }
}

/// Asks for password and second factor before a form is filled in whose rule asks for them when it is sent.
async fn prove_first(visit: &Visit) -> Result<(), Failure> {
    Ok(access::sessions::refuse_unless_recent(visit.registry(), visit.ctx()).await?)
}

/// What was wrong with a form, and beside which of its fields that is said.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    field: &'static str,
    text: String,
}

impl Wrong {
    /// What is said about a form that came to nothing; a failure that is no matter of what was filled in stays one.
    /// `fields` are those that the form has.
    pub fn of(v: &View, failure: Failure, fields: &[&'static str]) -> Result<Self, Failure> {
        let Some(text) = failure.text(v) else { return Err(failure) };
        let field = Some(field(&failure)).filter(|field| fields.contains(field)).unwrap_or_default();
        Ok(Self { field, text })
    }

    /// Says something about one field.
    pub fn beside(field: &'static str, text: String) -> Self {
        Self { field, text }
    }

    /// What is said beside this field.
    pub fn at(&self, field: &str) -> &str {
        if self.field == field { &self.text } else { "" }
    }

    /// What is said above the form.
    pub fn above(&self) -> &str {
        self.at("")
    }
}

/// The field that a refusal is about.
fn field(failure: &Failure) -> &'static str {
    match failure {
        Failure::Rule(Error::Account(error)) => match error {
            AccountError::Taken { .. } | AccountError::Name { .. } => "name",
            AccountError::Password(_) => "password",
            AccountError::Email(_) => "email",
            AccountError::Pattern(_) => "on",
            AccountError::Code => "code",
            AccountError::Word { kind, .. } => match *kind {
                "display name" => "display_name",
                "name of a token" => "name",
                "scope" => "scopes",
                "host of addresses that may sign up" => "email",
                _ => "",
            },
            AccountError::Unknown { .. }
            | AccountError::Hash(_)
            | AccountError::NotOffered(_)
            | AccountError::Link
            | AccountError::LastAdministrator(_)
            | AccountError::InUse(_)
            | AccountError::FactorLost
            | AccountError::Beyond(_) => "",
        },
        Failure::Rule(Error::Denied(denial)) if denial.why == Why::WrongCredentials => "password",
        _ => "",
    }
}
