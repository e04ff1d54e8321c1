//! Looking around: home, explore, search in all its forms, getting started, the API reference.

use havre::db::Val;
use serde_json::Value;

use crate::support::{Manifest, Pages, TestApp, on_each_engine, on_each_engine_with_accounts};

async fn settle(app: &TestApp) {
    assert!(!app.app.audit_once(false).await, "what was gathered is written");
}

/// Changes rows as a page or a command that is not tried here does.
async fn run(app: &TestApp, sql: &'static str, parameters: &[&str]) {
    let parameters: Vec<Val> = parameters.iter().map(|text| (*text).into()).collect();
    app.app.registry.db.write(move |tx| tx.execute(sql, &parameters)).await.unwrap();
}

async fn describe(app: &TestApp, name: &str, text: &str) {
    run(app, "UPDATE repositories SET description = $2 WHERE name = $1", &[name, text]).await;
}

/// The names that a page leads to, in its order, below a namespace.
fn names(text: &str, below: &str) -> Vec<String> {
    let main = text.split("<main").nth(1).unwrap_or(text).split("</main>").next().unwrap();
    let mut found: Vec<String> = Vec::new();
    for rest in main.split("href=\"/").skip(1) {
        let name = rest.split('"').next().unwrap();
        if name.starts_with(below) && !found.iter().any(|found| found == name) {
            found.push(name.to_owned());
        }
    }
    found
}

fn main(text: &str) -> &str {
    text.split("<main").nth(1).unwrap().split("</main>").next().unwrap()
}

/// Image pushed with labels in its configuration.
async fn push_labelled(app: &TestApp, user: &str, repository: &str, label: &str) {
    let client = app.as_user(user);
    let config = format!("{{\"config\":{{\"Labels\":{{\"org.example.purpose\":\"{label}\"}}}}}}");
    client.push_blob(repository, config.clone()).await;
    client.push_blob(repository, "layer").await;
    let manifest =
        Manifest::image(config.as_bytes(), &[b"layer"]).annotation("org.opencontainers.image.vendor", "Quay Works");
    client.push_manifest(repository, "1.0.0", &manifest).await.expect(201);
}

#[tokio::test]
async fn a_stranger_never_finds_a_private_name() {
    on_each_engine_with_accounts(async |app| {
        push_labelled(app, "alice", "alice/secret-harbour", "lighthouse").await;
        app.as_user("alice").push_image("alice/open-harbour", "1", "b").await;
        app.set_visibility("alice/open-harbour", "public").await;
        describe(app, "alice/secret-harbour", "The undisclosed breakwater").await;
        app.as_user("alice").get("/v2/alice/secret-harbour/manifests/1.0.0").await.expect(200);
        settle(app).await;
        let (mut nobody, mut bob, mut alice) =
            (Pages::new(app), Pages::sign_in(app, "bob").await, Pages::sign_in(app, "alice").await);
        let words = [
            "secret",
            "secret-harbour",
            "alice secr",
            "secert",
            "arbou",
            "harbuor",
            "undisclosed",
            "lighthouse",
            "quay",
        ];
        for word in words {
            for place in ["/-/search?q=", "/-/search/instant?q=", "/-/search?in=alice&q=", "/-/search?since=week&q="] {
                let path = format!("{place}{}", oci::encode_component(word));
                for stranger in [&mut nobody, &mut bob] {
                    let page = stranger.get(&path).await.expect(200);
                    assert!(!page.text().contains("alice/secret"), "{path}");
                    assert!(!page.text().contains("breakwater"), "{path}");
                }
                assert!(alice.get(&path).await.expect(200).text().contains("alice/secret"), "{path}");
            }
            let path = format!("/v1/search?n=100&q={}", oci::encode_component(word));
            for stranger in [app.get(&path).await, app.as_user("bob").get(&path).await] {
                assert!(!stranger.expect(200).text().contains("alice/secret"), "{path}");
            }
            assert!(app.as_user("alice").get(&path).await.expect(200).text().contains("\"alice/secret-harbour\""));
            let path = format!("/api/v1/search?q={}", oci::encode_component(word));
            for (user, sees) in [("bob", false), ("alice", true)] {
                let token = app.personal_token(user, &format!("for {word}"), &["read"]).await;
                let answer = app.as_bearer(&token).get(&path).await.expect(200);
                assert_eq!(answer.text().contains("alice/secret-harbour"), sees, "{path} {user}");
            }
        }
        // Nor do numbers tell: what is hidden is in no count and no facet.
        let page = nobody.get("/-/search?q=secret").await.expect(200);
        assert!(page.text().contains("Nothing found") && !page.text().contains("in=alice"));
        let page = nobody.get("/-/search?q=harbour").await.expect(200);
        assert!(page.text().contains("One repository"), "{}", main(&page.text()));
        for path in ["/", "/-/explore", "/-/explore?by=recent", "/-/explore?by=name"] {
            for stranger in [&mut nobody, &mut bob] {
                assert!(!stranger.get(path).await.expect(200).text().contains("secret"), "{path}");
            }
            assert!(alice.get(path).await.expect(200).text().contains("alice/secret-harbour"), "{path}");
        }
        // A role shows it, and taking the role away hides it; so does visibility.
        app.grant("guest", "bob", "alice/secret-harbour").await;
        assert!(bob.get("/-/search?q=lighthouse").await.text().contains("alice/secret-harbour"));
        assert!(bob.get("/-/explore").await.text().contains("alice/secret-harbour"));
        app.revoke("guest", "bob", "alice/secret-harbour").await;
        assert!(!bob.get("/-/search?q=lighthouse").await.text().contains("alice/secret-harbour"));
        app.set_visibility("alice/secret-harbour", "internal").await;
        assert!(bob.get("/-/search?q=lighthouse").await.text().contains("alice/secret-harbour"));
        assert!(!nobody.get("/-/search?q=lighthouse").await.text().contains("alice/secret-harbour"));
        app.set_visibility("alice/secret-harbour", "public").await;
        assert!(nobody.get("/-/search?q=lighthouse").await.text().contains("alice/secret-harbour"));
        app.set_visibility("alice/secret-harbour", "private").await;
        assert!(!nobody.get("/-/search?q=lighthouse").await.text().contains("alice/secret-harbour"));
    })
    .await;
}

