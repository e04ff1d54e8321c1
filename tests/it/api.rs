//! The management API: what opens it, what each route takes, and that nobody gives what he does not have.

use http::Method;
use serde_json::{Value, json};

use havre::clock;
use havre::registry::Ctx;
use havre::registry::accounts::users;

use crate::support::mails::{PASSWORD, mails_of, next_link, with_mail};
use crate::support::{Answer, Browser, Client, TestApp, on_each_engine, on_each_engine_with_accounts, sign_in};

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

/// Every operation of the document: its method, its path with names put in, and whether it takes a credential.
fn operations(document: &Value) -> Vec<(String, String, bool)> {
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let mut path = path.replace("{repository}", "acme/app");
            for name in ["user", "namespace", "team", "robot", "role", "token", "invitation", "session"] {
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
            let protected = operation.get("security") != Some(&json!([]));
            found.push((method.to_uppercase(), format!("{path}?{}", query.join("&")), protected));
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
        for (method, target, protected) in operations {
            let call = |client: &Client| client.call(method.parse().unwrap(), target.clone());
            if !protected {
                // For those who have no account: looked at, and found to say nothing.
                assert_eq!(code(&call(app).await.expect(415)), "media_type", "{method} {target}");
                continue;
            }
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
        let page =
            &document["paths"]["/api/v1/users"]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(page["$ref"], "#/components/schemas/PageOfUser");
        assert_eq!(schemas["PageOfUser"]["properties"]["items"]["items"]["$ref"], "#/components/schemas/User");
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
        let other =
            json!({ "email": "carol@example.org", "display_name": "Carol", "password": "another horse battery" });
        assert_eq!(code(&put(&admin, "/users/carol", other).await.expect(409)), "taken");
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
        for robot in ["r1", "r2", "r3"] {
            put(&admin, &format!("/namespaces/alice/robots/{robot}"), json!({})).await.expect(201);
            let binding = format!("/bindings?on=alice/app&role=guest&robot=alice%2B{robot}");
            put(&admin, &binding, json!({})).await.expect(201);
        }
        let whole = async |path: &str, member: &str| {
            let (mut all, mut path) = (Vec::new(), format!("/api/v1{path}?limit=2"));
            loop {
                let page = admin.get(path).await.expect(200);
                let items = page.json()["items"].as_array().unwrap().clone();
                assert!((1..=2).contains(&items.len()), "{items:?}");
                all.extend(items.iter().map(|item| item[member].as_str().unwrap().to_owned()));
                match page.next_page() {
                    Some(next) => path = next,
                    None => return all,
                }
            }
        };
        assert_eq!(whole("/namespaces/alice/robots", "name").await, ["alice+r1", "alice+r2", "alice+r3"]);
        assert_eq!(whole("/namespaces/alice/bindings", "robot").await, ["alice+r1", "alice+r2", "alice+r3"]);
        assert_eq!(whole("/users", "name").await, ["admin", "alice", "bob", "u1", "u2", "u3"]);
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
        let wrong = put(&alice, "/users/alice/password", json!({ "new": new })).await.expect(403);
        assert_eq!(code(&wrong), "password");
        put(&alice, "/users/alice/password", json!({ "current": "wrong", "new": new })).await.expect(403);
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

#[tokio::test]
async fn the_log_is_for_administrators_and_activity_for_who_may_see_it() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "v1", "a").await;
        app.grant("guest", "bob", "alice/app").await;
        app.app.audit_once(false).await;
        let (admin, bob) = (as_token_of(app, "admin").await, as_token_of(app, "bob").await);
        let found = get(&admin, "/audit?repository=alice/app&action=manifest.push").await.expect(200).json();
        assert_eq!(found["items"][0]["actor_name"], "alice");
        assert_eq!(found["items"][0]["address"], "127.0.0.1");
        let first = get(&admin, "/audit?repository=alice/app&limit=1").await.expect(200);
        let second = admin.get(first.next_page().unwrap()).await.expect(200).json();
        assert_ne!(first.json()["items"][0]["seq"], second["items"][0]["seq"]);
        let head = get(&admin, "/audit/head").await.expect(200).json();
        assert!(head["seq"].as_i64().unwrap() > 0, "{head}");
        let seen = get(&bob, "/activity?on=alice/app").await.expect(200).json();
        let pushed = seen["items"].as_array().unwrap().iter().find(|event| event["action"] == "manifest.push").unwrap();
        assert!(pushed["address"].is_null() && pushed["credential"].is_null(), "{pushed}");
        assert_eq!(code(&get(&bob, "/activity?on=alice/other").await.expect(403)), "forbidden");
        assert_eq!(code(&get(&bob, "/audit").await.expect(403)), "forbidden");
        // A namespace's name is no repository of the library.
        assert_eq!(code(&get(&admin, "/activity?on=alice").await.expect(422)), "invalid");
        assert_eq!(code(&get(&admin, "/access?on=alice&action=pull").await.expect(422)), "invalid");
    })
    .await;
}

