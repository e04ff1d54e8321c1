//! Rate limits: whom they count, what they tell, and whom they leave alone.

use crate::support::{Image, TestApp, on_each_engine, on_each_engine_with_accounts, on_each_engine_with_accounts_and};

const MANIFEST: &str = "/v2/alice/app/manifests/v1";

fn refusals(app: &TestApp, class: &str) -> u64 {
    let start = format!("havre_rate_limited_total{{class=\"{class}\"}} ");
    app.app.metrics.encode().lines().find_map(|line| line.strip_prefix(&start)?.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn pulls_are_counted_by_identity_and_by_address_for_who_has_none() {
    let options = [("limits.pulls", "4"), ("limits.anonymous_pulls", "2")];
    on_each_engine_with_accounts_and(&options, async |app| {
        let alice = app.as_user("alice");
        let image = alice.push_image("alice/app", "v1", "a").await;
        app.set_visibility("alice/app", "public").await;
        app.grant("guest", "bob", "alice/app").await;
        let left = |answer: &crate::support::Answer| answer.header("ratelimit-remaining").to_owned();
        // Nobody in particular: two, by address, and looking does not count.
        let first = app.get(MANIFEST).await.expect(200);
        assert_eq!((first.header("ratelimit-limit"), left(&first).as_str()), ("2;w=21600", "1;w=21600"));
        assert_eq!(first.header("ratelimit-reset"), "10800");
        for _ in 0..10 {
            assert_eq!(left(&app.head(MANIFEST).await.expect(200)), "1;w=21600");
        }
        app.get(MANIFEST).await.expect(200);
        let refused = app.get(MANIFEST).await.refused(429, "TOOMANYREQUESTS");
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((10_000..=10_800).contains(&wait), "{wait}");
        assert_eq!(left(&refused), "0;w=21600");
        let message = refused.message();
        for part in
            ["too many pulls by your address: 2 in 6 hours are allowed", "docker login", "limits.anonymous_pulls"]
        {
            assert!(message.contains(part), "{message}");
        }
        // Who signs in has a share of their own, whichever credential it is.
        let token = alice.token_for("repository:alice/app:pull").await;
        let secret = app.personal_token("alice", "ci", &["read"]).await;
        for client in [&alice, &app.as_bearer(&token), &app.as_pair("alice", secret), &alice] {
            client.get(MANIFEST).await.expect(200);
        }
        let message = alice.get(MANIFEST).await.refused(429, "TOOMANYREQUESTS").message();
        assert!(message.contains("limits.pulls") && !message.contains("docker login"), "{message}");
        app.as_user("bob").get(MANIFEST).await.expect(200);
        // Pushing, blobs, lists and health are not pulls.
        alice.push_image("alice/app", "v2", "b").await;
        alice.get(format!("/v2/alice/app/blobs/{}", crate::support::sha256(&image.layer))).await.expect(200);
        alice.get("/v2/alice/app/tags/list").await.expect(200);
        app.get("/healthz").await.expect(200);
        assert_eq!(refusals(app, "pull"), 2);
    })
    .await;
}

#[tokio::test]
async fn pushes_lists_and_tokens_have_limits_of_their_own() {
    let options = [("limits.pushes", "5"), ("limits.api", "2"), ("limits.anonymous_api", "1"), ("limits.tokens", "3")];
    on_each_engine_with_accounts_and(&options, async |app| {
        let alice = app.as_user("alice");
        // Two blobs and a manifest.
        alice.push_image("alice/app", "v1", "a").await;
        alice.post("/v2/alice/app/blobs/uploads/").await.expect(202);
        alice.post("/v2/alice/app/blobs/uploads/").await.expect(202);
        let refused = alice.push_manifest("alice/app", "v2", &Image::new("a").manifest).await;
        let refused = refused.refused(429, "TOOMANYREQUESTS");
        assert!(refused.message().contains("limits.pushes"), "{}", refused.message());
        assert_eq!(refused.header("retry-after"), "12");
        alice.get("/v2/_catalog").await.expect(200);
        alice.get("/v2/alice/app/tags/list").await.expect(200);
        alice.get("/v2/_catalog").await.refused(429, "TOOMANYREQUESTS");
        alice.get(MANIFEST).await.expect(200);
        app.set_visibility("alice/app", "public").await;
        app.get("/v2/alice/app/tags/list").await.expect(200);
        app.get("/v2/alice/app/tags/list").await.refused(429, "TOOMANYREQUESTS");
        // Tokens by address, right or wrong.
        alice.get("/token").await.expect(200);
        app.get("/token").await.expect(200);
        app.post("/token").body("grant_type=refresh_token&refresh_token=x").await.expect(401);
        let refused = app.post("/token").body("grant_type=refresh_token&refresh_token=x").await.expect(429);
        assert_eq!(refused.header("retry-after"), "20");
        assert!(refused.text().contains("TOOMANYREQUESTS"), "{}", refused.text());
        assert!(refused.string("error_description").contains("limits.tokens"), "{}", refused.text());
        assert_eq!((refusals(app, "push"), refusals(app, "api"), refusals(app, "token")), (1, 2, 1));
    })
    .await;
}

/// As docker does: a challenge, a token, whether each blob is there, all of them at once, and the same to pull.
#[tokio::test]
async fn a_push_of_a_hundred_layers_and_busy_pipelines_meet_no_limit_by_default() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        alice.push_image("alice/app", "v1", "a").await;
        let token = alice.get("/token?scope=repository:alice/app:pull,push&offline_token=true").await.expect(200);
        let docker = app.as_bearer(&token.string("token"));
        let layers = (0..100).map(|n| {
            let docker = docker.clone();
            tokio::spawn(async move {
                let bytes = format!("layer {n}").into_bytes();
                let digest = crate::support::sha256(&bytes);
                docker.head(format!("/v2/alice/app/blobs/{digest}")).await.expect(404);
                docker.push_blob("alice/app", bytes).await;
            })
        });
        for layer in layers.collect::<Vec<_>>() {
            layer.await.unwrap();
        }
        for _ in 0..200 {
            let answer = docker.get(MANIFEST).await.expect(200);
            assert!(!answer.headers.contains_key("ratelimit-limit"), "pulls have no limit unless one is set");
        }
        for _ in 0..100 {
            app.get("/token?service=havre").await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn an_open_registry_has_no_limits() {
    on_each_engine(async |app| {
        app.push_image("some/app", "v1", "a").await;
        let answer = app.get("/v2/some/app/tags/list").await.expect(200);
        assert!(!answer.headers.contains_key("ratelimit-limit"));
    })
    .await;
}
