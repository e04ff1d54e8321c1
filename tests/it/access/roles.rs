//! Roles, visibility and namespaces, as requests meet them, and that a change acts at the next one.

use crate::support::{Image, on_each_engine_with_accounts, sha256};

#[tokio::test]
async fn a_role_acts_at_the_next_request_and_so_does_its_loss() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "v1", "a").await;
        let bob = app.as_user("bob");
        let token = bob.token_for("repository:alice/app:pull,push").await;
        let jwt = app.as_bearer(&token);
        let pull = || jwt.get("/v2/alice/app/manifests/v1");
        for _ in 0..3 {
            pull().await.refused(404, "NAME_UNKNOWN");
            app.grant("guest", "bob", "alice/app").await;
            pull().await.expect(200);
            bob.get("/v2/alice/app/manifests/v1").await.expect(200);
            jwt.post("/v2/alice/app/blobs/uploads/").await.refused(403, "DENIED");
            app.grant("developer", "bob", "alice/*").await;
            jwt.begin("alice/app").await;
            app.revoke("developer", "bob", "alice/*").await;
            jwt.post("/v2/alice/app/blobs/uploads/").await.refused(403, "DENIED");
            app.revoke("guest", "bob", "alice/app").await;
        }
        pull().await.refused(404, "NAME_UNKNOWN");
        app.set_visibility("alice/app", "internal").await;
        pull().await.expect(200);
        app.get("/v2/alice/app/manifests/v1").await.refused(401, "UNAUTHORIZED");
        app.set_active("bob", false).await;
        pull().await.refused(401, "UNAUTHORIZED");
        bob.get("/v2/").await.refused(401, "UNAUTHORIZED");
    })
    .await;
}