#[tokio::test]
async fn search_finds_by_the_beginning_by_parts_and_in_spite_of_a_wrong_letter() {
    on_each_engine(async |app| {
        for (at, name) in
            ["acme/nginx", "acme/nginx-proxy", "acme/shop/api", "tools/kubernetes", "tools/myproxy"].iter().enumerate()
        {
            app.push_image(name, "1", &at.to_string()).await;
        }
        describe(app, "acme/shop/api", "Déploiement de la <b>boutique</b> \u{202e}& more").await;
        app.get("/v2/acme/nginx-proxy/manifests/1").await.expect(200);
        settle(app).await;
        let mut pages = Pages::new(app);
        for (query, expected) in [
            ("nginx", &["acme/nginx", "acme/nginx-proxy"][..]),
            ("NGINX prox", &["acme/nginx-proxy"]),
            ("shop/api", &["acme/shop/api"]),
            ("kub", &["tools/kubernetes"]),
            ("boutique", &["acme/shop/api"]),
            ("deploiement", &["acme/shop/api"]),
            ("déploi", &["acme/shop/api"]),
            // Nothing begins so: what has it within, and what is written nearly so.
            ("yprox", &["tools/myproxy"]),
            ("ngnix", &["acme/nginx-proxy", "acme/nginx"]),
            ("kubernetse", &["tools/kubernetes"]),
            ("jubernetes", &["tools/kubernetes"]),
            ("zzzz", &[]),
        ] {
            let path = format!("/-/search?q={}", oci::encode_component(query));
            let page = pages.get(&path).await.expect(200);
            let found: Vec<String> = names(&page.text(), "")
                .into_iter()
                .filter(|name| name.contains('/') && !name.starts_with('-'))
                .collect();
            assert_eq!(found, expected, "{query}");
            let fragment =
                pages.get(&format!("/-/search/instant?q={}", oci::encode_component(query))).await.expect(200);
            assert_eq!(names(&fragment.text(), ""), expected, "{query}");
            assert!(!fragment.text().contains("<html"));
        }
        let page = pages.get("/-/search?q=boutique").await.text();
        assert!(page.contains("&lt;b&gt;boutique") || page.contains("&#60;b&#62;boutique"), "{}", main(&page));
        assert!(!page.contains("<b>boutique"));
        // Facets narrow, and say how much they leave.
        let page = pages.get("/-/search?q=proxy").await.text();
        assert!(page.contains("in=acme"), "{}", main(&page));
        let page = pages.get("/-/search?q=api&in=tools").await.text();
        assert!(page.contains("Nothing found") && page.contains("href=\"/-/search?q=api\""));
        run(app, "UPDATE repositories SET pushed_at = 1 WHERE name = $1", &["acme/nginx"]).await;
        let page = pages.get("/-/search?q=nginx&since=month").await.text();
        assert_eq!(names(&page, "acme/"), ["acme/nginx-proxy"]);
        // Whatever is typed means nothing to the database.
        for hostile in [
            "\"",
            "'",
            "a' OR 'b",
            "name : *",
            "* & | ! :*",
            "NEAR(a b)",
            "\\",
            "%_",
            "<script>alert(1)</script>",
            "\u{0}",
            "a\u{300}",
            &"x".repeat(5000),
        ] {
            let path = format!("/-/search?q={}", oci::encode_component(hostile));
            let page = pages.get(&path).await.expect(200);
            assert!(!page.text().contains("<script>alert"));
            pages.get(&path.replace("search?", "search/instant?")).await.expect(200);
            let status = if hostile == "\u{0}" { 400 } else { 200 };
            app.get(path.replace("/-/", "/v1/")).await.expect(status);
        }
        // A new name, and none any more.
        run(app, "UPDATE repositories SET name = $2 WHERE name = $1", &["acme/nginx", "acme/webserver"]).await;
        assert_eq!(names(&pages.get("/-/search?q=webs").await.text(), "acme/"), ["acme/webserver"]);
        assert_eq!(names(&pages.get("/-/search?q=nginx").await.text(), "acme/"), ["acme/nginx-proxy"]);
    })
    .await;
}

