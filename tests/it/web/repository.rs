//! The first page of a repository: what it shows to whom, and what can be changed on it.

use serde_json::json;

use crate::support::{Client, Image, Manifest, Pages, TestApp, on_each_engine, on_each_engine_with_accounts};

/// An image with annotations, under a tag.
async fn push_annotated(client: &Client, repository: &str, tag: &str, pairs: &[(&str, &str)]) -> Manifest {
    let image = Image::new(tag);
    client.push_blobs_of(repository, &image).await;
    let annotate = |manifest: Manifest, (name, value): &(&str, &str)| {
        manifest.annotation(&format!("org.opencontainers.image.{name}"), value)
    };
    let manifest = pairs.iter().fold(image.manifest, annotate);
    client.push_manifest(repository, tag, &manifest).await.expect(201);
    manifest
}

async fn api(app: &TestApp, user: &str) -> Client {
    app.as_bearer(&app.personal_token(user, "all", &["read", "write", "delete", "admin"]).await)
}

#[tokio::test]
async fn the_page_tells_how_to_pull_the_newest_release_and_what_it_says_of_itself() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        alice.push_image("alice/app", "latest", "edge").await;
        let notes = [
            ("source", "https://git.example.org/app"),
            ("documentation", "javascript:alert(1)"),
            ("url", "https://user:secret@example.org/"),
            ("licenses", "Apache-2.0"),
            ("description", "# App\n\nServes *things*.\n\n![](https://evil.example/p.png)<script>x()</script>"),
        ];
        let manifest = push_annotated(&alice, "alice/app", "1.4.2", &notes).await;
        alice.push_manifest("alice/app", "1.4", &manifest).await.expect(201);
        alice.push_image("alice/app", "1.5.0-rc.1", "rc").await;
        app.set_visibility("alice/app", "public").await;
        app.write("UPDATE repositories SET pulls = 12480").await;
        let mut pages = Pages::new(app);
        let text = pages.get("/alice/app").await.expect(200).text();
        let host = app.address();
        for part in [
            &format!("docker pull {host}/alice/app:1.4.2"),
            &format!("docker pull {host}/alice/app@{}", manifest.digest()),
            "href=\"https://git.example.org/app\" rel=\"noopener noreferrer nofollow\"",
            "<bdi>Apache-2.0</bdi>",
            "<h2>App</h2>",
            "<em>things</em>",
            "Taken from the image",
            "linux/amd64",
            "12,480 pulls",
            "1 layer",
            "<option value=\"1.5.0-rc.1\">",
            "href=\"/alice/app/-/tags\"",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        for part in
            ["javascript:", "secret@", "<img", "<script>", "/-/settings\"", "/-/activity\"", "/-/edit", "unstar"]
        {
            assert!(!text.contains(part), "{part} in {text}");
        }
        // Ninety days for who sees the bars, and as many rows for who does not.
        assert_eq!(text.matches("<th scope=\"row\">").count(), 90);
        let chosen = pages.get("/alice/app?tag=latest").await.expect(200).text();
        assert!(chosen.contains(&format!("docker pull {host}/alice/app:latest")));
        assert!(pages.get("/alice/app?tag=%3Cb%3E").await.expect(200).text().contains("alice/app:1.4.2"));
        pages.language = "fr";
        let french = pages.get("/alice/app").await.expect(200).text();
        assert!(french.contains("Dernière version stable") && french.contains("12\u{202f}480 téléchargements"));
    })
    .await;
}

