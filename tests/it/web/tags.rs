//! The tags of a repository: their order, what can be looked for, and what can be done to them.

use serde_json::json;

use crate::support::{Client, Image, Manifest, Pages, on_each_engine, on_each_engine_with_accounts};

/// What stands in the body of the table, row by row, the tags of each.
fn rows(text: &str) -> Vec<String> {
    let body = text.split("<tbody>").nth(1).unwrap_or_default().split("</tbody>").next().unwrap_or_default();
    let row = |row: &str| {
        let tags = row.split("class=\"chip tag").skip(1);
        let names = tags.map(|chip| chip.split("<bdi>").nth(1).unwrap().split('<').next().unwrap());
        names.collect::<Vec<_>>().join(" ")
    };
    body.split("<tr>").skip(1).map(row).collect()
}

async fn push(client: &Client, repository: &str, tags: &[&str]) -> Image {
    let image = Image::new(tags[0]);
    client.push_blobs_of(repository, &image).await;
    for tag in tags {
        client.push_manifest(repository, tag, &image.manifest).await.expect(201);
    }
    image
}

/// An image for another platform.
async fn push_for(client: &Client, repository: &str, architecture: &str) -> Manifest {
    let config = json!({ "os": "linux", "architecture": architecture }).to_string();
    let layer = format!("for {architecture}");
    client.push_blob(repository, config.clone()).await;
    client.push_blob(repository, layer.clone()).await;
    let manifest = Manifest::image(config.as_bytes(), &[layer.as_bytes()]);
    client.push_manifest(repository, manifest.digest(), &manifest).await.expect(201);
    manifest
}

#[tokio::test]
async fn tags_come_as_versions_and_those_of_one_image_together() {
    on_each_engine(async |app| {
        push(app, "acme/app", &["1.4.1"]).await;
        push(app, "acme/app", &["1.4.2", "1.4", "1", "latest"]).await;
        push(app, "acme/app", &["1.4.2-alpine", "1.4-alpine"]).await;
        push(app, "acme/app", &["1.5.0-rc.1"]).await;
        push(app, "acme/app", &["3f9c2ab"]).await;
        let (one, other) = (push_for(app, "acme/app", "amd64").await, push_for(app, "acme/app", "arm64").await);
        app.push_manifest("acme/app", "multi", &Manifest::index(&[&one, &other])).await.expect(201);
        let mut pages = Pages::new(app);
        let text = pages.get("/acme/app/-/tags").await.expect(200).text();
        let expected = ["1.4.2 1.4 1 latest", "1.5.0-rc.1", "1.4.2-alpine 1.4-alpine", "1.4.1", "multi", "3f9c2ab"];
        assert_eq!(rows(&text), expected);
        assert_eq!(text.matches("Pre-release<").count(), 1, "one badge");
        assert!(text.contains(&format!("/acme/app/-/images/{}", Image::new("1.4.2").digest())));
        assert!(text.contains("class=\"count\">10<"), "the number of tags stands on the tab");
        let shown = async |pages: &mut Pages, query: &str| {
            rows(&pages.get(&format!("/acme/app/-/tags?{query}")).await.expect(200).text())
        };
        assert_eq!(shown(&mut pages, "q=ALPINE").await, ["1.4.2-alpine 1.4-alpine"]);
        assert_eq!(shown(&mut pages, "kind=pre").await, ["1.5.0-rc.1"]);
        assert_eq!(shown(&mut pages, "kind=stable").await.len(), 3);
        assert_eq!(shown(&mut pages, "kind=commit").await, ["3f9c2ab"]);
        assert_eq!(shown(&mut pages, "platform=linux%2Farm64").await, ["multi"]);
        assert_eq!(shown(&mut pages, "platform=linux%2Famd64").await.len(), 6);
        let none = pages.get("/acme/app/-/tags?q=%3Cscript%3E&platform=%22%3E").await.expect(200).text();
        assert!(none.contains("No such tag") && !none.contains("<script>") && !none.contains("value=\"\">\""));
        pages.language = "fr";
        assert!(pages.get("/acme/app/-/tags").await.expect(200).text().contains("Dernière récupération"));
    })
    .await;
}

