//! `docker login`: challenges, tokens, passwords, refusals.

use http::header::AUTHORIZATION;

use havre::telemetry::metrics::ACTIONS;

use crate::support::{Client, Image, on_each_engine_with_accounts, sha256};

#[tokio::test]
async fn without_credentials_everything_private_or_missing_is_one_challenge() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "v1", "a").await;
        let private = app.get("/v2/alice/app/manifests/v1").await.refused(401, "UNAUTHORIZED");
        let missing = app.get("/v2/alice/none/manifests/v1").await.refused(401, "UNAUTHORIZED");
        let nobody = app.get("/v2/nobody/app/manifests/v1").await.refused(401, "UNAUTHORIZED");
        for (answer, name) in [(&private, "alice/app"), (&missing, "alice/none"), (&nobody, "nobody/app")] {
            let challenge = answer.header("www-authenticate");
            let realm = format!("Bearer realm=\"http://{}/token\",service=\"havre\"", app.address());
            assert_eq!(challenge, format!("{realm},scope=\"repository:{name}:pull\""));
            assert!(answer.message().contains(&format!("docker login {}", app.address())), "{}", answer.message());
            assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1);
        }
        let same = |text: &str| text.replace("alice/none", "alice/app").replace("nobody/app", "alice/app");
        assert_eq!(same(&missing.message()), private.message());
        assert_eq!(same(&nobody.message()), private.message());
        let base = app.get("/v2/").await.refused(401, "UNAUTHORIZED");
        assert!(!base.header("www-authenticate").contains("scope"));
        let catalog = app.get("/v2/_catalog").await.refused(401, "UNAUTHORIZED");
        assert!(catalog.header("www-authenticate").ends_with("scope=\"registry:catalog:*\""));
    })
    .await;
}

/// The paths that the router knows, as its source names them.
fn top_level_routes() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/router.rs");
    let source = std::fs::read_to_string(path).unwrap();
    let (_, routes) = source.split_once("match request.uri().path() {").unwrap();
    let (routes, _) = routes.split_once("\n    }\n").unwrap();
    let arms = routes.lines().filter_map(|line| line.split_once(" => ").map(|(arm, _)| arm));
    arms.flat_map(|arm| arm.split('"').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// What is outside of `/v2` has a decision too: a route that is added wants a row here, and a test of what it refuses.
#[tokio::test]
async fn every_route_beside_the_registrys_api_is_open_on_purpose() {
    // Path, method, status for who shows nothing and for who shows something wrong.
    let decisions = [
        // Decided action by action, below.
        ("/v2", "GET", 401, 401),
        ("/v2/", "GET", 401, 401),
        // Anybody gets a token that opens what anybody may read; nobody gets one for a wrong password.
        ("/token", "GET", 200, 401),
        // Decided route by route, in `api.rs`.
        ("/api", "GET", 404, 404),
        ("/api/", "GET", 404, 404),
        // For machines that watch and proxies that ask: nothing of users or images stands in them.
        ("/healthz", "GET", 200, 200),
        ("/readyz", "GET", 200, 200),
        ("/metrics", "GET", 200, 200),
        // The search of docker: finds what the caller may read, which is nothing for a word that nobody has.
        ("/v1/_ping", "GET", 200, 200),
        ("/v1/search", "GET", 200, 401),
        ("/", "GET", 200, 200),
    ];
    let mut known: Vec<&str> = decisions.iter().map(|decision| decision.0).collect();
    let mut found = top_level_routes();
    known.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, known);
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/secret-name", "v1", "a").await;
        for (path, method, nothing, wrong) in decisions {
            let call = |client: &Client| client.call(method.parse().unwrap(), path);
            let answer = call(app).await.expect(nothing);
            call(&app.as_pair("alice", "not the password")).await.expect(wrong);
            let text = answer.text();
            assert!(!text.contains("alice") && !text.contains("secret-name"), "{path}: {text}");
        }
    })
    .await;
}

/// Every route, without credentials: none answers anything but the challenge.
#[tokio::test]
async fn every_route_has_a_decision() {
    on_each_engine_with_accounts(async |app| {
        let image = app.as_user("alice").push_image("alice/app", "v1", "a").await;
        let (digest, layer) = (image.manifest.digest(), sha256(&image.layer));
        let upload = "/v2/alice/app/blobs/uploads/00000000-0000-4000-8000-000000000000";
        let calls = [
            app.get("/v2/"),
            app.get("/v2/_catalog"),
            app.get("/v2/_oci/ext/discover"),
            app.get("/v2/alice/app/tags/list"),
            app.get("/v2/alice/app/manifests/v1"),
            app.head("/v2/alice/app/manifests/v1"),
            app.push_manifest("alice/app", "v2", &Image::new("a").manifest),
            app.delete("/v2/alice/app/manifests/v1"),
            app.delete(format!("/v2/alice/app/manifests/{digest}")),
            app.get(format!("/v2/alice/app/blobs/{layer}")),
            app.head(format!("/v2/alice/app/blobs/{layer}")),
            app.delete(format!("/v2/alice/app/blobs/{layer}")),
            app.post("/v2/alice/app/blobs/uploads/"),
            app.post(format!("/v2/alice/app/blobs/uploads/?mount={layer}&from=alice/app")),
            app.get(upload),
            app.patch(upload).body("x"),
            app.put(format!("{upload}?digest={layer}")).body("x"),
            app.delete(upload),
            app.get(format!("/v2/alice/app/referrers/{digest}")),
        ];
        for call in calls {
            let answer = call.await.expect(401);
            assert!(answer.header("www-authenticate").starts_with("Bearer "));
        }
        // An action that is added wants a call above.
        let page = app.app.metrics.encode();
        for action in
            ACTIONS.iter().filter(|action| !["health", "metrics", "token", "api", "pages", "other"].contains(*action))
        {
            let refused = format!("havre_requests_total{{action=\"{action}\",status=\"401\"}}");
            assert!(page.contains(&refused), "{action} was not called");
        }
        app.as_user("alice").get("/v2/alice/app/manifests/v1").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_password_a_token_and_a_jwt_open_the_registry() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        alice.push_image("alice/app", "v1", "a").await;
        alice.get("/v2/").await.expect(200);
        let jwt = alice.token_for("repository:alice/app:pull").await;
        let with = |token: &str| app.get("/v2/alice/app/manifests/v1").header(AUTHORIZATION, format!("Bearer {token}"));
        with(&jwt).await.expect(200);
        // It reaches no further than it was asked for.
        let push = app.post("/v2/alice/app/blobs/uploads/").header(AUTHORIZATION, format!("Bearer {jwt}"));
        let refused = push.await.refused(401, "UNAUTHORIZED");
        let challenge = refused.header("www-authenticate").to_owned();
        assert!(
            challenge.contains("scope=\"repository:alice/app:pull,push\",error=\"insufficient_scope\""),
            "{challenge}"
        );
        let forged = jwt[..jwt.len() - 4].to_owned() + "AAAA";
        let refused = with(&forged).await.refused(401, "UNAUTHORIZED");
        assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""));
    })
    .await;
}

