//! The management API: what opens it, what each route takes, and that nobody gives what he does not have.

use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, on_each_engine, on_each_engine_with_accounts};

/// A client with a personal token that reaches everything its owner does.
async fn as_token_of(app: &TestApp, name: &str) -> Client {
    let secret = app.personal_token(name, "api", &["read", "write", "delete", "admin"]).await;
    app.as_bearer(&secret)
}

async fn put(client: &Client, path: &str, body: Value) -> Answer {
    let call = client.put(format!("/api/v1{path}")).header("content-type", "application/json");
    call.body(body.to_string()).await
}

async fn get(client: &Client, path: &str) -> Answer {
    client.get(format!("/api/v1{path}")).await
}

fn code(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    answer.string("code")
}

/// Every operation of the document: its method, and its path with names put in.
fn operations(document: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let mut path = path.replace("{repository}", "acme/app");
            for name in ["user", "namespace", "team", "robot", "role", "token", "session"] {
                path = path.replace(&format!("{{{name}}}"), "acme");
            }
            let query = operation["parameters"].as_array().unwrap().iter();
            let query: Vec<String> = query
                .filter(|parameter| parameter["in"] == "query" && parameter["required"] == true)
                .map(|parameter| match parameter["name"].as_str().unwrap() {
                    "on" => "on=acme/app".to_owned(),
                    "action" => "action=pull".to_owned(),
                    other => format!("{other}=owner"),
                })
                .collect();
            found.push((method.to_uppercase(), format!("{path}?{}", query.join("&"))));
        }
    }
    found
}