#[tokio::test]
async fn somebody_signs_up_forgets_the_password_and_changes_the_address() {
    with_mail(async |app| {
        let new = json!({ "name": "carol", "email": "carol@example.org", "password": PASSWORD, "language": "fr" });
        let post = async |client: &Client, path: &str, body: Value| {
            let call = client.post(format!("/api/v1{path}")).header("content-type", "application/json");
            call.body(body.to_string()).await
        };
        post(app, "/sign-up", new.clone()).await.expect(204);
        let token = next_link(app).await;
        let other = "another horse battery staple";
        post(app, "/sign-up/verify", json!({ "token": token, "password": other })).await.expect(401);
        let made = post(app, "/sign-up/verify", json!({ "token": token, "password": PASSWORD })).await.expect(200);
        assert_eq!(made.string("user"), "carol");
        assert_eq!(
            code(&post(app, "/sign-up/verify", json!({ "token": token, "password": PASSWORD })).await.expect(410)),
            "link"
        );
        // Known or not, the answer is the same.
        for who in ["nobody", "carol"] {
            assert_eq!(post(app, "/password-reset", json!({ "who": who })).await.expect(204).text(), "");
        }
        let token = next_link(app).await;
        post(app, "/password-reset/complete", json!({ "token": token, "password": other })).await.expect(200);
        app.as_pair("carol", other).get("/v2/").await.expect(200);
        app.as_pair("carol", PASSWORD).get("/v2/").await.expect(401);
        let carol = as_token_of(app, "carol").await;
        mails_of(app).await;
        // Who has the mails has the account: a token does not move them elsewhere, nor a browser that was left open.
        let new = json!({ "email": "new@example.org" });
        assert_eq!(code(&put(&carol, "/users/carol/email", new.clone()).await.expect(403)), "prove_again");
        let session = sign_in(app, &json!({ "name": "carol", "password": other })).await.expect(201);
        let mut browser = Browser::of(app, "carol", &session);
        app.write("UPDATE sessions SET proved_at = proved_at - 601000000").await;
        let stale = browser.send(Method::PUT, "/users/carol/email", new.clone()).await.expect(403);
        assert_eq!(code(&stale), "prove_again");
        assert!(mails_of(app).await.is_empty());
        browser.prove(json!({ "password": other })).await;
        browser.send(Method::PUT, "/users/carol/email", new.clone()).await.expect(204);
        let token = next_link(app).await;
        post(app, "/email/confirm", json!({ "token": token })).await.expect(200);
        assert_eq!(get(&carol, "/users/carol").await.expect(200).string("email"), "new@example.org");
        put(&carol, "/users/admin/email", json!({ "email": "x@example.org" })).await.expect(404);
        // An administrator's token does it for others, though not for who administers too.
        let admin = as_token_of(app, "admin").await;
        put(&admin, "/users/carol/email", json!({ "email": "other@example.org" })).await.expect(204);
        users::set_admin(&app.app.registry, &Ctx::system(clock::now()), "carol", true).await.unwrap();
        assert_eq!(code(&put(&admin, "/users/carol/email", new.clone()).await.expect(403)), "prove_again");
        assert_eq!(code(&put(&admin, "/users/admin/email", new).await.expect(403)), "prove_again");
    })
    .await;
}

