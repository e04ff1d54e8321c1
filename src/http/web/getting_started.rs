//! Getting started: from logging in to the first push, a second version, and back to the first one.

use askama::Template;

use super::answer::Answer;
use super::commands::{Example, Variant, is_loopback};
use super::failure::Failure;
use super::route::Route;
use super::view::View;
use super::visit::Visit;

pub(super) const ROUTES: &[Route] = &[Route::get("/-/getting-started", |visit| Box::pin(start(visit)))];

#[derive(Template)]
#[template(path = "explore/getting_started.html")]
struct StartPage<'a> {
    v: &'a View,
    name: String,
    login: Vec<Variant>,
    build: Vec<Variant>,
    tag: Vec<Variant>,
    push: Vec<Variant>,
    pull: Vec<Variant>,
    release: Vec<Variant>,
    back: Vec<Variant>,
    search: String,
    /// What Docker's daemon is to be told where the registry is far and speaks plain HTTP.
    insecure: Option<String>,
    troubles: Vec<Trouble>,
}

/// What a client may print, and what to do about it.
struct Trouble {
    message: &'static str,
    advice: String,
}

async fn start(visit: Visit) -> Result<Answer, Failure> {
    let v = visit.view();
    let example = Example::new(&v);
    let far = v.scheme == "http" && !is_loopback(&v.host);
    let insecure = far.then(|| serde_json::json!({ "insecure-registries": [&v.host] }).to_string());
    Ok(Answer::ok(&StartPage {
        name: example.name(),
        login: example.login(),
        build: example.build("1.0.0"),
        tag: example.tag(),
        push: example.push("1.0.0"),
        pull: example.pull("1.0.0"),
        release: example.release(),
        back: example.back(),
        search: example.search(),
        insecure,
        troubles: troubles(&v),
        v: &v,
    }))
}

/// What goes wrong most, as clients say it.
fn troubles(v: &View) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    let mut add = |message, advice| troubles.push(Trouble { message, advice });
    if !v.open {
        add("unauthorized: authentication required", v.ta("start-trouble-login", "host", &v.host));
        add("denied: requested access to the resource is denied", v.t("start-trouble-denied"));
    }
    add("An image does not exist locally with the tag", v.t("start-trouble-tag"));
    add("manifest unknown", v.t("start-trouble-unknown"));
    add("http: server gave HTTP response to HTTPS client", v.t("start-trouble-http"));
    add("x509: certificate signed by unknown authority", v.t("start-trouble-certificate"));
    add("exec format error", v.t("start-trouble-platform"));
    troubles
}