#[tokio::test]
async fn a_hidden_repository_and_a_missing_one_are_refused_alike() {
    on_each_engine_with_accounts(async |app| {
        let image = app.as_user("alice").push_image("alice/app", "v1", "a").await;
        let bob = app.as_user("bob");
        let layer = sha256(&image.layer);
        for target in ["manifests/v1", "tags/list", &format!("blobs/{layer}"), "blobs/uploads/"] {
            let ask = |name: &str| {
                let path = format!("/v2/{name}/{target}");
                if target == "blobs/uploads/" { bob.post(path) } else { bob.get(path) }
            };
            let hidden = ask("alice/app").await.refused(404, "NAME_UNKNOWN");
            let missing = ask("alice/xyz").await.refused(404, "NAME_UNKNOWN");
            let nowhere = ask("nobod/app").await.refused(404, "NAME_UNKNOWN");
            let plain = |text: String| {
                text.replace("alice/xyz", "alice/app").replace("nobod/app", "alice/app").replace("bob/xyz", "bob/app")
            };
            assert_eq!(plain(missing.text()), hidden.text());
            assert_eq!(plain(nowhere.text()), hidden.text());
            let names = |answer: &crate::support::Answer| answer.headers.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&missing), names(&hidden));
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_of_one_component_is_the_librarys_and_the_refusal_says_what_to_type() {
    on_each_engine_with_accounts(async |app| {
        let host = app.address();
        let refused = app.as_user("bob").post("/v2/mon-app/blobs/uploads/").await.refused(404, "NAME_UNKNOWN");
        let lines =
            format!("docker tag {host}/mon-app:TAG {host}/bob/mon-app:TAG && docker push {host}/bob/mon-app:TAG");
        assert!(refused.message().contains(&lines), "{}", refused.message());
        app.as_user("admin").push_image("mon-app", "v1", "a").await;
        app.grant("developer", "bob", "library").await;
        app.as_user("bob").push_image("other", "v1", "b").await;
    })
    .await;
}

#[tokio::test]
async fn lists_show_what_may_be_read_and_mounts_take_from_nowhere_else() {
    on_each_engine_with_accounts(async |app| {
        let (alice, bob) = (app.as_user("alice"), app.as_user("bob"));
        let image = alice.push_image("alice/secret", "v1", "a").await;
        alice.push_image("alice/open", "v1", "b").await;
        alice.push_image("alice/inside", "v1", "c").await;
        bob.push_image("bob/own", "v1", "d").await;
        app.set_visibility("alice/open", "public").await;
        app.set_visibility("alice/inside", "internal").await;
        let catalog = async |client: &crate::support::Client| {
            client.get("/v2/_catalog").await.expect(200).strings("repositories")
        };
        assert_eq!(catalog(&bob).await, ["alice/inside", "alice/open", "bob/own"]);
        assert_eq!(catalog(&alice).await, ["alice/inside", "alice/open", "alice/secret"]);
        assert_eq!(catalog(&app.as_user("admin")).await.len(), 4);
        let anonymous = app.as_bearer(&app.token_for("registry:catalog:*").await);
        assert_eq!(catalog(&anonymous).await, ["alice/open"]);
        app.grant("limited-guest", "bob", "alice/se*").await;
        assert_eq!(catalog(&bob).await, ["alice/inside", "alice/open", "alice/secret", "bob/own"]);
        app.revoke("limited-guest", "bob", "alice/se*").await;
        // A digest that one knows opens nothing.
        let layer = sha256(&image.layer);
        for query in [format!("mount={layer}&from=alice/secret"), format!("mount={layer}")] {
            bob.post(format!("/v2/bob/own/blobs/uploads/?{query}")).await.expect(202);
        }
        app.grant("guest", "bob", "alice/secret").await;
        bob.post(format!("/v2/bob/own/blobs/uploads/?mount={layer}")).await.expect(201);
        bob.post(format!("/v2/bob/two/blobs/uploads/?mount={layer}&from=alice/secret")).await.expect(201);
        // Clients ask a token for the repository they push to; the credential behind it decides about the source.
        let pushing = app.as_bearer(&bob.token_for("repository:bob/three:pull,push").await);
        pushing.post(format!("/v2/bob/three/blobs/uploads/?mount={layer}&from=alice/secret")).await.expect(201);
        let narrow = app.as_pair("bob", app.limited_token("bob", "narrow", &["write"], &["bob"]).await);
        let narrow = app.as_bearer(&narrow.token_for("repository:bob/four:pull,push").await);
        narrow.post(format!("/v2/bob/four/blobs/uploads/?mount={layer}&from=alice/secret")).await.expect(202);
    })
    .await;
}

#[tokio::test]
async fn an_upload_belongs_to_who_began_it() {
    on_each_engine_with_accounts(async |app| {
        app.grant("developer", "bob", "alice").await;
        let upload = app.as_user("alice").begin("alice/app").await;
        let bob = app.as_user("bob");
        bob.patch(&upload).body("x").await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        bob.get(&upload).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        app.as_user("alice").patch(&upload).body("x").await.expect(202);
        app.set_active("alice", false).await;
        app.as_user("alice").patch(&upload).body("x").await.refused(401, "UNAUTHORIZED");
    })
    .await;
}

#[tokio::test]
async fn what_may_be_deleted_is_a_matter_of_the_role() {
    on_each_engine_with_accounts(async |app| {
        let image = app.as_user("alice").push_image("alice/app", "v1", "a").await;
        let manifest = format!("/v2/alice/app/manifests/{}", image.manifest.digest());
        let bob = app.as_user("bob");
        app.grant("developer", "bob", "alice").await;
        bob.delete("/v2/alice/app/manifests/v1").await.refused(403, "DENIED");
        bob.delete(&manifest).await.refused(403, "DENIED");
        bob.push_manifest("alice/app", "v2", &Image::new("a").manifest).await.expect(201);
        app.grant("maintainer", "bob", "alice").await;
        bob.delete("/v2/alice/app/manifests/v1").await.expect(202);
        bob.delete(&manifest).await.expect(202);
    })
    .await;
}

#[tokio::test]
async fn who_knows_the_digest_of_what_is_hidden_is_told_nothing_by_if_none_match() {
    on_each_engine_with_accounts(async |app| {
        let image = app.as_user("alice").push_image("alice/app", "v1", "a").await;
        let (manifest, layer) = (image.manifest.digest(), sha256(&image.layer));
        let targets = ["manifests/v1".to_owned(), format!("manifests/{manifest}"), format!("blobs/{layer}")];
        for target in targets {
            let tag = if target.starts_with("blobs") { layer } else { manifest };
            for known in [format!("\"{tag}\""), "*".to_owned()] {
                let path = format!("/v2/alice/app/{target}");
                app.get(&path).header("if-none-match", &known).await.refused(401, "UNAUTHORIZED");
                app.as_user("bob").get(&path).header("if-none-match", &known).await.refused(404, "NAME_UNKNOWN");
                app.as_user("alice").get(&path).header("if-none-match", &known).await.expect(304);
            }
        }
    })
    .await;
}