#[tokio::test]
async fn a_right_that_is_taken_away_while_the_body_comes_is_gone() {
    on_each_engine_with_accounts(async |app| {
        let admin = as_token_of(app, "admin").await;
        put(&admin, "/organisations/acme", json!({})).await.expect(201);
        app.grant("owner", "alice", "acme").await;
        let alice = as_token_of(app, "alice").await;
        let call = alice.put("/api/v1/namespaces/acme/robots/ci").header("content-type", "application/json");
        let (call, body) = call.streamed();
        let answer = tokio::spawn(async move { call.await });
        body.send("{").await;
        app.revoke("owner", "alice", "acme").await;
        body.send("}").await;
        drop(body);
        answer.await.unwrap().expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_token_and_a_robot_go_no_further_than_whom_they_act_for() {
    on_each_engine_with_accounts(async |app| {
        let alice = as_token_of(app, "alice").await;
        put(&alice, "/namespaces/alice/robots/ci", json!({})).await.expect(201);
        put(&alice, "/bindings?on=alice&role=owner&robot=alice%2Bci", json!({})).await.expect(201);
        // A token that may not push gives nobody what lets push, and gets no secret of who does.
        let narrow = app.as_bearer(&app.personal_token("alice", "narrow", &["admin"]).await);
        let refused = put(&narrow, "/bindings?on=alice&role=developer&user=bob", json!({})).await.expect(403);
        assert_eq!(code(&refused), "beyond_own_rights");
        assert_eq!(
            code(&narrow.post("/api/v1/namespaces/alice/robots/ci/secrets").await.expect(403)),
            "beyond_own_rights"
        );
        put(&narrow, "/bindings?on=alice&role=guest&user=bob", json!({})).await.expect(201);
        // Nor is a token about more than can be looked through.
        let many: Vec<String> = (0..33).map(|n| format!("alice/app{n}")).collect();
        let refused =
            put(&alice, "/users/alice/tokens/many", json!({ "scopes": ["read"], "on": many })).await.expect(409);
        assert!(refused.string("detail").contains("acme/web-*"), "{}", refused.text());
        let secret = alice.post("/api/v1/namespaces/alice/robots/ci/secrets").await.expect(201).string("secret");
        let robot = app.as_pair("alice+ci", &secret);
        robot.begin("alice/app").await;
        app.set_active("alice", false).await;
        robot.post("/v2/alice/app/blobs/uploads/").await.refused(401, "UNAUTHORIZED");
        app.as_bearer(&secret).get("/api/v1/me").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn texts_are_plain_and_events_name_nobody() {
    on_each_engine_with_accounts(async |app| {
        let admin = as_token_of(app, "admin").await;
        for wrong in ["a\u{0}b", "a\u{202e}b", &"x".repeat(300)] {
            put(&admin, "/users/carol", json!({ "display_name": wrong })).await.expect(422);
            put(&admin, "/organisations/acme", json!({ "display_name": wrong })).await.expect(422);
            put(&admin, "/namespaces/alice/robots/ci", json!({ "description": wrong })).await.expect(422);
        }
        put(&admin, "/users/carol", json!({ "display_name": "Carol" })).await.expect(201);
        let patch = |body: Value| {
            let call = admin.patch("/api/v1/users/carol").header("content-type", "application/json");
            call.body(body.to_string())
        };
        assert_eq!(patch(json!({ "active": true })).await.expect(200).json()["display_name"], "Carol");
        assert!(patch(json!({ "display_name": null })).await.expect(200).json()["display_name"].is_null());
        app.as_user("alice").push_image("alice/app", "v1", "a").await;
        put(&admin, "/bindings?on=alice/app&role=guest&user=bob", json!({})).await.expect(201);
        let found = get(&admin, "/audit?action=role.grant&repository=alice/app").await.expect(200).json();
        assert!(!found["items"][0]["detail"].to_string().contains("bob"), "{found}");
        assert_eq!(found["items"][0]["detail"]["role"], "guest");
    })
    .await;
}

#[tokio::test]
async fn a_create_that_is_sent_again_gives_the_same_secret() {
    on_each_engine_with_accounts(async |app| {
        let (alice, admin) = (as_token_of(app, "alice").await, as_token_of(app, "admin").await);
        let create = async |client: &Client, path: &str, key: &str, body: Value| {
            let call = client.put(format!("/api/v1{path}")).header("content-type", "application/json");
            call.header("idempotency-key", key).body(body.to_string()).await
        };
        let key = "5f2b6f0e-6a53-4b5d";
        let wanted = json!({ "scopes": ["read"], "on": ["alice/app"] });
        let first = create(&alice, "/users/alice/tokens/ci", key, wanted.clone()).await.expect(201).string("secret");
        let again = create(&alice, "/users/alice/tokens/ci", key, wanted.clone()).await.expect(200).string("secret");
        assert_eq!(first, again);
        app.as_bearer(&first).get("/api/v1/me").await.expect(200);
        // Another call, another caller, another key: each has its own, and the name is taken.
        create(&alice, "/users/alice/tokens/ci", key, json!({ "scopes": ["write"] })).await.expect(409);
        create(&admin, "/users/alice/tokens/ci", key, wanted.clone()).await.expect(409);
        create(&alice, "/users/alice/tokens/ci", "another-key-of-16", wanted.clone()).await.expect(409);
        let other = create(&alice, "/users/alice/tokens/other", key, wanted.clone()).await.expect(201).string("secret");
        assert_ne!(first, other);
        // What was revoked does not come back.
        app.revoke_token("alice", "ci").await;
        create(&alice, "/users/alice/tokens/ci", key, wanted.clone()).await.expect(409);
        create(&alice, "/users/alice/tokens/ci", "short", wanted).await.expect(422);
        let robot = "/namespaces/alice/robots/ci";
        let first = create(&alice, robot, key, json!({})).await.expect(201).string("secret");
        assert_eq!(create(&alice, robot, key, json!({})).await.expect(200).string("secret"), first);
    })
    .await;
}
