//! The second factor: set up, asked for, lost; and what its password alone opens meanwhile.

use http::Method;
use serde_json::json;

use havre::clock;
use havre::registry::access::{Denial, Why, sessions};
use havre::registry::accounts::{namespaces, second_factor, users};
use havre::registry::{Ctx, Error};

use crate::support::{
    Browser, Client, PASSWORD, TestApp, code, on_each_engine_with_accounts, on_each_engine_with_accounts_and, sha256,
    sign_in,
};

async fn post(client: &Client, name: &str, password: &str, code: Option<&str>) -> crate::support::Answer {
    sign_in(client, &json!({ "name": name, "password": password, "code": code })).await
}

/// The kinds of the events, in their order, that are about signing in.
async fn kinds(app: &TestApp) -> Vec<String> {
    app.read(|tx| {
        let sql = "SELECT kind FROM events WHERE kind LIKE 'session.%' OR kind LIKE 'user.second%' \
                   OR kind LIKE 'user.recovery%' ORDER BY id";
        tx.query(sql, &[])?.into_iter().map(|mut row| row.text(0)).collect()
    })
    .await
}

#[tokio::test]
async fn a_second_factor_takes_the_place_of_the_password_alone_and_tokens_go_on() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let jwt = app.as_bearer(&alice.token_for("repository:alice/app:pull").await);
        let kept = alice.get("/token?offline_token=true&service=havre").await.expect(200).string("refresh_token");
        let token = app.as_pair("alice", app.personal_token("alice", "laptop", &["read", "write"]).await);
        let mut browser = Browser::sign_in(app, "alice", None).await;
        let elsewhere = Browser::sign_in(app, "alice", None).await;
        let path = "/users/alice/second-factor";
        let begun = browser.call(Method::POST, path).await.expect(201);
        assert!(begun.string("uri").starts_with("otpauth://totp/") && begun.string("qr_svg").contains("<svg"));
        browser.send(Method::PUT, path, json!({ "code": "000000x" })).await.expect(422);
        alice.get("/v2/").await.expect(200);
        // Begun anew, what was begun before counts no longer.
        let before = browser.clone();
        let (secret, codes) = browser.set_up().await;
        assert_eq!(codes.len(), 10);
        before.get("/me").await.expect(401);
        elsewhere.get("/me").await.expect(401);
        browser.get("/me").await.expect(200);
        // Only who has the password reads what is wanted instead of it.
        let hint = "havre token create --user alice --name laptop";
        for path in ["/v2/", "/token?service=havre"] {
            assert!(alice.get(path).await.expect(401).text().contains(hint), "{path}");
            let wrong = app.as_pair("alice", "another password").get(path).await.expect(401);
            assert!(!wrong.text().contains("second factor"), "{}", wrong.text());
        }
        jwt.get("/v2/").await.refused(401, "UNAUTHORIZED");
        app.post("/token").body(format!("grant_type=refresh_token&refresh_token={kept}")).await.expect(401);
        token.get("/v2/").await.expect(200);
        token.push_image("alice/app", "v1", "a").await;
        browser.call(Method::POST, path).await.expect(409);
        // A code opens once; so does a recovery code.
        let next = code(&secret, 1);
        let mut later = Browser::sign_in(app, "alice", None).await;
        later.get("/session").await.expect(200);
        for path in ["/me", "/namespaces", "/users/alice", "/users/alice/tokens"] {
            assert_eq!(later.get(path).await.expect(403).string("code"), "second_factor", "{path}");
        }
        later.call(Method::POST, path).await.expect(403);
        // A code that is missing is no wrong one, however often; one in two groups is read.
        for body in [json!({ "password": PASSWORD }), json!({ "code": " " })].iter().cycle().take(12) {
            let refused = later.send(Method::PUT, "/session", body.clone()).await.expect(403);
            assert_eq!(refused.string("code"), "second_factor");
        }
        later.prove(json!({ "code": format!(" {} {}", &next[..3], &next[3..]) })).await;
        later.get("/me").await.expect(200);
        post(app, "alice", PASSWORD, Some(&next)).await.expect(401);
        post(app, "alice", PASSWORD, Some(&codes[3].to_uppercase())).await.expect(201);
        post(app, "alice", PASSWORD, Some(&codes[3])).await.expect(401);
        post(app, "alice", "another password", Some(&codes[4])).await.expect(401);
        assert_eq!(later.get(path).await.expect(200).json()["recovery_codes"], 9);
        // A token is not enough to turn it off.
        let admin_scope = app.as_bearer(&app.personal_token("alice", "all", &["read", "write", "admin"]).await);
        let refused = admin_scope.delete(format!("/api/v1{path}")).await.expect(403);
        assert_eq!(refused.string("code"), "prove_again");
        admin_scope.post(format!("/api/v1{path}/recovery-codes")).await.expect(403);
        let fresh = later.call(Method::POST, &format!("{path}/recovery-codes")).await.expect(200);
        post(app, "alice", PASSWORD, Some(&codes[5])).await.expect(401);
        post(app, "alice", PASSWORD, Some(&fresh.strings("recovery_codes")[0])).await.expect(201);
        later.delete(path).await.expect(204);
        later.get("/me").await.expect(200);
        browser.get("/me").await.expect(401);
        alice.get("/v2/").await.expect(200);
        let kinds = kinds(app).await;
        for kind in ["session.start", "session.prove", "user.second_factor.enable", "user.second_factor.disable"] {
            assert!(kinds.iter().any(|known| known == kind), "{kind}: {kinds:?}");
        }
        assert_eq!(kinds.iter().filter(|kind| *kind == "user.recovery_code").count(), 2, "{kinds:?}");
    })
    .await;
}

