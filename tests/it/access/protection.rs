//! What keeps attackers and noisy neighbours from getting in the way of others.

use http::header::AUTHORIZATION;

use havre::clock;
use havre::db;
use havre::registry::Ctx;
use havre::registry::accounts::{namespaces, tokens, users};

use crate::support::{Image, TestApp, on_each_engine_with_accounts, sha256};

/// A token whose head names another key; the rest of it does not matter.
fn token_of_key(kid: &str) -> String {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.AAAA", encode(&format!("{{\"alg\":\"HS256\",\"kid\":\"{kid}\"}}")), encode("{}"))
}

fn reads(app: &TestApp) -> u64 {
    let page = app.app.metrics.encode();
    let line = page
        .lines()
        .find(|line| line.starts_with("havre_database_duration_seconds_count") && line.contains("read"))
        .unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn made_up_keys_do_not_make_the_database_work() {
    on_each_engine_with_accounts(async |app| {
        app.as_bearer(&token_of_key("first")).get("/v2/").await.refused(401, "UNAUTHORIZED");
        let before = reads(app);
        for n in 0..50 {
            app.as_bearer(&token_of_key(&format!("k{n}"))).get("/v2/").await.refused(401, "UNAUTHORIZED");
        }
        // A slow machine may take more than a second for them.
        assert!(reads(app) - before < 25, "{} look-ups", reads(app) - before);
    })
    .await;
}

#[tokio::test]
async fn a_noisy_token_does_not_sign_out_others() {
    on_each_engine_with_accounts(async |app| {
        let offline = "/token?offline_token=true&service=havre";
        let kept = app.as_user("alice").get(offline).await.expect(200).string("refresh_token");
        let ci = app.as_pair("alice", app.personal_token("alice", "ci", &["read"]).await);
        let mut of_ci = Vec::new();
        for _ in 0..60 {
            of_ci.push(ci.get(offline).await.expect(200).string("refresh_token"));
        }
        let refresh = |token: &str| app.post("/token").body(format!("grant_type=refresh_token&refresh_token={token}"));
        refresh(&kept).await.expect(200);
        // Its own are bounded all the same.
        refresh(&of_ci[0]).await.expect(401);
        refresh(&of_ci[59]).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_token_says_how_long_it_holds_and_takes_no_more_scopes_than_fit_a_header() {
    on_each_engine_with_accounts(async |app| {
        let now = clock::now();
        let add = tokens::Add {
            user: "alice".to_owned(),
            name: "short".to_owned(),
            scopes: vec!["read".to_owned()],
            limits: Vec::new(),
            expires_at: Some(now + 60_000_000),
        };
        let added = tokens::add(&app.app.registry, &Ctx::system(now), add).await.unwrap();
        let answer = app.as_pair("alice", added.secret.reveal()).get("/token?service=havre").await.expect(200);
        let expires_in = answer.json()["expires_in"].as_i64().unwrap();
        assert!((1..=61).contains(&expires_in), "{expires_in}");
        let scopes = |length: usize| {
            let scope = |n| format!("scope=repository:alice/{}{n}:pull,push", "a".repeat(length));
            format!("/token?{}", (10..74).map(scope).collect::<Vec<_>>().join("&"))
        };
        let alice = app.as_user("alice");
        let most = alice.get(scopes(60)).await.expect(200).string("token");
        app.as_bearer(&most).get("/v2/").await.expect(200);
        let refused = alice.get(scopes(200)).await.expect(400);
        assert!(refused.text().contains("ask for fewer"), "{}", refused.text());
    })
    .await;
}

#[tokio::test]
async fn a_right_that_is_taken_away_during_a_push_ends_it() {
    on_each_engine_with_accounts(async |app| {
        app.grant("developer", "bob", "alice/app").await;
        let bob = app.as_user("bob");
        let image = Image::new("a");
        bob.push_blobs_of("alice/app", &image).await;
        let content = b"a layer that takes its time";
        let digest = sha256(content);
        let upload = bob.begin("alice/app").await;
        let (call, body) = bob.put(format!("{upload}?digest={digest}")).streamed();
        let received = || app.app.metrics.bytes_received.get();
        let before = received();
        let take = async {
            body.send(&content[..5]).await;
            while received() == before {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            app.revoke("developer", "bob", "alice/app").await;
            body.send(&content[5..]).await;
            drop(body);
        };
        let ((), answer) = tokio::join!(take, call.into_future());
        answer.refused(404, "NAME_UNKNOWN");
        app.as_user("alice").get(format!("/v2/alice/app/blobs/{digest}")).await.expect(404);
        // Given back, it counts for what goes on.
        app.grant("developer", "bob", "alice/app").await;
        bob.put(format!("{upload}?digest={digest}")).await.expect(201);
        bob.push_manifest("alice/app", "v1", &image.manifest).await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn the_registrys_own_words_become_no_namespaces() {
    on_each_engine_with_accounts(async |app| {
        let admin = app.as_user("admin");
        let refused = admin.post("/v2/api/app/blobs/uploads/").await.refused(403, "DENIED");
        assert!(refused.message().contains("docker tag"), "{}", refused.message());
        admin.push_manifest("docs/app", "v1", &Image::new("a").manifest).await.refused(403, "DENIED");
        admin.push_image("library/app", "v1", "a").await;
        admin.push_image("elsewhere/app", "v1", "a").await;
        for word in ["api", "docs"] {
            assert!(app.read(move |tx| db::namespaces::find(tx, word)).await.is_none(), "{word}");
        }
    })
    .await;
}

#[tokio::test]
async fn administrators_give_namespaces_without_an_owner_to_somebody_and_nobody_else_does() {
    on_each_engine_with_accounts(async |app| {
        let admin = app.as_user("admin");
        admin.push_image("carol/app", "v1", "a").await;
        admin.push_image("acme/app", "v1", "a").await;
        let (registry, now) = (&app.app.registry, clock::now());
        let add = || users::Add {
            name: "carol".to_owned(),
            email: None,
            display_name: None,
            admin: false,
            password: Some("correct horse battery".to_owned()),
        };
        let anybody = Ctx { identity: havre::registry::Identity::Anonymous, ..Ctx::system(now) };
        users::add(registry, &anybody, add()).await.unwrap_err();
        users::add(registry, &Ctx::system(now), add()).await.unwrap();
        app.as_user("carol").get("/v2/carol/app/manifests/v1").await.expect(200);
        let called = Some("Acme Corp.".to_owned());
        namespaces::add_organisation(registry, &anybody, "acme", called.clone()).await.unwrap_err();
        namespaces::add_organisation(registry, &Ctx::system(now), "acme", called.clone()).await.unwrap();
        let found = namespaces::find(registry, "acme").await.unwrap();
        assert_eq!((found.owner_kind.as_str(), found.display_name), ("organisation", called));
    })
    .await;
}

#[tokio::test]
async fn new_signing_keys_end_the_tokens_that_earlier_ones_signed() {
    on_each_engine_with_accounts(async |app| {
        let token = app.as_user("alice").token_for("repository:alice/app:pull").await;
        let bearer = format!("Bearer {token}");
        app.get("/v2/").header(AUTHORIZATION, &bearer).await.expect(200);
        let master = havre::app::master_key_or_new(&app.app.config).unwrap();
        let ctx = Ctx::system(clock::now());
        assert_eq!(havre::registry::access::replace_keys(&app.app.registry, &ctx, &master).await.unwrap().keys, 1);
        app.restart().await;
        app.get("/v2/").header(AUTHORIZATION, &bearer).await.refused(401, "UNAUTHORIZED");
        app.as_user("alice").get("/token").await.expect(200);
    })
    .await;
}