#[tokio::test]
async fn every_route_takes_a_credential_that_opens_the_api() {
    on_each_engine_with_accounts(async |app| {
        let document = app.get("/api/v1/openapi.json").await.expect(200).json();
        let operations = operations(&document);
        assert!(operations.len() > 30, "{}", operations.len());
        let jwt = app.as_bearer(&app.as_user("alice").token_for("repository:alice/app:pull").await);
        let (nobody, password) = (app.get("/").await, app.as_user("admin"));
        nobody.expect(200);
        // Neither the owner of anything here nor an administrator.
        let bob = as_token_of(app, "bob").await;
        for (method, target) in operations {
            // How somebody comes to a credential: it takes none.
            if (method.as_str(), target.as_str()) == ("POST", "/api/v1/session?") {
                assert_eq!(code(&app.post(target).await.expect(415)), "media_type");
                continue;
            }
            let call = |client: &Client| client.call(method.parse().unwrap(), target.clone());
            let refused = call(app).await.expect(401);
            assert_eq!(code(&refused), "sign_in", "{method} {target}");
            assert!(refused.header("www-authenticate").starts_with("Bearer "));
            for wrong in [&jwt, &password] {
                assert_eq!(code(&call(wrong).await.expect(401)), "credential", "{method} {target}");
            }
            let answer = call(&bob).await;
            let open = ["/me?", "/namespaces?", "/roles?", "/repositories?"]
                .iter()
                .any(|end| target == format!("/api/v1{end}"));
            if open {
                answer.expect(200);
            } else {
                assert!([403, 404].contains(&answer.status.as_u16()), "{method} {target}: {}", answer.text());
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_document_names_every_schema_and_operation_once() {
    on_each_engine_with_accounts(async |app| {
        let document = app.get("/api/v1/openapi.json").await.expect(200).json();
        assert_eq!(document["openapi"], "3.1.0");
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
        }
        let ids: Vec<&str> =
            text.split("\"operationId\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
    })
    .await;
}

#[tokio::test]
async fn an_administrator_makes_users_and_organisations_and_may_send_it_twice() {
    on_each_engine_with_accounts(async |app| {
        let admin = as_token_of(app, "admin").await;
        let carol =
            json!({ "email": "Carol@Example.org", "display_name": "Carol", "password": "correct horse battery" });
        assert_eq!(put(&admin, "/users/carol", carol.clone()).await.expect(201).string("email"), "carol@example.org");
        put(&admin, "/users/carol", carol).await.expect(200);
        assert_eq!(code(&put(&admin, "/users/carol", json!({ "admin": true })).await.expect(409)), "taken");
        app.as_user("carol").get("/v2/").await.expect(200);
        put(&admin, "/organisations/acme", json!({ "display_name": "Acme" })).await.expect(201);
        put(&admin, "/organisations/acme", json!({ "display_name": "Acme" })).await.expect(200);
        put(&admin, "/organisations/acme", json!({})).await.expect(409);
        put(&admin, "/namespaces/acme/teams/web", json!({})).await.expect(201);
        put(&admin, "/namespaces/acme/teams/web/members/carol", json!({})).await.expect(201);
        put(&admin, "/namespaces/acme/teams/web/members/carol", json!({})).await.expect(200);
        put(&admin, "/bindings?on=acme&role=owner&team=web", json!({})).await.expect(201);
        put(&admin, "/bindings?on=acme&role=owner&team=web", json!({})).await.expect(200);
        app.as_user("carol").push_image("acme/app", "v1", "a").await;
        let why = get(&admin, "/access?on=acme/app&action=push&who=carol").await.expect(200).json();
        assert_eq!(why["allowing"][0]["team"], "web");
        // What is misspelt is not taken for left out.
        for (path, body) in [("/users/dave", json!({ "emial": "x" })), ("/users/Dave", json!({}))] {
            assert_eq!(code(&put(&admin, path, body).await.expect(422)), "invalid");
        }
        assert!(code(&get(&admin, "/users?after=%21").await.expect(422)) == "invalid");
        admin.delete("/api/v1/users/carol").await.expect(204);
        app.as_user("carol").get("/v2/").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn lists_come_in_pages_that_follow_each_other() {
    on_each_engine_with_accounts(async |app| {
        let admin = as_token_of(app, "admin").await;
        for name in ["u1", "u2", "u3"] {
            put(&admin, &format!("/users/{name}"), json!({})).await.expect(201);
        }
        let mut names = Vec::new();
        let mut path = "/api/v1/users?limit=2".to_owned();
        loop {
            let page = admin.get(path).await.expect(200);
            let body = page.json();
            names
                .extend(body["items"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()));
            match page.next_page() {
                Some(next) => path = next,
                None => break,
            }
        }
        assert_eq!(names, ["admin", "alice", "bob", "u1", "u2", "u3"]);
        for wrong in ["0", "501", "x"] {
            get(&admin, &format!("/users?limit={wrong}")).await.expect(422);
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_gives_more_than_he_has() {
    on_each_engine_with_accounts(async |app| {
        let admin = as_token_of(app, "admin").await;
        put(&admin, "/organisations/acme", json!({})).await.expect(201);
        put(
            &admin,
            "/namespaces/acme/roles/clerk",
            json!({ "permissions": ["read", "activity", "members", "robots"] }),
        )
        .await
        .expect(200);
        put(&admin, "/bindings?on=acme&role=clerk&user=bob", json!({})).await.expect(201);
        put(&admin, "/namespaces/acme/teams/owners", json!({})).await.expect(201);
        put(&admin, "/bindings?on=acme&role=owner&team=owners", json!({})).await.expect(201);
        put(&admin, "/namespaces/acme/robots/ci", json!({})).await.expect(201);
        put(&admin, "/bindings?on=acme&role=developer&robot=acme%2Bci", json!({})).await.expect(201);
        let bob = as_token_of(app, "bob").await;
        put(&bob, "/bindings?on=acme/app&role=guest&user=alice", json!({})).await.expect(201);
        let beyond = async |path: &str, body| {
            let refused = put(&bob, path, body).await.expect(403);
            assert_eq!(code(&refused), "beyond_own_rights", "{path}");
        };
        beyond("/bindings?on=acme/app&role=owner&user=bob", json!({})).await;
        beyond("/namespaces/acme/roles/clerk", json!({ "permissions": ["read", "write", "members"] })).await;
        beyond("/namespaces/acme/teams/owners/members/bob", json!({})).await;
        let rotated = bob.post("/api/v1/namespaces/acme/robots/ci/secrets").await.expect(403);
        assert_eq!(code(&rotated), "beyond_own_rights");
        // Nor does a token make one that reaches further, or holds longer.
        let narrow = app.as_bearer(&app.personal_token("alice", "narrow", &["admin"]).await);
        let wide = put(&narrow, "/users/alice/tokens/wide", json!({ "scopes": ["write"] })).await.expect(403);
        assert_eq!(code(&wide), "beyond_own_rights");
        put(&narrow, "/users/alice/tokens/same", json!({ "scopes": ["admin"] })).await.expect(201);
        let read = app.as_bearer(&app.personal_token("alice", "read", &["read"]).await);
        let refused = put(&read, "/users/alice/tokens/more", json!({ "scopes": ["read"] })).await.expect(403);
        assert_eq!(code(&refused), "insufficient_scope");
        let limited = app.limited_token("alice", "limited", &["admin"], &["alice/app"]).await;
        let refused = put(&app.as_bearer(&limited), "/users/alice/tokens/more", json!({ "scopes": ["read"] })).await;
        assert_eq!(code(&refused.expect(403)), "insufficient_scope");
    })
    .await;
}

#[tokio::test]
async fn a_namespace_that_may_not_be_seen_is_as_if_it_were_missing() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "v1", "a").await;
        let bob = as_token_of(app, "bob").await;
        let (hidden, missing) = (get(&bob, "/namespaces/alice").await, get(&bob, "/namespaces/nobody").await);
        assert_eq!(hidden.string("detail"), missing.string("detail"));
        assert_eq!(code(&hidden.expect(404)), code(&missing.expect(404)));
        assert_eq!(get(&bob, "/repositories").await.expect(200).json()["items"], json!([]));
        get(&bob, "/repositories/alice/app").await.expect(404);
        let alice = as_token_of(app, "alice").await;
        assert_eq!(get(&alice, "/repositories/alice/app").await.expect(200).string("visibility"), "private");
        let change = alice.patch("/api/v1/repositories/alice/app").header("content-type", "application/json");
        change.body(json!({ "visibility": "public" }).to_string()).await.expect(200);
        get(&bob, "/repositories/alice/app").await.expect(200);
        get(&bob, "/namespaces/alice").await.expect(200);
        // Seen, and no more.
        get(&bob, "/namespaces/alice/bindings").await.expect(403);
        let names = get(&bob, "/namespaces").await.expect(200).json();
        assert_eq!(names["items"].as_array().unwrap().len(), 2, "{names}");
    })
    .await;
}

#[tokio::test]
async fn a_change_of_a_password_takes_the_present_one() {
    on_each_engine_with_accounts(async |app| {
        let alice = as_token_of(app, "alice").await;
        let new = "another horse battery staple";
        put(&alice, "/users/alice/password", json!({ "new": new })).await.expect(401);
        put(&alice, "/users/alice/password", json!({ "current": "wrong", "new": new })).await.expect(401);
        put(&alice, "/users/alice/password", json!({ "current": "correct horse battery", "new": new }))
            .await
            .expect(204);
        app.as_pair("alice", new).get("/v2/").await.expect(200);
        put(&alice, "/users/bob/password", json!({ "new": new })).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn an_open_registry_lists_its_repositories_to_nobody_and_manages_no_accounts() {
    on_each_engine(async |app| {
        assert_eq!(code(&put(app, "/users/carol", json!({ "admin": true })).await.expect(403)), "open");
        assert_eq!(code(&get(app, "/users").await.expect(403)), "open");
    })
    .await;
}
