//! The settings of repositories: who may see one, who may do what and why, its name and its end.

use havre::clock;
use havre::registry::Ctx;
use havre::registry::accounts::namespaces;

use crate::support::{Answer, Pages, TestApp, on_each_engine, on_each_engine_with_accounts, sha256};

async fn organisation(app: &TestApp, name: &str) {
    namespaces::add_organisation(&app.app.registry, &Ctx::system(clock::now()), name, None).await.unwrap();
}

fn main(answer: &Answer) -> String {
    answer.text().split("<main").nth(1).unwrap().split("</main>").next().unwrap().to_owned()
}

#[tokio::test]
async fn visibility_is_changed_by_who_may() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "1", "a").await;
        app.grant("maintainer", "bob", "alice/app").await;
        let mut alice = Pages::sign_in(app, "alice").await;
        alice.get("/alice/app/-/settings").await.expect(200);
        app.get("/v2/alice/app/manifests/1").await.expect(401);
        alice.submit("/alice/app/-/settings", &[("visibility", "public")]).await.expect(303);
        app.get("/v2/alice/app/manifests/1").await.expect(200);
        alice.submit("/alice/app/-/settings", &[("visibility", "x")]).await.expect(422);
        let mut bob = Pages::sign_in(app, "bob").await;
        bob.get("/alice/app/-/settings").await.expect(403);
        bob.submit("/alice/app/-/settings", &[("visibility", "private")]).await.expect(403);
        alice.get("/alice/none/-/settings").await.expect(404);
        let mut nobody = Pages::new(app);
        nobody.get("/alice/app/-/settings").await.expect(401);
        alice.language = "fr";
        assert!(main(&alice.get("/alice/app/-/settings").await.expect(200)).contains("Renommer ou transférer"));
    })
    .await;
}

#[tokio::test]
async fn why_somebody_may_or_not_is_told_in_words() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "1", "a").await;
        app.grant("guest", "bob", "alice/app").await;
        let mut alice = Pages::sign_in(app, "alice").await;
        let page = main(&alice.get("/alice/app/-/settings").await.expect(200));
        assert!(page.contains("<bdi>bob</bdi>"), "who holds a role here");
        let ask = async |pages: &mut Pages, query: &str| {
            main(&pages.get(&format!("/alice/app/-/settings?{query}")).await.expect(200))
        };
        let page = ask(&mut alice, "who=bob&action=push").await;
        assert!(page.contains("Nothing lets bob do this") && page.contains("the role guest on alice/app"), "{page}");
        let page = ask(&mut alice, "who=bob&action=pull").await;
        assert!(page.contains("verdict yes") && page.contains("Because the role guest"));
        assert!(ask(&mut alice, "who=alice&action=settings").await.contains("namespace is the user’s own"));
        assert!(ask(&mut alice, "who=&action=pull").await.contains("Signing in comes first"));
        let page = main(&alice.get("/alice/app/-/settings?who=%3Cb%3E&action=pull").await.expect(422));
        assert!(page.contains("There is no &#60;b&#62;"));
        alice.get("/alice/app/-/settings?who=bob&action=fly").await.expect(422);
        // Whether there is a robot elsewhere is not told.
        alice.get("/alice/app/-/settings?who=bob%2Bci&action=pull").await.expect(404);
        alice.language = "fr";
        assert!(ask(&mut alice, "who=bob&action=push").await.contains("Rien ne permet cela à bob"));
        // Roles are given and taken from here too.
        let give = [
            ("kind", "user"),
            ("holder", "bob"),
            ("role", "developer"),
            ("on", "alice/app"),
            ("back", "/alice/app/-/settings"),
        ];
        let done = alice.submit("/alice/-/members", &give).await.expect(303);
        assert_eq!(done.header("location"), "/alice/app/-/settings?done=role-given");
        assert!(ask(&mut alice, "who=bob&action=push").await.contains("verdict yes"));
    })
    .await;
}