#[tokio::test]
async fn docker_search_answers_as_docker_wants_it() {
    on_each_engine_with_accounts(async |app| {
        for name in ["alice/app", "alice/apple", "alice/hidden-app"] {
            app.as_user("alice").push_image(name, "1", name).await;
        }
        for name in ["alice/app", "alice/apple"] {
            app.set_visibility(name, "public").await;
        }
        describe(app, "alice/app", "An application").await;
        run(app, "UPDATE namespaces SET official = TRUE WHERE name = $1", &["alice"]).await;
        let ping = app.get("/v1/_ping").await.expect(200);
        assert_eq!(ping.header("x-docker-registry-standalone"), "true");
        let answer = app.get("/v1/search?q=app&n=25").await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
        let found: Value = serde_json::from_str(&answer.text()).unwrap();
        let first = &found["results"][0];
        assert_eq!((&found["num_results"], &found["query"]), (&2.into(), &"app".into()));
        assert_eq!(
            (
                &first["name"],
                &first["description"],
                &first["star_count"],
                &first["is_official"],
                &first["is_automated"]
            ),
            (&"alice/app".into(), &"An application".into(), &0.into(), &true.into(), &false.into())
        );
        let one: Value = serde_json::from_str(&app.get("/v1/search?q=app&n=1").await.expect(200).text()).unwrap();
        assert_eq!(one["results"].as_array().unwrap().len(), 1);
        let own: Value =
            serde_json::from_str(&app.as_user("alice").get("/v1/search?q=app").await.expect(200).text()).unwrap();
        assert_eq!(own["num_results"], 3);
        app.as_pair("alice", "wrong").get("/v1/search?q=app").await.expect(401);
        app.post("/v1/search?q=app").await.expect(405);
        assert_eq!(app.get("/v1/images").await.expect(404).header("content-type"), "text/plain; charset=utf-8");
    })
    .await;
}

#[tokio::test]
async fn lists_are_true_and_whole_page_by_page() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "1", "a").await;
        for _ in 0..3 {
            app.as_user("alice").get("/v2/alice/app/manifests/1").await.expect(200);
        }
        settle(app).await;
        let read = |sql: &'static str| app.read(move |tx| tx.one(sql, &[])?.int(0));
        assert_eq!(read("SELECT pulls FROM repositories WHERE name = 'alice/app'").await, 3);
        let pushed = read("SELECT pushed_at FROM repositories WHERE name = 'alice/app'").await;
        assert!(pushed > 0);
        // Of many with equal numbers, each stands on one page.
        let many = "INSERT INTO repositories (public_id, namespace_id, name, visibility, created_at, pulls, pushed_at) \
                    SELECT CAST($1 AS TEXT) || k.day, n.id, 'alice/many-' || k.day, \
                    CASE k.day % 3 WHEN 0 THEN 'public' WHEN 1 THEN 'internal' ELSE 'private' END, 0, 1 + k.day % 5, 1 + k.day % 4 \
                    FROM namespaces n JOIN repository_pulls k ON k.repository_id = $2 WHERE n.name = 'alice'";
        let id = app.repository_id("alice/app").await;
        app.app
            .registry
            .db
            .write(move |tx| {
                for day in 100..200_i64 {
                    havre::db::pulls::add_day(tx, id, day, havre::db::pulls::Count::default())?;
                }
                tx.execute("DELETE FROM repository_pulls WHERE repository_id = $1 AND day NOT BETWEEN 100 AND 199", &[id.into()])?;
                tx.execute(many, &["x".into(), id.into()])
            })
            .await
            .unwrap();
        let (mut nobody, mut bob, mut alice) =
            (Pages::new(app), Pages::sign_in(app, "bob").await, Pages::sign_in(app, "alice").await);
        for (reader, expected) in [(&mut nobody, 33), (&mut bob, 67), (&mut alice, 101)] {
            for by in ["popular", "recent", "name"] {
                let mut seen = Vec::new();
                let mut next = Some(format!("/-/explore?by={by}"));
                while let Some(path) = next {
                    let text = reader.get(&path).await.expect(200).text();
                    seen.extend(names(&text, "alice/"));
                    next = text.split("href=\"").skip(1).find(|rest| rest.split('>').next().unwrap().contains("rel=\"next\"")).map(|rest| {
                        rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&")
                    });
                    assert!(seen.len() <= expected, "{by}");
                }
                assert_eq!(seen.len(), expected, "{by}");
                let mut once = seen.clone();
                once.sort();
                once.dedup();
                assert_eq!(once.len(), expected, "{by}: each once");
                if by == "name" {
                    assert_eq!(once, seen);
                }
            }
        }
        for path in ["/-/explore?after=x", "/-/explore?after=1.x", "/-/explore?by=name&after=%00", "/-/explore?by=x", "/-/search?q=many&page=9999999999999999999"] {
            nobody.get(path).await.expect(200);
        }
        assert!(nobody.get("/-/search?q=many").await.text().contains("33 repositories"));
        assert_eq!(names(&nobody.get("/-/search?q=many&page=2").await.text(), "alice/").len(), 13);
    })
    .await;
}