#[tokio::test]
async fn anybody_pulls_what_is_public_with_or_without_an_anonymous_token() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "v1", "a").await;
        app.set_visibility("alice/app", "public").await;
        app.get("/v2/alice/app/manifests/v1").await.expect(200);
        let token = app.token_for("repository:alice/app:pull,push").await;
        let bearer = format!("Bearer {token}");
        app.get("/v2/").header(AUTHORIZATION, &bearer).await.expect(200);
        app.get("/v2/alice/app/manifests/v1").header(AUTHORIZATION, &bearer).await.expect(200);
        app.post("/v2/alice/app/blobs/uploads/").header(AUTHORIZATION, &bearer).await.refused(401, "UNAUTHORIZED");
        app.set_visibility("alice/app", "private").await;
        app.get("/v2/alice/app/manifests/v1").header(AUTHORIZATION, &bearer).await.refused(401, "UNAUTHORIZED");
    })
    .await;
}

#[tokio::test]
async fn wrong_credentials_read_the_same_whoever_they_name() {
    on_each_engine_with_accounts(async |app| {
        let wrong = |name| app.as_pair(name, "not the password").get("/token?service=havre");
        let known = wrong("alice").await.expect(401);
        let unknown = wrong("nobody").await.expect(401);
        assert_eq!(known.text(), unknown.text());
        assert!(known.text().contains("docker login"), "{}", known.text());
        assert!(!known.headers.contains_key("www-authenticate"));
        app.as_pair("alice", "not the password").get("/v2/").await.refused(401, "UNAUTHORIZED");
        for header in ["Basic !", "Basic", "Bearer", "Digest x"] {
            app.get("/v2/").header(AUTHORIZATION, header).await.refused(401, "UNAUTHORIZED");
            app.get("/token").header(AUTHORIZATION, header).await.expect(401);
        }
    })
    .await;
}

#[tokio::test]
async fn guessing_is_slowed_while_others_and_tokens_are_not() {
    on_each_engine_with_accounts(async |app| {
        let secret = app.personal_token("alice", "ci", &["read"]).await;
        let mut slowed = None;
        for n in 0..8 {
            let answer = app.as_pair("alice", format!("guess number {n}")).get("/token").await;
            if answer.status == 429 {
                slowed = Some(answer);
                break;
            }
            answer.expect(401);
        }
        let slowed = slowed.expect("guessing is slowed");
        assert!(slowed.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert!(slowed.text().contains("TOOMANYREQUESTS"), "{}", slowed.text());
        app.as_user("bob").get("/token").await.expect(200);
        app.as_pair("alice", secret).get("/token").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_refresh_token_stands_in_for_the_password_until_that_changes() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        alice.push_image("alice/app", "v1", "a").await;
        let kept = alice.get("/token?offline_token=true&service=havre").await.expect(200).string("refresh_token");
        let form = |token: &str| {
            let scope = "repository%3Aalice%2Fapp%3Apull";
            let form =
                format!("grant_type=refresh_token&service=havre&client_id=x&scope={scope}&refresh_token={token}");
            app.post("/token").body(form)
        };
        let answer = form(&kept).await.expect(200);
        assert_eq!((answer.string("refresh_token"), answer.string("token_type")), (kept.clone(), "Bearer".to_owned()));
        let bearer = format!("Bearer {}", answer.string("access_token"));
        let pull = || app.get("/v2/alice/app/manifests/v1").header(AUTHORIZATION, &bearer);
        pull().await.expect(200);
        // It is no password.
        app.as_pair("alice", &kept).get("/token").await.expect(401);
        app.set_password("alice", "another long password").await;
        pull().await.refused(401, "UNAUTHORIZED");
        assert!(form(&kept).await.expect(401).text().contains("invalid_grant"));
        let password = "grant_type=password&username=alice&password=another+long+password&access_type=offline";
        let answer = app.post("/token").body(password).await.expect(200);
        assert!(answer.string("refresh_token").starts_with("havre_ref_"));
        app.post("/token").body("grant_type=magic").await.expect(400);
        app.post("/token").body("x".repeat(20_000)).await.expect(400);
    })
    .await;
}
