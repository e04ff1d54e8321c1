//! The OpenAPI 3.1 document, made of the routes themselves.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::Method;
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::problem::Problem;
use super::route::{Needs, Route, Schemas};
use super::{BASE, routes};
use crate::http::cookie;

/// The document as text, made once.
pub(super) static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// What a client may meet at any route.
const REFUSALS: [(&str, &str); 9] = [
    ("401", "No credential, or one that does not hold"),
    ("403", "The caller may not, or its credential does not reach that far"),
    ("404", "There is no such thing, or the caller may not see it"),
    ("409", "It clashes with what there is"),
    ("413", "The body is too long, or came too slowly"),
    ("415", "The body is no JSON"),
    ("422", "What was sent cannot be read, or makes no sense"),
    ("429", "Too many calls"),
    ("503", "The database is busy, full or away; the same call may succeed later"),
];

fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for route in routes() {
        let operation = operation(route, &mut schemas);
        let path = paths.entry(format!("{BASE}{}", route.path)).or_default();
        path.insert(route.method.as_str().to_ascii_lowercase(), operation);
    }
    let problem = <Problem as utoipa::PartialSchema>::schema();
    schemas.push(("Problem".to_owned(), problem));
    let schemas: BTreeMap<String, RefOr<Schema>> = schemas.into_iter().collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Havre",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "Management of a Havre registry: accounts, namespaces, roles, tokens. Images are pushed and \
                            pulled at /v2/, as the OCI distribution specification says. Lists come in pages: `limit` \
                            entries, and `next` is what `after` takes for the page that follows.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, by_session()],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "The secret of a personal token (havre_pat_…) or of a robot (havre_bot_…)",
            }, "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": cookie::name("https"),
                "description": "Set by POST /api/v1/session; over plain HTTP it is called havre_session",
            }, "csrf": {
                "type": "apiKey",
                "in": "header",
                "name": "X-Csrf-Token",
                "description": "Beside the cookie: the csrf_token of the session",
            } },
            "schemas": schemas,
        },
    })
}

fn by_session() -> Value {
    json!({ "session": [], "csrf": [] })
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let reference = |name: String| json!({ "$ref": format!("#/components/schemas/{name}") });
    let mut answer = json!({ "description": if route.status == 204 { "Done" } else { "What was asked for" } });
    if let Some(schema) = route.answer {
        answer["content"] = json!({ "application/json": { "schema": reference(schema(schemas)) } });
    }
    let mut responses = serde_json::Map::new();
    // What exists already as it is asked for is answered with 200.
    if route.repeatable {
        responses.insert("200".to_owned(), answer.clone());
    }
    responses.insert(route.status.to_string(), answer);
    for (status, description) in REFUSALS {
        let content = json!({ "application/problem+json": { "schema": reference("Problem".to_owned()) } });
        responses.insert(status.to_owned(), json!({ "description": description, "content": content }));
    }
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "description": needs_in_words(route),
        "tags": [route.group],
        "parameters": parameters(route),
        "responses": responses,
    });
    match route.needs {
        Needs::Nothing => operation["security"] = json!([]),
        // What is public shows itself to anybody.
        Needs::Repository if route.method == Method::GET => {
            operation["security"] = json!([{}, { "token": [] }, by_session()]);
        }
        Needs::Session => operation["security"] = json!([by_session()]),
        Needs::Anybody | Needs::Instance | Needs::Account | Needs::Namespace | Needs::On | Needs::Repository => {}
    }
    if let Some(schema) = route.body {
        let content = json!({ "application/json": { "schema": reference(schema(schemas)) } });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

/// A name that no other route has: the method and the words of the path.
fn operation_id(route: &Route) -> String {
    let words = route.path.split('/').filter(|word| !word.is_empty()).map(|word| word.trim_matches(['{', '}']));
    std::iter::once(route.method.as_str().to_ascii_lowercase())
        .chain(words.map(str::to_owned))
        .collect::<Vec<_>>()
        .join("_")
}

fn needs_in_words(route: &Route) -> String {
    let what = match route.needs {
        Needs::Nothing => return "For anybody, without a credential.".to_owned(),
        Needs::Session => return "For a session, whether or not the second factor was shown yet.".to_owned(),
        Needs::Anybody => return "For any credential that holds.".to_owned(),
        Needs::Instance => "administering the instance",
        Needs::Account => "the account itself, or administering the instance",
        Needs::Namespace => "the namespace as a whole",
        Needs::On => "all that the parameter `on` matches",
        Needs::Repository => "the repository",
    };
    let words: Vec<&str> = route.takes.words().collect();
    format!("Takes {} on: {what}.", if words.is_empty() { "nothing".to_owned() } else { words.join(", ") })
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(route.query.iter().map(|parameter| {
        json!({
            "name": parameter.name,
            "in": "query",
            "required": parameter.required,
            "description": parameter.about,
            "schema": { "type": "string" },
        })
    }));
    if route.paged && route.method == Method::GET {
        let limit = json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 50 });
        parameters.push(json!({ "name": "limit", "in": "query", "description": "Entries on a page", "schema": limit }));
        let after = json!({ "type": "string" });
        parameters.push(
            json!({ "name": "after", "in": "query", "description": "The `next` of the page before", "schema": after }),
        );
    }
    parameters
}