#[tokio::test]
async fn many_tags_come_in_pages_and_very_many_the_newest_first() {
    on_each_engine(async |app| {
        push(app, "acme/app", &["1.0.0"]).await;
        // One image for each of many tags: the rows of manifests are copies but for their digests.
        let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2100) \
                    INSERT INTO tags (repository_id, name, manifest_id, created_at, updated_at) \
                    SELECT r.id, '1.1.' || n.i, m.id, 0, n.i FROM repositories r \
                    JOIN manifests m ON m.repository_id = r.id, n WHERE n.i <= 150";
        app.write(many).await;
        let mut pages = Pages::new(app);
        let text = pages.get("/acme/app/-/tags").await.expect(200).text();
        // All of one image: one row, which does not show them all.
        assert_eq!(rows(&text).len(), 1);
        assert!(text.contains("and 139 more"), "{text}");
        let rest = "WITH RECURSIVE n (i) AS (SELECT 151 UNION ALL SELECT i + 1 FROM n WHERE i < 2100) \
                    INSERT INTO tags (repository_id, name, manifest_id, created_at, updated_at) \
                    SELECT r.id, '1.1.' || n.i, m.id, 0, n.i FROM repositories r \
                    JOIN manifests m ON m.repository_id = r.id, n";
        app.write(rest).await;
        let text = pages.get("/acme/app/-/tags").await.expect(200).text();
        assert!(text.contains("more than 2,000 tags") && text.contains("class=\"count\">2,000+<"), "{text}");
        let next = text.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap();
        let next = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
        assert!(text.contains("1.1.2100"), "the newest is on the first page");
        let second = pages.get(&next).await.expect(200).text();
        assert!(second.contains("/tags/1.1.2001\"") && !second.contains("/tags/1.1.2002\""), "{second}");
        let begun = pages.get("/acme/app/-/tags?q=1.1.99").await.expect(200).text();
        assert!(begun.contains("these begin with") && begun.contains("/tags/1.1.999\""), "{begun}");
        pages.get("/acme/app").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn tags_are_deleted_after_a_look_at_what_goes() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let first = push(&alice, "alice/app", &["1.0.0", "1.0", "delete"]).await;
        let second = push(&alice, "alice/app", &["2.0.0"]).await;
        app.grant("guest", "bob", "alice/app").await;
        let mut pages = Pages::sign_in(app, "alice").await;
        assert!(
            pages.get("/alice/app/-/tags").await.expect(200).text().contains("formaction=\"/alice/app/-/tags/delete\"")
        );
        let asked = "/alice/app/-/tags/delete?tag=1.0.0&tag=2.0.0&tag=none&tag=1.0.0";
        let text = pages.get(asked).await.expect(200).text();
        for (tag, image, picked) in [("1.0.0", &first, true), ("1.0", &first, false), ("2.0.0", &second, true)] {
            let value = format!("value=\"{tag}@{}\" autocomplete=\"off\"", image.digest());
            assert!(text.contains(&format!("{value}{}", if picked { " checked" } else { "><label" })), "{tag}: {text}");
        }
        assert!(text.contains("One image keeps no tag") && text.contains("2 tags that are ticked"), "{text}");
        // A tag may be called so, too.
        assert!(pages.get("/alice/app/-/tags/delete").await.expect(200).text().contains("<bdi>delete</bdi></h1>"));
        pages.get("/alice/app/-/tags/delete?tag=none").await.expect(404);
        // What was moved since it was looked at is left alone.
        let one = format!("1.0.0@{}", first.digest());
        let moved = format!("2.0.0@{}", first.digest());
        let answer = pages.submit("/alice/app/-/tags/delete", &[("tag", &one), ("tag", &moved)]).await.expect(303);
        assert_eq!(answer.header("location"), "/alice/app/-/tags?done=tags-partly-deleted");
        let text = pages.get(answer.header("location")).await.expect(200).text();
        assert!(text.contains("Some tags were deleted") && rows(&text) == ["2.0.0", "1.0 delete"], "{text}");
        let two = format!("2.0.0@{}", second.digest());
        pages.submit("/alice/app/-/tags/delete", &[("tag", &two)]).await.expect(303);
        alice.get(format!("/v2/alice/app/manifests/{}", second.digest())).await.expect(200);
        let kinds = app.events("alice/app").await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "tag.delete").count(), 2);
        let mut bob = Pages::sign_in(app, "bob").await;
        assert!(!bob.get("/alice/app/-/tags").await.expect(200).text().contains("formaction"));
        bob.get("/alice/app/-/tags/delete?tag=1.0").await.expect(403);
        let left = format!("1.0@{}", first.digest());
        bob.submit("/alice/app/-/tags/delete", &[("tag", &left)]).await.expect(403);
        Pages::new(app).get("/alice/app/-/tags/delete?tag=1.0").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_tag_tells_where_it_pointed_and_is_put_back() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let first = push(&alice, "alice/app", &["prod"]).await;
        let second = Image::new("second");
        alice.push_blobs_of("alice/app", &second).await;
        alice.push_manifest("alice/app", "prod", &second.manifest).await.expect(201);
        app.set_visibility("alice/app", "public").await;
        let mut pages = Pages::sign_in(app, "alice").await;
        let text = pages.get("/alice/app/-/tags/prod").await.expect(200).text();
        assert!(text.contains("Moved") && text.contains("Made") && text.contains("<bdi>alice</bdi></span>"));
        assert_eq!(text.matches("Put it back</button>").count(), 1);
        assert!(text.contains(&format!("/alice/app/-/images/{}", second.digest())));
        let back = [("digest", first.digest().to_string())];
        let back: Vec<(&str, &str)> = back.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = pages.submit("/alice/app/-/tags/prod", &back).await.expect(303);
        assert!(pages.get(answer.header("location")).await.expect(200).text().contains("points to that image again"));
        let now = alice.get("/v2/alice/app/manifests/prod").await.expect(200);
        assert_eq!(now.header("docker-content-digest"), first.digest().to_string());
        assert_eq!(app.events("alice/app").await.iter().filter(|kind| *kind == "tag.move").count(), 2);
        // One that is gone can be put back as well, as long as its image is there.
        alice.delete("/v2/alice/app/manifests/prod").await.expect(202);
        alice.delete(format!("/v2/alice/app/manifests/{}", second.digest())).await.expect(202);
        let text = pages.get("/alice/app/-/tags/prod").await.expect(200).text();
        assert!(text.contains("no such tag any more") && text.contains("deleted since"), "{text}");
        let gone = second.digest().to_string();
        pages.submit("/alice/app/-/tags/prod", &[("digest", gone.as_str())]).await.expect(404);
        pages.submit("/alice/app/-/tags/prod", &back).await.expect(303);
        alice.get("/v2/alice/app/manifests/prod").await.expect(200);
        // Others see where it pointed, not who moved it, and move nothing.
        let mut bob = Pages::sign_in(app, "bob").await;
        let text = bob.get("/alice/app/-/tags/prod").await.expect(200).text();
        assert!(
            text.contains("Moved")
                && !text.contains("<bdi>alice</bdi></span>")
                && !text.contains("Put it back</button>")
        );
        bob.submit("/alice/app/-/tags/prod", &back).await.expect(403);
        for path in ["/alice/app/-/tags/none", "/alice/app/-/tags/%3Cb%3E"] {
            bob.get(path).await.expect(404);
        }
    })
    .await;
}

