//! Tokens: what stands in for the password in scripts and on machines that are not one's own.

use askama::Template;

use super::{Choice, Fact, Wrong, enter, prove_first, tabs};
use crate::auth::{Pattern, Permissions};
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::frame::Tab;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::Error;
use crate::registry::accounts::{AccountError, tokens};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/-/account/tokens", |visit| Box::pin(list(visit))),
    Route::get("/-/account/tokens/new", |visit| Box::pin(form(visit))),
    Route::post("/-/account/tokens/new", |visit| Box::pin(make(visit))),
    Route::get("/-/account/tokens/{token}/revoke", |visit| Box::pin(revoke_form(visit))),
    Route::post("/-/account/tokens/{token}/revoke", |visit| Box::pin(revoke(visit))),
];

/// The scopes there are.
const SCOPES: [&str; 4] = ["read", "write", "delete", "admin"];
/// For how many days a token may be made to hold; the first of them is proposed.
const DAYS: [i64; 3] = [90, 30, 365];
/// A day in microseconds.
const DAY: i64 = 24 * 3600 * 1_000_000;
/// Most patterns that the form is read for; the rule takes fewer.
const MAX_PATTERNS: usize = 100;

#[derive(Template)]
#[template(path = "account/tokens.html")]
struct TokensPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    tokens: Vec<Line>,
}

#[derive(Template)]
#[template(path = "account/token_new.html")]
struct NewTokenPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    name: &'a str,
    scopes: Vec<Scope>,
    on: &'a str,
    expiries: Vec<Choice>,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "account/token_made.html")]
struct MadeTokenPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    name: &'a str,
    secret: &'a str,
    login: String,
}

#[derive(Template)]
#[template(path = "account/token_revoke.html")]
struct RevokePage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    action: String,
    title: String,
    facts: Vec<Fact>,
}

/// A token, as the list shows it.
struct Line {
    id: String,
    name: String,
    scopes: String,
    on: Vec<String>,
    holds: bool,
    created_at: i64,
    /// 0 where it holds until it is revoked.
    expires_at: i64,
    /// 0 where it was never used.
    last_used_at: i64,
    last_used_address: String,
}

/// A scope to tick.
struct Scope {
    value: &'static str,
    label: String,
    help: String,
    ticked: bool,
}

fn scopes(v: &View, ticked: impl Fn(&str) -> bool) -> Vec<Scope> {
    let scope = |value: &'static str| Scope {
        value,
        label: v.t(&format!("scope-{value}")),
        help: v.t(&format!("scope-{value}-help")),
        ticked: ticked(value),
    };
    SCOPES.into_iter().map(scope).collect()
}

fn expiries(v: &View, selected: &str) -> Vec<Choice> {
    let value = |days| match days {
        30 => "30",
        365 => "365",
        _ => "90",
    };
    let days =
        |days: i64| Choice { value: value(days), text: v.tn("tokens-days", days), selected: value(days) == selected };
    let never = Choice { value: "none", text: v.t("tokens-no-expiry"), selected: selected == "none" };
    DAYS.into_iter().map(days).chain([never]).collect()
}

async fn lines(visit: &Visit, name: &str) -> Result<Vec<Line>, Failure> {
    let now = visit.ctx().now;
    let rows = tokens::list(visit.registry(), visit.ctx(), name).await?;
    let line = |(row, limits): (tokens::TokenRow, Vec<Pattern>)| Line {
        holds: row.holds(now),
        scopes: Permissions::from_bits(row.permissions).scopes().collect::<Vec<_>>().join(", "),
        on: limits.iter().map(ToString::to_string).collect(),
        created_at: row.created_at,
        expires_at: row.expires_at.unwrap_or_default(),
        last_used_at: row.last_used_at.unwrap_or_default(),
        last_used_address: row.last_used_address.unwrap_or_default(),
        id: row.public_id,
        name: row.name,
    };
    Ok(rows.into_iter().map(line).collect())
}

async fn list(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::READ).await?;
    let mut tokens = lines(&visit, &user.name).await?;
    // The newest first: it is the one that somebody has just made.
    tokens.sort_by_key(|line| std::cmp::Reverse(line.created_at));
    let v = visit.view();
    Ok(Answer::ok(&TokensPage { tabs: tabs(&v, "/-/account/tokens"), v: &v, tokens }))
}

