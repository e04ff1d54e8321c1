//! Sign-ins of browsers: what ends them, who sees them, and that another site cannot use them.

use http::Method;
use serde_json::json;

use havre::clock;
use havre::registry::access::sessions;
use havre::registry::{Ctx, sweep};

use crate::support::{Browser, PASSWORD, on_each_engine_with_accounts, sign_in};

#[tokio::test]
async fn a_cookie_alone_opens_nothing_and_is_kept_from_scripts() {
    on_each_engine_with_accounts(async |app| {
        let answer = sign_in(app, &json!({ "name": "alice", "password": PASSWORD })).await.expect(201);
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with("havre_session=havre_ses_"), "{cookie}");
        assert!(cookie.contains("; HttpOnly; SameSite=Lax") && cookie.contains("; Path=/;"), "{cookie}");
        assert!(!answer.text().contains("havre_ses_"));
        let alice = Browser::of(app, "alice", &answer);
        let other = Browser::sign_in(app, "alice", None).await;
        for method in [Method::GET, Method::DELETE] {
            assert_eq!(alice.forged(method, "/session").await.expect(403).string("code"), "csrf");
        }
        // What goes with another session does not do either.
        let mixed = alice.forged(Method::GET, "/me").header("x-csrf-token", "x".repeat(43));
        assert_eq!(mixed.await.expect(403).string("code"), "csrf");
        alice.get("/me").await.expect(200);
        other.get("/me").await.expect(200);
        // Who is signed in makes a token that outlives the session.
        let token = alice.send(Method::PUT, "/users/alice/tokens/laptop", json!({ "scopes": ["read", "write"] })).await;
        let secret = token.expect(201).string("secret");
        let out = alice.delete("/session").await.expect(204);
        assert!(out.header("set-cookie").starts_with("havre_session=; Path=/; Max-Age=0"));
        alice.get("/me").await.expect(401);
        app.as_pair("alice", secret).get("/v2/").await.expect(200);
        for body in
            [json!({ "name": "alice", "password": "not this one" }), json!({ "name": "nobody", "password": "x" })]
        {
            let refused = sign_in(app, &body).await.expect(401);
            assert_eq!(refused.string("code"), "credential");
            assert!(refused.find("set-cookie").is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended_and_end_with_what_they_were_made_from() {
    on_each_engine_with_accounts(async |app| {
        let [one, two, three] = [
            Browser::sign_in(app, "alice", None).await,
            Browser::sign_in(app, "alice", None).await,
            Browser::sign_in(app, "alice", None).await,
        ];
        let bob = Browser::sign_in(app, "bob", None).await;
        bob.get("/users/alice/sessions").await.expect(404);
        let listed = one.get("/users/alice/sessions").await.expect(200).json();
        let items = listed["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), 3);
        assert_eq!(items.iter().filter(|item| item["own"] == true).count(), 1);
        assert_eq!(items[0]["address"], "127.0.0.1");
        let id = two.get("/session").await.expect(200).string("id");
        bob.delete(&format!("/users/bob/sessions/{id}")).await.expect(404);
        one.delete(&format!("/users/alice/sessions/{id}")).await.expect(204);
        two.get("/me").await.expect(401);
        one.delete("/users/alice/sessions").await.expect(204);
        three.get("/me").await.expect(401);
        one.get("/me").await.expect(200);
        // The one in which the password is changed goes on, the others do not.
        let other = Browser::sign_in(app, "alice", None).await;
        let change = json!({ "current": PASSWORD, "new": "another horse battery" });
        one.send(Method::PUT, "/users/alice/password", change).await.expect(204);
        one.get("/me").await.expect(200);
        other.get("/me").await.expect(401);
        app.set_password("alice", PASSWORD).await;
        one.get("/me").await.expect(401);
        app.set_active("bob", false).await;
        bob.get("/me").await.expect(401);
        app.set_active("bob", true).await;
        bob.get("/me").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends_and_so_does_one_that_is_old() {
    on_each_engine_with_accounts(async |app| {
        let (registry, now) = (&app.app.registry, clock::now());
        let at = |hours: i64| Ctx::system(now + hours * 3600 * 1_000_000);
        let opened = sessions::start(registry, &at(0), "alice", PASSWORD, None).await.unwrap();
        let find = async |hours: i64| sessions::find(registry, &at(hours), &opened.secret, false).await;
        assert!(find(23).await.is_ok());
        // Its use is recorded beside the request.
        while sessions::list(registry, &at(23), "alice").await.unwrap()[0].0.last_seen_at == now {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert!(find(46).await.is_ok());
        assert!(find(23 + 25 + 24).await.is_err());
        let rows = async || app.read(|tx| tx.one("SELECT COUNT(*) FROM sessions", &[])?.int(0)).await;
        sweep::sweep(registry, &at(1)).await.unwrap();
        assert_eq!(rows().await, 1);
        sweep::sweep(registry, &at(24 * 15)).await.unwrap();
        assert_eq!(rows().await, 0);
        let opened = sessions::start(registry, &at(0), "alice", PASSWORD, None).await.unwrap();
        for hours in (23..14 * 24).step_by(23) {
            sessions::find(registry, &at(hours), &opened.secret, false).await.unwrap();
            while sessions::list(registry, &at(hours), "alice").await.unwrap()[0].0.last_seen_at < at(hours).now {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        assert!(sessions::find(registry, &at(14 * 24), &opened.secret, false).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn what_opens_an_account_is_changed_by_who_has_just_shown_the_password() {
    on_each_engine_with_accounts(async |app| {
        let mut alice = Browser::sign_in(app, "alice", None).await;
        app.write("UPDATE sessions SET proved_at = proved_at - 601000000").await;
        let begin = async |alice: &Browser| alice.call(Method::POST, "/users/alice/second-factor").await;
        assert_eq!(begin(&alice).await.expect(403).string("code"), "prove_again");
        alice.get("/me").await.expect(200);
        alice.send(Method::PUT, "/session", json!({})).await.expect(401);
        alice.send(Method::PUT, "/session", json!({ "password": "not this one" })).await.expect(401);
        let before = alice.clone();
        alice.prove(json!({ "password": PASSWORD })).await;
        before.get("/me").await.expect(401);
        begin(&alice).await.expect(201);
    })
    .await;
}