#[tokio::test]
async fn who_has_lost_it_is_helped_by_an_administrator_and_nobody_else() {
    on_each_engine_with_accounts(async |app| {
        let mut alice = Browser::sign_in(app, "alice", None).await;
        alice.set_up().await;
        let path = "/api/v1/users/alice/second-factor";
        let scopes = ["read", "write", "delete", "admin"];
        let bob = app.as_bearer(&app.personal_token("bob", "all", &scopes).await);
        bob.delete(path).await.expect(404);
        Browser::sign_in(app, "bob", None).await.call(Method::POST, "/users/alice/second-factor").await.expect(404);
        let admin = app.as_bearer(&app.personal_token("admin", "all", &scopes).await);
        assert_eq!(admin.get(path).await.expect(200).json()["enabled"], true);
        admin.delete(path).await.expect(204);
        admin.delete(path).await.expect(404);
        alice.get("/me").await.expect(401);
        app.as_user("alice").get("/v2/").await.expect(200);
        assert_eq!(kinds(app).await.last().unwrap(), "user.second_factor.reset");
        // What was only begun is taken away, and nothing ends by it.
        let alice = Browser::sign_in(app, "alice", None).await;
        alice.call(Method::POST, "/users/alice/second-factor").await.expect(201);
        alice.delete("/users/alice/second-factor").await.expect(204);
        alice.delete("/users/alice/second-factor").await.expect(404);
        alice.get("/me").await.expect(200);
        // Of another administrator, no token takes it off.
        users::set_admin(&app.app.registry, &Ctx::system(clock::now()), "alice", true).await.unwrap();
        let (mut alice, mut other) = (alice, Browser::sign_in(app, "admin", None).await);
        alice.set_up().await;
        assert_eq!(admin.delete(path).await.expect(403).string("code"), "prove_again");
        app.write("UPDATE sessions SET proved_at = proved_at - 601000000").await;
        other.delete("/users/alice/second-factor").await.expect(403);
        other.prove(json!({ "password": PASSWORD })).await;
        other.delete("/users/alice/second-factor").await.expect(204);
    })
    .await;
}