#[tokio::test]
async fn a_renamed_repository_is_read_by_both_names_until_another_one_takes_the_old() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let image = alice.push_image("alice/old", "1", "a").await;
        let (manifest, layer) = (image.manifest.digest(), sha256(&image.layer));
        app.set_visibility("alice/old", "public").await;
        app.grant("developer", "bob", "alice/old").await;
        let mut pages = Pages::sign_in(app, "alice").await;
        pages.get("/alice/old/-/settings").await.expect(200);
        let done = pages.submit("/alice/old/-/settings/rename", &[("name", "alice/team/new")]).await.expect(303);
        assert_eq!(done.header("location"), "/alice/team/new?done=repository-renamed");
        // Pages lead on, with what follows the name.
        let moved = pages.get("/alice/old/-/settings?who=bob&action=pull").await.expect(301);
        assert_eq!(moved.header("location"), "/alice/team/new/-/settings?who=bob&action=pull");
        // Its role went with it.
        assert!(main(&pages.get("/alice/team/new/-/settings").await.expect(200)).contains("<bdi>bob</bdi>"));
        app.as_user("bob").push_image("alice/team/new", "2", "b").await;
        let anonymous = app.as_bearer(&app.token_for("repository:alice/old:pull").await);
        for client in [&alice, &anonymous, &app.as_user("bob")] {
            for name in ["alice/old", "alice/team/new"] {
                let client = match name {
                    // A token is for the name that it was fetched for.
                    "alice/team/new" if std::ptr::eq(client, &raw const anonymous) => &**app,
                    _ => client,
                };
                client.get(format!("/v2/{name}/manifests/1")).await.expect(200);
                client.head(format!("/v2/{name}/manifests/{manifest}")).await.expect(200);
                client.get(format!("/v2/{name}/blobs/{layer}")).await.expect(200);
                client.get(format!("/v2/{name}/referrers/{manifest}")).await.expect(200);
                let tags = client.get(format!("/v2/{name}/tags/list")).await.expect(200);
                assert_eq!(
                    (tags.string("name"), tags.strings("tags")),
                    (name.to_owned(), vec!["1".into(), "2".into()])
                );
            }
        }
        // Who pushes is told of nothing that the repository which the push makes has not.
        let pushing = app.as_bearer(&alice.token_for("repository:alice/old:pull,push").await);
        pushing.head(format!("/v2/alice/old/blobs/{layer}")).await.expect(404);
        alice.head(format!("/v2/alice/old/blobs/{layer}")).await.expect(404);
        anonymous.head(format!("/v2/alice/old/blobs/{layer}")).await.expect(200);
        // The name is not free for another one to be renamed to, and what it leads to may be called so again.
        alice.push_image("alice/other", "1", "c").await;
        let taken = pages.submit("/alice/other/-/settings/rename", &[("name", "alice/old")]).await.expect(422);
        assert!(taken.text().contains("already, or one that was called so"));
        alice.push_image("alice/old", "9", "d").await;
        let tags = alice.get("/v2/alice/old/tags/list").await.expect(200);
        assert_eq!(tags.strings("tags"), ["9"], "another repository");
        pages.get("/alice/old/-/settings").await.expect(200);
        assert!(app.events("alice/old").await.contains(&"repository.rename".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_name_goes_to_and_fro_and_wrong_ones_are_refused() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        alice.push_image("alice/a", "1", "a").await;
        alice.push_image("alice/b", "1", "b").await;
        let mut pages = Pages::sign_in(app, "alice").await;
        pages.get("/alice/a/-/settings").await.expect(200);
        for wrong in ["alice/b", "alice/a", "Alice/x", "x", "", "nope/x", "v2/x", "bob/x", &"a/".repeat(200)] {
            let answer = pages.submit("/alice/a/-/settings/rename", &[("name", wrong)]).await.expect(422);
            assert!(answer.text().contains("role=\"alert\""), "{wrong}");
        }
        for name in ["alice/c", "alice/d", "alice/a"] {
            let from = match name {
                "alice/c" => "alice/a",
                "alice/d" => "alice/c",
                _ => "alice/d",
            };
            pages.submit(&format!("/{from}/-/settings/rename"), &[("name", name)]).await.expect(303);
            for old in ["alice/a", "alice/c"] {
                alice.get(format!("/v2/{old}/manifests/1")).await.expect(200);
            }
        }
        alice.get("/v2/alice/d/manifests/1").await.expect(200);
        let page = main(&pages.get("/alice/a/-/settings").await.expect(200));
        assert!(page.contains(">alice/c<") && page.contains(">alice/d<"), "{page}");
    })
    .await;
}