async fn form(mut visit: Visit) -> Result<Answer, Failure> {
    enter(&mut visit, Permissions::SETTINGS).await?;
    prove_first(&visit).await?;
    let v = visit.view();
    Ok(Answer::ok(&NewTokenPage {
        tabs: tabs(&v, "/-/account/tokens"),
        name: "",
        scopes: scopes(&v, |scope| scope == "read"),
        on: "",
        expiries: expiries(&v, "90"),
        v: &v,
        wrong: Wrong::default(),
    }))
}

async fn make(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::SETTINGS).await?;
    let (name, on, expiry) = (visit.form.get("name").trim(), visit.form.get("on"), visit.form.get("expires"));
    let ticked: Vec<String> = visit.form.all("scopes").map(str::to_owned).collect();
    let days = expiry.parse::<i64>().ok().filter(|days| DAYS.contains(days));
    let add = tokens::Add {
        user: user.name.to_string(),
        name: name.to_owned(),
        scopes: ticked.clone(),
        limits: on
            .split([' ', ',', '\t', '\r', '\n'])
            .filter(|text| !text.is_empty())
            .take(MAX_PATTERNS)
            .map(str::to_owned)
            .collect(),
        // What is none of the choices does not make one that holds for ever.
        expires_at: match expiry {
            "none" => None,
            _ => Some(visit.ctx().now.saturating_add(days.unwrap_or(90).saturating_mul(DAY))),
        },
    };
    let patterns = add.limits.len();
    let v = visit.view();
    let tabs = tabs(&v, "/-/account/tokens");
    let error = match Box::pin(tokens::add(visit.registry(), visit.ctx(), add)).await {
        Ok(added) => {
            let login = format!("docker login {} -u {}", v.host, user.name);
            return Ok(Answer::ok(&MadeTokenPage { v: &v, tabs, name, secret: added.secret.reveal(), login }));
        }
        Err(error) => error,
    };
    let wrong = match &error {
        Error::Account(AccountError::InUse(_)) => {
            let taken = lines(&visit, &user.name).await?.iter().any(|line| line.name == name);
            match taken {
                true => Wrong::beside("name", v.ta("tokens-taken", "name", name)),
                false if patterns > 0 => Wrong::beside("on", v.t("tokens-too-many-patterns")),
                false => Wrong::beside("", v.t("tokens-too-many")),
            }
        }
        Error::Account(AccountError::Word { kind: "scope", .. }) => Wrong::beside("scopes", v.t("tokens-no-scope")),
        Error::Account(AccountError::Word { .. }) => Wrong::beside("name", v.t("tokens-name-wrong")),
        _ => Wrong::of(&v, error.into(), &["name", "on", "scopes"])?,
    };
    let page = NewTokenPage {
        tabs,
        name,
        scopes: scopes(&v, |scope| ticked.iter().any(|word| word == scope)),
        on,
        expiries: expiries(&v, if expiry == "none" || days.is_some() { expiry } else { "90" }),
        v: &v,
        wrong,
    };
    Ok(Answer::again(&page))
}

/// The token of the path, among the user's own.
async fn named(visit: &Visit, name: &str) -> Result<Line, Failure> {
    let id = visit.argument("token");
    lines(visit, name).await?.into_iter().find(|line| line.id == id).ok_or(Failure::NotFound)
}

async fn revoke_form(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::SETTINGS).await?;
    let line = named(&visit, &user.name).await?;
    let v = visit.view();
    let used = match line.last_used_at {
        0 => v.t("tokens-never"),
        at => v.ago(at),
    };
    let fact = |key: &str, text: String| Fact { term: v.t(key), text };
    let on = if line.on.is_empty() { v.t("tokens-everywhere") } else { line.on.join(", ") };
    let facts = vec![
        fact("tokens-name", line.name.clone()),
        fact("tokens-scopes", line.scopes),
        fact("tokens-on", on),
        fact("tokens-last-used", used),
    ];
    Ok(Answer::ok(&RevokePage {
        tabs: tabs(&v, "/-/account/tokens"),
        action: format!("/-/account/tokens/{}/revoke", line.id),
        title: v.ta("tokens-revoke-title", "name", &line.name),
        facts,
        v: &v,
    }))
}

async fn revoke(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::SETTINGS).await?;
    let line = named(&visit, &user.name).await?;
    tokens::revoke(visit.registry(), visit.ctx(), &user.name, &line.name).await?;
    Ok(Answer::redirect("/-/account/tokens?done=token-revoked"))
}
