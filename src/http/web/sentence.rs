//! An event as a sentence.

use serde_json::Value;

use super::view::{Html, View};
use crate::registry::audit::Entry;

/// The sentence of an event.
pub(super) fn sentence(v: &View, entry: &Entry, detail: &Value) -> Html {
    let event = &entry.event;
    let key = format!("event-{}", event.kind.replace(['.', '_'], "-"));
    let arguments = [
        ("actor", actor(v, entry)),
        ("repository", event.repository.as_deref().map(repository).unwrap_or_default()),
        ("tag", event.tag.as_deref().map_or_else(Html::default, |tag| tag_of(event.repository.as_deref(), tag))),
        ("user", user(v, entry, detail)),
        ("what", Html::code(text(detail, &["robot", "team", "role", "token", "domain", "invitation"]))),
        ("where", Html::name(text(detail, &["on", "namespace", "organisation"]))),
        ("value", Html::name(&value(detail))),
        ("kind", Html::code(&event.kind)),
    ];
    v.find_html(&key, &arguments).unwrap_or_else(|| v.th("event-other", &arguments))
}

fn repository(name: &str) -> Html {
    Html::link(&format!("/{name}"), name)
}

fn tag_of(repository: Option<&str>, tag: &str) -> Html {
    match repository {
        Some(repository) => Html::link(&format!("/{repository}/-/tags/{}", oci::encode_component(tag)), tag),
        None => Html::name(tag),
    }
}

/// Who did it: by today's name, where there is one.
fn actor(v: &View, entry: &Entry) -> Html {
    match (&entry.actor_name, entry.event.actor.as_str()) {
        (Some(name), _) => Html::name(name),
        (None, "system") => Html::name(&v.t("actor-system")),
        (None, "anonymous") => Html::name(&v.t("actor-anonymous")),
        (None, _) => Html::name(&v.t("actor-gone")),
    }
}

/// Whom it was done to.
fn user(v: &View, entry: &Entry, detail: &Value) -> Html {
    match &entry.user_name {
        Some(name) => Html::name(name),
        None if detail.get("user").is_some_and(Value::is_string) => match &entry.actor_name {
            Some(name) => Html::name(name),
            None => Html::name(&v.t("actor-gone")),
        },
        None => Html::name(text(detail, &["team", "robot"])),
    }
}

/// The first of these members that is a text.
fn text<'d>(detail: &'d Value, members: &[&str]) -> &'d str {
    members.iter().find_map(|member| detail.get(member)?.as_str()).unwrap_or_default()
}

fn value(detail: &Value) -> String {
    match (detail.get("visibility"), detail.get("required"), detail.get("times")) {
        (Some(Value::String(word)), ..) => word.clone(),
        (_, Some(Value::Bool(on)), _) => on.to_string(),
        (_, _, Some(times)) => times.to_string(),
        _ => String::new(),
    }
}