#[tokio::test]
async fn an_empty_registry_says_what_to_type_first() {
    on_each_engine_with_accounts(async |app| {
        let host = app.address().to_string();
        let mut pages = Pages::new(app);
        let page = pages.get("/").await.expect(200).text();
        for command in ["docker login ", "podman build -t ", "docker push ", "docker pull "] {
            assert!(page.contains(command), "{command}");
        }
        assert!(page.contains(&format!("{host}/your-name/my-app:1.0.0")), "{}", main(&page));
        let mut alice = Pages::sign_in(app, "alice").await;
        let page = alice.get("/").await.expect(200).text();
        assert!(page.contains(&format!("docker push {host}/alice/my-app:1.0.0")) && page.contains("Your namespaces"));
        let page = alice.get("/-/getting-started").await.expect(200).text();
        for command in [
            format!("docker tag {host}/alice/my-app:1.0.0 {host}/alice/my-app:latest"),
            format!("podman push --tls-verify=false {host}/alice/my-app:1.1.0"),
            format!("docker login {host}"),
        ] {
            assert!(page.contains(&command), "{command}");
        }
        // The machine itself is no far registry.
        assert!(!page.contains("daemon.json, then"), "{}", main(&page));
        pages.language = "fr";
        let page = pages.get("/-/getting-started").await.expect(200).text();
        assert!(page.contains("votre-nom/my-app") && page.contains("Revenir à l’ancienne version"));
        assert!(pages.get("/").await.expect(200).text().contains("Rien ici pour l’instant"));
        assert!(pages.get("/-/search?q=x").await.expect(200).text().contains("Rien trouvé"));
        app.as_user("alice").push_image("alice/app", "1", "a").await;
        settle(app).await;
        assert_eq!(names(&alice.get("/").await.text(), "alice/"), ["alice/app"]);
        assert!(pages.get("/").await.text().contains("docker login"), "nothing that a stranger sees");
    })
    .await;
}

#[tokio::test]
async fn a_server_without_accounts_asks_for_no_login() {
    on_each_engine(async |app| {
        let mut pages = Pages::new(app);
        for path in ["/", "/-/getting-started"] {
            let page = pages.get(path).await.expect(200).text();
            assert!(page.contains("docker push") && !page.contains("docker login"), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_api_is_told_from_its_own_document() {
    on_each_engine(async |app| {
        let mut pages = Pages::new(app);
        let document: Value = serde_json::from_str(&app.get("/api/v1/openapi.json").await.expect(200).text()).unwrap();
        let all = pages.get("/-/api").await.expect(200).text();
        for (path, methods) in document["paths"].as_object().unwrap() {
            assert!(all.contains(&format!("<code>{path}</code>")), "{path}");
            for operation in methods.as_object().unwrap().values() {
                let group = operation["tags"][0].as_str().unwrap();
                let page = pages.get(&format!("/-/api/{}", oci::encode_component(group))).await.expect(200).text();
                let id = operation["operationId"].as_str().unwrap();
                assert!(page.contains(&format!("id=\"{id}\"")) && page.len() < 100 * 1024, "{id}");
            }
        }
        assert!(all.len() < 100 * 1024, "{}", all.len());
        pages.get("/-/api/nothing").await.expect(404);
    })
    .await;
}