#[tokio::test]
async fn two_images_are_compared_without_their_secrets() {
    on_each_engine(async |app| {
        let config = |env: &[&str], command: &str| {
            let config = json!({ "Env": env, "Cmd": [command], "Labels": { "<b>": command } });
            json!({ "os": "linux", "architecture": "amd64", "config": config }).to_string()
        };
        let (base, one, other) = ("the base of both", "the first's own", "the second's own");
        let first = config(&["A=1", "API_TOKEN=hunter2"], "serve");
        let second = config(&["A=2", "API_TOKEN=hunter3", "B=1"], "<script>serve</script>");
        for content in [base, one, other, &first, &second] {
            app.push_blob("acme/app", content.to_owned()).await;
        }
        for (tag, config, own) in [("1", &first, one), ("2", &second, other)] {
            let manifest = Manifest::image(config.as_bytes(), &[base.as_bytes(), own.as_bytes()]);
            app.push_manifest("acme/app", tag, &manifest).await.expect(201);
        }
        let mut pages = Pages::new(app);
        let text = pages.get("/acme/app/-/compare?a=1&b=2").await.expect(200).text();
        for part in ["In both", "Only in the first", "Only in the second", "<bdi>A</bdi>", "<bdi>B</bdi>", "not set"] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        for part in ["hunter", "API_TOKEN", "<script>serve", "<b>"] {
            assert!(!text.contains(part), "{part} in {text}");
        }
        // As the form of the list sends it, and with what there is not.
        assert!(pages.get("/acme/app/-/compare?tag=1&tag=2").await.expect(200).text().contains("In both"));
        assert!(pages.get("/acme/app/-/compare?tag=1").await.expect(200).text().contains("Choose two tags"));
        let missing = pages.get("/acme/app/-/compare?a=1&b=none").await.expect(404).text();
        assert!(missing.contains("There is no none here"));
        pages.get("/acme/app/-/compare?a=%22%3E&b=%00").await.expect(200);
        // Nothing of this is a pull.
        app.app.audit_once(false).await;
        let pulls = app.read(|tx| tx.query("SELECT pulls FROM repository_pulls", &[])).await;
        assert!(pulls.is_empty());
    })
    .await;
}
