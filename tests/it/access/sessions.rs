//! Sign-ins of browsers: what ends them, who sees them, and that another site cannot use them.

use http::Method;
use serde_json::json;

use havre::auth::Permissions;
use havre::clock;
use havre::db::{self, Tx};
use havre::registry::access::manage::{Target, admit_to};
use havre::registry::access::{Why, sessions};
use havre::registry::accounts::{tokens, users};
use havre::registry::{Ctx, Error, sweep};

use crate::support::{Browser, PASSWORD, on_each_engine_with_accounts, on_each_engine_with_accounts_and, sign_in};

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
        // A browser that signs in anew gives up the session it had.
        let again = alice.send(Method::POST, "/session", json!({ "name": "alice", "password": PASSWORD })).await;
        alice.get("/me").await.expect(401);
        let alice = Browser::of(app, "alice", &again.expect(201));
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
        // In steps, however many there are.
        let fill = move |tx: &mut Tx<'_>| {
            let user_id = tx.one("SELECT user_id FROM sessions", &[])?.int(0)?;
            for n in 0..250 {
                let mut secret_hash = [0; 32];
                secret_hash[0] = n;
                let new = db::sessions::NewSession {
                    user_id,
                    secret_hash,
                    pending: false,
                    password_version: 1,
                    expires_at: now,
                    address: None,
                    user_agent: None,
                };
                db::sessions::insert(tx, &new, now)?;
            }
            Ok::<_, db::Error>(())
        };
        registry.db.write(fill).await.unwrap();
        let step = move |tx: &mut Tx<'_>| db::sessions::expire(tx, 0, now, 100);
        assert_eq!(registry.db.write(step).await.unwrap(), 100);
        assert_eq!(rows().await, 151);
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
        let token = json!({ "scopes": ["read"] });
        let made = alice.send(Method::PUT, "/users/alice/tokens/laptop", token.clone()).await.expect(403);
        assert_eq!(made.string("code"), "prove_again");
        alice.prove(json!({ "password": PASSWORD })).await;
        before.get("/me").await.expect(401);
        begin(&alice).await.expect(201);
        alice.send(Method::PUT, "/users/alice/tokens/laptop", token).await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn who_knows_the_password_alone_ends_no_session_of_who_has_the_second_factor_too() {
    on_each_engine_with_accounts(async |app| {
        let mut alice = Browser::sign_in(app, "alice", None).await;
        alice.set_up().await;
        let registry = &app.app.registry;
        for _ in 0..60 {
            sessions::start(registry, &Ctx::system(clock::now()), "alice", PASSWORD, None).await.unwrap();
        }
        alice.get("/me").await.expect(200);
        let states = app.read(|tx| {
            let sql = "SELECT state FROM sessions ORDER BY state";
            tx.query(sql, &[])?.into_iter().map(|mut row| row.text(0)).collect::<Result<Vec<_>, _>>()
        });
        assert_eq!(states.await, ["full", "pending", "pending", "pending", "pending", "pending"]);
    })
    .await;
}

#[tokio::test]
async fn a_session_that_waits_for_a_code_ends_soon() {
    on_each_engine_with_accounts(async |app| {
        let mut alice = Browser::sign_in(app, "alice", None).await;
        let (_, codes) = alice.set_up().await;
        let (registry, now) = (&app.app.registry, clock::now());
        let at = |minutes: i64| Ctx::system(now + minutes * 60 * 1_000_000);
        let opened = sessions::start(registry, &at(0), "alice", PASSWORD, None).await.unwrap();
        assert_eq!(opened.expires_at, at(10).now);
        assert!(sessions::find(registry, &at(9), &opened.secret, true).await.is_ok());
        assert!(sessions::find(registry, &at(10), &opened.secret, true).await.is_err());
        let mut late = Browser::sign_in(app, "alice", None).await;
        app.write("UPDATE sessions SET proved_at = proved_at - 601000000 WHERE state = 'pending'").await;
        let refused = late.send(Method::PUT, "/session", json!({ "code": codes[0] })).await.expect(401);
        assert_eq!(refused.string("code"), "credential_over");
        late = Browser::sign_in(app, "alice", None).await;
        late.prove(json!({ "code": codes[0] })).await;
        late.get("/me").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_session_that_waits_for_a_factor_to_be_set_up_ends_within_the_hour() {
    on_each_engine_with_accounts_and(&[("auth.require_second_factor", "true")], async |app| {
        let (registry, now) = (&app.app.registry, clock::now());
        let at = |minutes: i64| Ctx::system(now + minutes * 60 * 1_000_000);
        let opened = sessions::start(registry, &at(0), "alice", PASSWORD, None).await.unwrap();
        assert!(sessions::find(registry, &at(59), &opened.secret, true).await.is_ok());
        assert!(sessions::find(registry, &at(60), &opened.secret, true).await.is_err());
        // Set up in time, it goes on as long as any other.
        let answer = sign_in(app, &json!({ "name": "alice", "password": PASSWORD })).await.expect(201);
        let mut alice = Browser::of(app, "alice", &answer);
        alice.set_up().await;
        let until = alice.get("/session").await.expect(200).string("expires_at");
        assert!(until > answer.string("expires_at"), "{until}");
    })
    .await;
}

#[tokio::test]
async fn a_session_that_waited_for_a_factor_opens_once_nobody_asks_for_one() {
    on_each_engine_with_accounts(async |app| {
        let alice = Browser::sign_in(app, "alice", None).await;
        // As it was made while everybody had to have one.
        app.write("UPDATE sessions SET state = 'pending'").await;
        assert_eq!(alice.get("/session").await.expect(200).string("state"), "full");
        alice.get("/me").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn what_a_session_asked_for_is_not_done_once_it_was_ended() {
    on_each_engine_with_accounts(async |app| {
        let registry = &app.app.registry;
        app.personal_token("alice", "laptop", &["read"]).await;
        let mut ctx = Ctx::system(clock::now());
        let opened = sessions::start(registry, &ctx, "alice", PASSWORD, None).await.unwrap();
        let proof = sessions::find(registry, &ctx, &opened.secret, false).await.unwrap();
        let account = Target::Account("alice".to_owned());
        admit_to(registry, &mut ctx, &proof, &account, Permissions::SETTINGS).await.unwrap();
        sessions::end_all(registry, &Ctx::system(ctx.now), "alice").await.unwrap();
        let is_over =
            |result: Result<(), Error>| matches!(result, Err(Error::Denied(denial)) if denial.why == Why::Over);
        assert!(is_over(tokens::revoke(registry, &ctx, "alice", "laptop").await));
        assert!(is_over(sessions::end_all(registry, &ctx, "alice").await.map(|_| ())));
    })
    .await;
}

#[tokio::test]
async fn an_administrator_gives_up_the_own_account_in_a_session() {
    on_each_engine_with_accounts(async |app| {
        users::set_admin(&app.app.registry, &Ctx::system(clock::now()), "alice", true).await.unwrap();
        let [one, two] = [Browser::sign_in(app, "admin", None).await, Browser::sign_in(app, "alice", None).await];
        one.send(Method::PATCH, "/users/admin", json!({ "active": false })).await.expect(200);
        one.get("/me").await.expect(401);
        app.set_active("admin", true).await;
        two.delete("/users/alice").await.expect(204);
        two.get("/me").await.expect(401);
    })
    .await;
}