#[tokio::test]
async fn a_repository_is_described_in_its_place_by_who_may_and_by_nobody_else() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "1", "a").await;
        app.grant("guest", "bob", "alice/app").await;
        let mut alice = Pages::sign_in(app, "alice").await;
        let page = alice.get("/alice/app").await.expect(200).text();
        assert!(page.contains("Write a README") && page.contains("/alice/app/-/settings"));
        alice.get("/alice/app/-/edit").await.expect(200);
        let readme = "# Hello\r\n\r\n<b>bold</b> [link](javascript:x) | \u{202e}turned";
        let fields = [("description", " <i>An app</i> "), ("readme", readme)];
        let saved = alice.submit("/alice/app/-/edit", &fields).await.expect(303);
        let page = alice.get(saved.header("location")).await.expect(200).text();
        assert!(page.contains("The description was saved."));
        assert!(page.contains("&#60;i&#62;An app&#60;/i&#62;") || page.contains("&lt;i&gt;An app&lt;/i&gt;"), "{page}");
        assert!(page.contains("<h2>Hello</h2>") && !page.contains("<b>") && !page.contains("javascript:"));
        let again = alice.get("/alice/app/-/edit").await.expect(200).text();
        assert!(again.contains("# Hello\n\n"), "line ends are those of texts");
        let preview = alice.submit("/alice/app/-/preview", &[("text", "## Two\n<script>x</script>")]).await.expect(200);
        assert_eq!(preview.text().trim(), "<h3>Two</h3>");
        // Too long: what was written is still there.
        let long = "x".repeat(257);
        let refused =
            alice.submit("/alice/app/-/edit", &[("description", &long), ("readme", "kept")]).await.expect(422);
        assert!(refused.text().contains(&long) && refused.text().contains("kept</textarea>"));
        let long = "x".repeat(256 * 1024 + 1);
        alice.submit("/alice/app/-/edit", &[("description", "x"), ("readme", &long)]).await.expect(422);
        assert_eq!(app.events("alice/app").await.iter().filter(|kind| *kind == "repository.describe").count(), 1);
        // The management API tells and takes the same.
        let client = api(app, "alice").await;
        let change = |body: serde_json::Value| {
            let call = client.patch("/api/v1/repositories/alice/app").header("content-type", "application/json");
            call.body(body.to_string())
        };
        let found = client.get("/api/v1/repositories/alice/app").await.expect(200).json();
        assert_eq!(found["description"], "<i>An app</i>");
        assert!(found["readme"].as_str().unwrap().starts_with("# Hello\n\n"));
        let changed = change(json!({ "description": null, "readme": "é".repeat(100_000) })).await.expect(200).json();
        assert!(changed["description"].is_null() && changed["visibility"] == "private");
        assert_eq!(changed["readme"].as_str().unwrap().chars().count(), 100_000);
        change(json!({ "readme": long })).await.expect(422);
        let listed = client.get("/api/v1/repositories").await.expect(200).json();
        assert!(listed["items"][0].get("readme").is_none() && listed["items"][0].get("description").is_some());
        // Who may look only, and who may not even that.
        let mut bob = Pages::sign_in(app, "bob").await;
        let seen = bob.get("/alice/app").await.expect(200).text();
        assert!(!seen.contains("/-/edit") && !seen.contains("/-/settings"));
        bob.get("/alice/app/-/edit").await.expect(403);
        bob.submit("/alice/app/-/edit", &fields).await.expect(403);
        bob.submit("/alice/app/-/preview", &[("text", "x")]).await.expect(403);
        let mut nobody = Pages::new(app);
        nobody.get("/alice/app").await.expect(404);
        nobody.submit("/alice/app/-/edit", &fields).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_star_counts_once_and_is_taken_back() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "1", "a").await;
        app.set_visibility("alice/app", "public").await;
        let mut bob = Pages::sign_in(app, "bob").await;
        let count = async |bob: &mut Pages| {
            let page = bob.get("/alice/app").await.expect(200).text();
            let form = page.split("star\">").nth(1).unwrap().split("</form>").next().unwrap().to_owned();
            let count = form.split("class=\"count\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
            (count, page.contains("/alice/app/-/unstar"))
        };
        assert_eq!(count(&mut bob).await, ("0".to_owned(), false));
        for _ in 0..2 {
            bob.submit("/alice/app/-/star", &[]).await.expect(303);
        }
        assert_eq!(count(&mut bob).await, ("1".to_owned(), true));
        assert!(Pages::new(app).get("/alice/app").await.expect(200).text().contains("1 star"));
        Pages::new(app).submit("/alice/app/-/star", &[]).await.expect(401);
        for _ in 0..2 {
            bob.submit("/alice/app/-/unstar", &[]).await.expect(303);
        }
        assert_eq!(count(&mut bob).await, ("0".to_owned(), false));
        bob.submit("/alice/hidden/-/star", &[]).await.expect(404);
        bob.submit("/alice/app/-/star", &[]).await.expect(303);
        let admin = api(app, "admin").await;
        admin.delete("/api/v1/users/bob").await.expect(204);
        // Who is erased leaves no star.
        assert!(Pages::new(app).get("/alice/app").await.expect(200).text().contains("0 stars"));
        let kinds = app.events("alice/app").await;
        assert_eq!(kinds.iter().filter(|kind| kind.ends_with("star")).count(), 3, "{kinds:?}");
    })
    .await;
}

#[tokio::test]
async fn who_pushed_last_is_told_to_who_may_know() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "1", "a").await;
        app.set_visibility("alice/app", "public").await;
        app.write("UPDATE repositories SET pushed_at = (SELECT MAX(m.created_at) FROM manifests m)").await;
        let told =
            |text: String| text.split("Last push").nth(1).unwrap().split("</div>").next().unwrap().contains("alice");
        let mut alice = Pages::sign_in(app, "alice").await;
        assert!(told(alice.get("/alice/app").await.expect(200).text()));
        assert!(!told(Pages::new(app).get("/alice/app").await.expect(200).text()));
    })
    .await;
}

#[tokio::test]
async fn an_alias_and_an_empty_repository_have_pages_too() {
    on_each_engine(async |app| {
        app.push_image("mon-app", "1", "a").await;
        let mut pages = Pages::new(app);
        let host = app.address();
        for path in ["/mon-app", "/library/mon-app"] {
            let text = pages.get(path).await.expect(200).text();
            assert!(text.contains(&format!("docker pull {host}/library/mon-app:1")), "{path}");
        }
        pages.get("/mon-app/-/tags").await.expect(200);
        app.push_blob("acme/new", "nothing yet").await;
        for path in ["/acme/new", "/acme/new/-/tags"] {
            let text = pages.get(path).await.expect(200).text();
            assert!(text.contains(&format!("docker push {host}/acme/new:1.0.0")), "{path}");
        }
        pages.get("/acme/nowhere").await.expect(404);
        // Without accounts, anybody describes.
        let long = "word ".repeat(20_000);
        pages.submit("/acme/new/-/edit", &[("description", "Anybody's"), ("readme", &long)]).await.expect(303);
        assert!(pages.get("/acme/new").await.expect(200).text().contains("word word"));
    })
    .await;
}