#[tokio::test]
async fn a_transfer_takes_rights_on_both_sides_and_hides_what_the_new_side_hides() {
    on_each_engine_with_accounts(async |app| {
        organisation(app, "acme").await;
        let alice = app.as_user("alice");
        let image = alice.push_image("alice/app", "1", "a").await;
        app.robot("alice+ci").await;
        app.grant_robot("developer", "alice+ci", "alice/app").await;
        app.grant("guest", "bob", "alice/app").await;
        let mut pages = Pages::sign_in(app, "alice").await;
        pages.get("/alice/app/-/settings").await.expect(200);
        let to = [("name", "acme/app")];
        // Not without the right to push there.
        let refused = pages.submit("/alice/app/-/settings/rename", &to).await.expect(422);
        assert!(refused.text().contains("You may not make a repository acme/app"), "{}", main(&refused));
        app.grant("developer", "alice", "acme/ap*").await;
        // Nor without the right to the settings of what is moved.
        let mut bob = Pages::sign_in(app, "bob").await;
        app.grant("owner", "bob", "acme").await;
        bob.submit("/alice/app/-/settings/rename", &to).await.expect(403);
        pages.submit("/alice/app/-/settings/rename", &to).await.expect(303);
        // Roles on exactly it ended: alice may not give any in acme.
        bob.get("/acme/-/members").await.expect(200);
        let held = main(&bob.get("/acme/app/-/settings").await.expect(200));
        assert!(!held.contains("alice+ci") && held.contains("acme/ap*"), "{held}");
        app.revoke("developer", "alice", "acme/ap*").await;
        // The old name shows her nothing that she may not read any more, be it her own namespace.
        let digest = image.manifest.digest();
        for path in ["manifests/1", "tags/list"] {
            alice.get(format!("/v2/alice/app/{path}")).await.refused(404, "NAME_UNKNOWN");
        }
        let none = alice.get(format!("/v2/alice/app/referrers/{digest}")).await.expect(200);
        assert_eq!(none.json()["manifests"], serde_json::json!([]));
        pages.get("/alice/app/-/settings").await.expect(404);
        app.as_user("bob").get("/v2/alice/app/manifests/1").await.expect(200);
        app.get("/v2/alice/app/manifests/1").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_repository_is_deleted_with_its_name_typed_and_its_bytes_are_swept() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let image = alice.push_image("alice/app", "1", "a").await;
        alice.push_manifest("alice/app", "2", &image.manifest).await.expect(201);
        let index = crate::support::Manifest::index(&[&image.manifest]);
        alice.push_manifest("alice/app", "all", &index).await.expect(201);
        alice.get("/v2/alice/app/manifests/1").await.expect(200);
        // One blob of it is also held elsewhere.
        let layer = sha256(&image.layer);
        alice.post(format!("/v2/alice/kept/blobs/uploads/?mount={layer}&from=alice/app")).await.expect(201);
        app.grant("developer", "bob", "alice/app").await;
        let mut pages = Pages::sign_in(app, "alice").await;
        pages.get("/alice/app/-/settings").await.expect(200);
        pages.submit("/alice/app/-/settings/rename", &[("name", "alice/late")]).await.expect(303);
        let page = main(&pages.get("/alice/late/-/settings/delete").await.expect(200));
        for part in
            ["<dt>Tags</dt><dd><bdi>3<", "attachments</dt><dd><bdi>2<", "alice/app", "data-typed=\"alice/late\""]
        {
            assert!(page.contains(part), "{part}: {page}");
        }
        let mut bob = Pages::sign_in(app, "bob").await;
        bob.get("/alice/late/-/settings/delete").await.expect(403);
        bob.submit("/alice/late/-/settings/delete", &[("confirm", "alice/late")]).await.expect(403);
        pages.submit("/alice/late/-/settings/delete", &[("confirm", "alice/app")]).await.expect(422);
        alice.get("/v2/alice/late/manifests/1").await.expect(200);
        let gone = pages.submit("/alice/late/-/settings/delete", &[("confirm", "alice/late")]).await.expect(303);
        assert_eq!(gone.header("location"), "/alice?done=repository-deleted");
        for name in ["alice/late", "alice/app"] {
            alice.get(format!("/v2/{name}/manifests/1")).await.refused(404, "NAME_UNKNOWN");
        }
        assert!(!main(&pages.get("/alice").await.expect(200)).contains("alice/late"));
        assert_eq!(app.events("alice/late").await.last().unwrap(), "repository.delete");
        // What others hold stays; the rest goes with the next sweep.
        alice.get(format!("/v2/alice/kept/blobs/{layer}")).await.expect(200);
        let config = sha256(&image.config);
        let unlinked = app
            .read(move |tx| {
                let mut row = tx.one(
                    "SELECT COUNT(*) FROM blobs WHERE digest = $1 AND unlinked_since IS NOT NULL",
                    &[(&config).into()],
                )?;
                row.int(0)
            })
            .await;
        assert_eq!(unlinked, 1);
        // Roles on it went: who makes it again has it alone.
        alice.push_image("alice/late", "1", "b").await;
        app.as_user("bob").get("/v2/alice/late/manifests/1").await.refused(404, "NAME_UNKNOWN");
        pages.submit("/alice/none/-/settings/delete", &[("confirm", "alice/none")]).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn pulls_that_were_counted_of_a_deleted_repository_hold_nothing_up() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        alice.push_image("alice/app", "1", "a").await;
        alice.push_image("alice/more", "1", "a").await;
        alice.get("/v2/alice/app/manifests/1").await.expect(200);
        let mut pages = Pages::sign_in(app, "alice").await;
        pages.submit("/alice/app/-/settings/delete", &[("confirm", "alice/app")]).await.expect(303);
        alice.get("/v2/alice/more/manifests/1").await.expect(200);
        havre::registry::audit::flush(&app.app.registry, &Ctx::system(clock::now())).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn without_accounts_a_repository_is_renamed_and_deleted_by_anybody() {
    on_each_engine(async |app| {
        app.push_image("a/b", "1", "a").await;
        let mut pages = Pages::new(app);
        let page = main(&pages.get("/a/b/-/settings").await.expect(200));
        assert!(!page.contains("name=\"visibility\"") && !page.contains("/-/members"));
        pages.submit("/a/b/-/settings/rename", &[("name", "c/d")]).await.expect(303);
        assert_eq!(pages.get("/a/b/-/settings").await.expect(301).header("location"), "/c/d/-/settings");
        app.get("/v2/a/b/manifests/1").await.expect(200);
        pages.submit("/c/d/-/settings/delete", &[("confirm", "c/d")]).await.expect(303);
        app.get("/v2/c/d/manifests/1").await.refused(404, "NAME_UNKNOWN");
    })
    .await;
}