#[tokio::test]
async fn guessing_codes_is_slowed_and_the_right_password_does_not_help() {
    on_each_engine_with_accounts(async |app| {
        let mut alice = Browser::sign_in(app, "alice", None).await;
        let (secret, codes) = alice.set_up().await;
        let token = app.as_pair("alice", app.personal_token("alice", "laptop", &["read"]).await);
        let mut met = Vec::new();
        for n in 0..8 {
            let answer = post(app, "alice", PASSWORD, Some(&format!("00000{n}"))).await;
            met.push(answer.status.as_u16());
        }
        assert_eq!(met[..5], [401; 5], "{met:?}");
        assert!(met.contains(&429), "{met:?}");
        // Also a right one waits; a token never does, and another account neither.
        let slowed = post(app, "alice", PASSWORD, Some(&code(&secret, 1))).await.expect(429);
        assert!(slowed.header("retry-after").parse::<u64>().unwrap() >= 1);
        // Nor does a recovery code, which nobody guesses.
        post(app, "alice", PASSWORD, Some(&codes[0])).await.expect(201);
        token.get("/v2/").await.expect(200);
        Browser::sign_in(app, "bob", None).await.get("/me").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn where_everybody_has_to_have_one_who_has_none_can_only_set_it_up() {
    on_each_engine_with_accounts_and(&[("auth.require_second_factor", "true")], async |app| {
        let token = app.personal_token("alice", "all", &["read", "write", "delete", "admin"]).await;
        let (pair, bearer) = (app.as_pair("alice", &token), app.as_bearer(&token));
        let robot = app.robot("alice+ci").await;
        app.as_pair("alice+ci", robot).get("/v2/").await.expect(200);
        app.get("/token?service=havre").await.expect(200);
        for refused in [app.as_user("alice").get("/v2/").await, pair.get("/v2/").await, pair.get("/token").await] {
            assert!(refused.expect(401).text().contains("has to have a second factor"));
        }
        pair.get("/v2/alice/app/tags/list").await.refused(401, "UNAUTHORIZED");
        assert_eq!(bearer.get("/api/v1/me").await.expect(403).string("code"), "second_factor_missing");
        let answer = post(app, "alice", PASSWORD, None).await.expect(201);
        assert_eq!(answer.string("state"), "set-up");
        let mut alice = Browser::of(app, "alice", &answer);
        for path in ["/me", "/namespaces", "/users/alice/sessions"] {
            assert_eq!(alice.get(path).await.expect(403).string("code"), "second_factor_missing", "{path}");
        }
        let (_, codes) = alice.set_up().await;
        alice.get("/me").await.expect(200);
        pair.get("/v2/").await.expect(200);
        pair.push_image("alice/app", "v1", "a").await;
        // Who has none is told to those who may know it.
        let shut_out = async || {
            let why = bearer.get("/api/v1/access?on=alice/app&action=pull&who=bob").await.expect(200).json();
            why["shut_out"].as_bool().unwrap()
        };
        assert!(!shut_out().await);
        app.grant("guest", "bob", "alice/app").await;
        assert!(shut_out().await);
        assert_eq!(post(app, "alice", PASSWORD, Some(&codes[0])).await.expect(201).string("state"), "full");
        // Once it is off, what was open is closed at the next request.
        alice.delete("/users/alice/second-factor").await.expect(204);
        alice.get("/me").await.expect(403);
        pair.get("/v2/alice/app/manifests/v1").await.refused(401, "UNAUTHORIZED");
        alice.set_up().await;
        pair.get("/v2/alice/app/manifests/v1").await.expect(200);
    })
    .await;
}

const REPOSITORIES: [&str; 5] = ["acme/app", "acme/inside", "acme/open", "acme/secret", "bob/own"];

/// What somebody may read: as the policy decides one by one, which lists, made by one statement, have to agree with.
async fn readable(client: &Client) -> Vec<String> {
    let mut found = Vec::new();
    for name in REPOSITORIES {
        if client.get(format!("/v2/{name}/tags/list")).await.status == 200 {
            found.push(name.to_owned());
        }
    }
    assert_eq!(client.get("/v2/_catalog").await.expect(200).strings("repositories"), found);
    found
}

#[tokio::test]
async fn an_organisation_that_asks_for_a_second_factor_lets_its_people_in_with_one_only() {
    on_each_engine_with_accounts(async |app| {
        let admin_pair = app.as_user("admin");
        let scopes = ["read", "write", "delete", "admin"];
        let admin = app.as_bearer(&app.personal_token("admin", "all", &scopes).await);
        let json = |client: &Client, method: Method, path: &str, body: serde_json::Value| {
            let call = client.call(method, format!("/api/v1{path}")).header("content-type", "application/json");
            call.body(body.to_string())
        };
        json(&admin, Method::PUT, "/organisations/acme", json!({})).await.expect(201);
        for (n, name) in REPOSITORIES.into_iter().enumerate() {
            admin_pair.push_image(name, "v1", &n.to_string()).await;
        }
        app.set_visibility("acme/inside", "internal").await;
        app.set_visibility("acme/open", "public").await;
        app.grant("owner", "alice", "acme").await;
        app.grant("developer", "bob", "acme/app").await;
        let robot = app.robot("acme+ci").await;
        app.grant_robot("guest", "acme+ci", "acme").await;
        let robot = app.as_pair("acme+ci", robot);
        let secret = app.personal_token("bob", "all", &scopes).await;
        let (bob, bob_api) = (app.as_pair("bob", &secret), app.as_bearer(&secret));
        let jwt = app.as_bearer(&bob.token_for("repository:acme/app:pull,push").await);
        let before = ["acme/app", "acme/inside", "acme/open", "bob/own"];
        assert_eq!(readable(&bob).await, before);
        // Nobody shuts himself out by it, and of users' own namespaces it is not asked.
        let require = |on: bool| json!({ "require_second_factor": on });
        let alone = app.as_bearer(&app.personal_token("alice", "all", &scopes).await);
        json(&alone, Method::PATCH, "/namespaces/acme", require(true)).await.expect(409);
        json(&admin, Method::PATCH, "/namespaces/bob", require(true)).await.expect(403);
        let mut alice = Browser::sign_in(app, "alice", None).await;
        alice.set_up().await;
        let changed = alice.send(Method::PATCH, "/namespaces/acme", require(true)).await.expect(200);
        assert_eq!(changed.json()["require_second_factor"], true);
        // From the next request on, roles count no more, nor does being signed in.
        let shut_out = async || {
            assert_eq!(readable(&bob).await, ["acme/open", "bob/own"]);
            let refused = jwt.get("/v2/acme/app/manifests/v1").await.refused(403, "DENIED");
            assert!(
                refused.message().contains("acme/app lets you in with a second factor only"),
                "{}",
                refused.message()
            );
            jwt.post("/v2/acme/app/blobs/uploads/").await.refused(403, "DENIED");
            bob.get("/v2/acme/inside/tags/list").await.refused(403, "DENIED");
            // What a second factor would not open either is hidden as ever.
            bob.get("/v2/acme/secret/tags/list").await.refused(404, "NAME_UNKNOWN");
            let seen = bob_api.get("/api/v1/repositories").await.expect(200).json();
            assert_eq!(seen["items"].as_array().unwrap().len(), 2, "{seen}");
            let why = admin.get("/api/v1/access?on=acme/app&action=push&who=bob").await.expect(200).json();
            assert_eq!((&why["allowed"], &why["waiting"][0]["role"]), (&json!(false), &json!("developer")));
        };
        shut_out().await;
        assert_eq!(readable(&admin_pair).await, REPOSITORIES);
        assert_eq!(readable(&robot).await, ["acme/app", "acme/inside", "acme/open", "acme/secret"]);
        app.as_bearer(&app.token_for("repository:acme/open:pull").await)
            .get("/v2/acme/open/tags/list")
            .await
            .expect(200);
        let mut browser = Browser::sign_in(app, "bob", None).await;
        browser.set_up().await;
        assert_eq!(readable(&bob).await, before);
        jwt.get("/v2/acme/app/manifests/v1").await.expect(200);
        jwt.begin("acme/app").await;
        admin.delete("/api/v1/users/bob/second-factor").await.expect(204);
        shut_out().await;
        alice.send(Method::PATCH, "/namespaces/acme", require(false)).await.expect(200);
        assert_eq!(readable(&bob).await, before);
    })
    .await;
}

#[tokio::test]
async fn guesses_of_somebody_who_knows_the_password_do_not_keep_the_owners_recovery_code_out() {
    on_each_engine_with_accounts(async |app| {
        let mut alice = Browser::sign_in(app, "alice", None).await;
        let (secret, codes) = alice.set_up().await;
        let registry = &app.app.registry;
        let from = |n: u8| Ctx { address: Some([192, 0, 2, n].into()), ..Ctx::system(clock::now()) };
        let start = async |n: u8, code: &str| {
            let opened = sessions::start(registry, &from(n), "alice", PASSWORD, Some(code)).await;
            opened.map(|opened| opened.stage).map_err(|error| match error {
                Error::Denied(denial) => denial.why,
                other => panic!("{other}"),
            })
        };
        for n in 0..15 {
            start(n, "000000").await.unwrap_err();
        }
        assert!(matches!(start(100, &code(&secret, 1)).await, Err(Why::Throttled(_))));
        // Nor do wrong recovery codes, which nobody guesses.
        for n in 0..15 {
            assert_eq!(start(n, "aaaa-aaaa-aaaa-aaaa").await, Err(Why::WrongCredentials));
        }
        assert_eq!(start(100, &codes[0]).await, Ok(sessions::Stage::Full));
        // At one address they wait all the same.
        let mut met = Vec::new();
        for _ in 0..8 {
            met.push(start(50, "aaaa-aaaa-aaaa-aaab").await);
        }
        assert!(matches!(met.last(), Some(Err(Why::Throttled(_)))), "{met:?}");
    })
    .await;
}

#[tokio::test]
async fn a_namespace_that_asks_for_a_second_factor_is_not_seen_through_what_is_internal_there() {
    on_each_engine_with_accounts(async |app| {
        let (registry, ctx) = (&app.app.registry, Ctx::system(clock::now()));
        namespaces::add_organisation(registry, &ctx, "acme", None).await.unwrap();
        app.as_user("admin").push_image("acme/inside", "v1", "a").await;
        app.set_visibility("acme/inside", "internal").await;
        let bob = app.as_bearer(&app.personal_token("bob", "all", &["read", "admin"]).await);
        let seen = async || {
            let names = bob.get("/api/v1/namespaces").await.expect(200).json();
            let listed = names["items"].as_array().unwrap().iter().any(|item| item["name"] == "acme");
            assert_eq!(bob.get("/api/v1/namespaces/acme").await.status == 200, listed);
            listed
        };
        assert!(seen().await);
        namespaces::require_second_factor(registry, &ctx, "acme", true).await.unwrap();
        assert!(!seen().await);
        // A role on a part of it shows it, once there is a factor, and the refusal says so.
        app.grant("guest", "bob", "acme/inside").await;
        let refused = bob.get("/api/v1/namespaces/acme").await.expect(403);
        assert_eq!(refused.string("code"), "second_factor_missing");
        app.revoke("guest", "bob", "acme/inside").await;
        Browser::sign_in(app, "bob", None).await.set_up().await;
        assert!(seen().await);
    })
    .await;
}

#[tokio::test]
async fn what_no_header_could_show_signs_nobody_in() {
    on_each_engine_with_accounts(async |app| {
        let registry = &app.app.registry;
        let long = "x".repeat(600);
        for (name, password) in [("al\0ice", PASSWORD), ("alice", "a\0b"), (&long[..256], PASSWORD), ("alice", &long)] {
            let refused =
                sessions::start(registry, &Ctx::system(clock::now()), name, password, None).await.unwrap_err();
            assert!(matches!(&refused, Error::Denied(denial) if **denial == Denial::of(Why::WrongCredentials)));
        }
        post(app, &long, PASSWORD, None).await.expect(401);
        // Wherever a text of a body goes, a NUL is refused before it.
        let bodies = [
            ("/session", json!({ "name": "a\0", "password": "x" })),
            ("/password-reset", json!({ "who": "a\0" })),
            ("/sign-up", json!({ "name": "a\0", "email": "a@example.org", "password": "x" })),
            ("/sign-up/accept", json!({ "token": "x", "name": "a\0", "password": "x" })),
        ];
        for (path, body) in bodies {
            let call = app.post(format!("/api/v1{path}")).header("content-type", "application/json");
            assert!(call.body(body.to_string()).await.expect(422).string("detail").contains("U+0000"), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_push_ends_with_the_second_factor_that_everybody_has_to_have() {
    on_each_engine_with_accounts_and(&[("auth.require_second_factor", "true")], async |app| {
        let answer = post(app, "alice", PASSWORD, None).await.expect(201);
        Browser::of(app, "alice", &answer).set_up().await;
        let pair = app.as_pair("alice", app.personal_token("alice", "all", &["read", "write"]).await);
        let upload = pair.begin("alice/app").await;
        let content = b"a layer that takes its time";
        let (call, body) = pair.put(format!("{upload}?digest={}", sha256(content))).streamed();
        let received = || app.app.metrics.bytes_received.get();
        let before = received();
        let take = async {
            body.send(&content[..5]).await;
            while received() == before {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            second_factor::reset(&app.app.registry, &Ctx::system(clock::now()), "alice").await.unwrap();
            body.send(&content[5..]).await;
            drop(body);
        };
        let ((), answer) = tokio::join!(take, call.into_future());
        answer.refused(401, "UNAUTHORIZED");
    })
    .await;
}
