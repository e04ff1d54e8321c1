//! The pages of namespaces and organisations.

use havre::clock;
use havre::registry::Ctx;
use havre::registry::accounts::namespaces;

use crate::support::{Answer, Pages, TestApp, on_each_engine, on_each_engine_with_accounts};

/// Makes the organisation `acme`, of which alice is an owner and bob a developer.
async fn acme(app: &TestApp) {
    namespaces::add_organisation(&app.app.registry, &Ctx::system(clock::now()), "acme", None).await.unwrap();
    app.grant("owner", "alice", "acme").await;
    app.grant("developer", "bob", "acme").await;
}

/// The body of a page, without its frame.
fn main(answer: &Answer) -> String {
    answer.text().split("<main").nth(1).unwrap().split("</main>").next().unwrap().to_owned()
}

/// What a secret's frame shows.
fn secret(answer: &Answer) -> String {
    let shown =
        answer.text().split("havre_robot_").nth(1).map(|rest| rest.split(['<', '"']).next().unwrap().to_owned());
    format!("havre_robot_{}", shown.expect("a secret is shown"))
}

#[tokio::test]
async fn a_namespace_shows_to_each_what_each_may_see() {
    on_each_engine_with_accounts(async |app| {
        acme(app).await;
        let alice = app.as_user("alice");
        alice.push_image("acme/open", "1", "a").await;
        alice.push_image("acme/hidden", "1", "b").await;
        let mut nobody = Pages::new(app);
        // A hidden namespace is like a missing one.
        let hidden = main(&nobody.get("/acme").await.expect(404));
        let missing = main(&nobody.get("/nope").await.expect(404));
        assert_eq!(hidden.replace("%2Facme", "%2Fnope"), missing);
        app.set_visibility("acme/open", "public").await;
        let page = main(&nobody.get("/acme").await.expect(200));
        assert!(page.contains("acme/open") && !page.contains("acme/hidden"), "{page}");
        assert!(page.contains("<svg class=\"hue-"));
        for word in ["/-/members", "/-/settings", "docker push"] {
            assert!(!page.contains(word), "{word}");
        }
        let mut bob = Pages::sign_in(app, "bob").await;
        let page = main(&bob.get("/acme").await.expect(200));
        for word in ["acme/open", "acme/hidden", "/-/members", "docker push", "<bdi>alice</bdi>"] {
            assert!(page.contains(word), "{word}");
        }
        for word in ["/-/settings", "/-/robots"] {
            assert!(!page.contains(word), "{word}");
        }
        let page = main(&Pages::sign_in(app, "alice").await.get("/acme").await.expect(200));
        assert!(page.contains("/-/settings") && page.contains("/-/robots"));
        // French.
        bob.language = "fr";
        let page = main(&bob.get("/acme").await.expect(200));
        assert!(page.contains("Dépôts") && page.contains("Nouveau dépôt"), "{page}");
    })
    .await;
}

#[tokio::test]
async fn repositories_come_in_pages() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let names: Vec<String> = (0..60).map(|n| format!("alice/r{n:02}")).collect();
        for name in &names {
            alice.push_blob(name, "x").await;
        }
        let mut pages = Pages::sign_in(app, "alice").await;
        let first = main(&pages.get("/alice").await.expect(200));
        let next = first.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap();
        let next = next.split('"').next().unwrap().replace("&#38;", "&");
        let second = main(&pages.get(&next).await.expect(200));
        for (n, name) in names.iter().enumerate() {
            let link = format!("href=\"/{name}\"");
            assert_eq!((first.contains(&link), second.contains(&link)), (n < 50, n >= 50), "{name}");
        }
        pages.get("/alice?after=%00").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_name_of_one_component_leads_to_the_library_where_there_is_no_such_namespace() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("admin").push_image("tool", "1", "a").await;
        let mut nobody = Pages::new(app);
        nobody.get("/tool").await.expect(404);
        app.set_visibility("library/tool", "public").await;
        assert_eq!(nobody.get("/tool").await.expect(303).header("location"), "/library/tool");
    })
    .await;
    // Without accounts, everybody sees everything.
    on_each_engine(async |app| {
        app.push_image("acme/app", "1", "a").await;
        let page = main(&Pages::new(app).get("/acme").await.expect(200));
        assert!(page.contains("acme/app") && page.contains("docker push") && !page.contains("/-/members"));
    })
    .await;
}

#[tokio::test]
async fn an_administrator_makes_an_organisation_and_marks_it() {
    on_each_engine_with_accounts(async |app| {
        let mut alice = Pages::sign_in(app, "alice").await;
        alice.get("/-/organisations/new").await.expect(403);
        alice.submit("/-/organisations/new", &[("name", "acme")]).await.expect(403);
        let mut admin = Pages::sign_in(app, "admin").await;
        admin.get("/-/organisations/new").await.expect(200);
        let wrong =
            admin.submit("/-/organisations/new", &[("name", "Acme"), ("display_name", "<b>")]).await.expect(422);
        assert!(wrong.text().contains("value=\"Acme\"") && wrong.text().contains("value=\"&#60;b&#62;\""));
        let made = admin.submit("/-/organisations/new", &[("name", "acme"), ("display_name", "Acme <b>Inc</b>")]).await;
        assert_eq!(made.expect(303).header("location"), "/acme/-/members?done=organisation-made");
        admin.submit("/-/organisations/new", &[("name", "acme")]).await.expect(422);
        let page = main(&admin.get("/acme").await.expect(200));
        assert!(page.contains("Acme &#60;b&#62;Inc") && !page.contains("<b>Inc"), "{page}");
        // Marks are for administrators, whatever an owner may do.
        app.grant("owner", "alice", "acme").await;
        let marks = [("official", "true"), ("verified", "true")];
        alice.get("/acme/-/settings").await.expect(200);
        alice.submit("/acme/-/settings/marks", &marks).await.expect(403);
        assert!(!main(&alice.get("/acme").await).contains("Official"));
        admin.submit("/acme/-/settings/marks", &marks).await.expect(303);
        let page = main(&alice.get("/acme").await.expect(200));
        assert!(page.contains("Official") && page.contains("Verified"));
        admin.submit("/acme/-/settings/marks", &[("verified", "true")]).await.expect(303);
        let page = main(&alice.get("/acme").await.expect(200));
        assert!(!page.contains("Official") && page.contains("Verified"));
    })
    .await;
}

#[tokio::test]
async fn an_owner_gives_and_takes_roles_and_nobody_gives_more_than_he_has() {
    on_each_engine_with_accounts(async |app| {
        acme(app).await;
        let mut alice = Pages::sign_in(app, "alice").await;
        let page = main(&alice.get("/acme/-/members").await.expect(200));
        assert!(page.contains("<bdi>alice</bdi>") && page.contains("<bdi>bob</bdi>"));
        let give =
            |role: &'static str, on: &'static str| [("kind", "user"), ("holder", "bob"), ("role", role), ("on", on)];
        let done = alice.submit("/acme/-/members", &give("maintainer", "acme/app")).await.expect(303);
        assert_eq!(done.header("location"), "/acme/-/members?done=role-given");
        assert!(main(&alice.get("/acme/-/members").await).contains("<code translate=\"no\">acme/app</code>"));
        alice.submit("/acme/-/members/revoke", &give("maintainer", "acme/app")).await.expect(303);
        assert!(!main(&alice.get("/acme/-/members").await).contains(">acme/app<"));
        // What cannot be is said beside the form, which keeps what was filled in.
        let wrong = alice.submit("/acme/-/members", &give("developer", "other/app")).await.expect(422);
        assert!(wrong.text().contains("names no repositories") && wrong.text().contains("value=\"bob\""));
        let nobody = [("kind", "user"), ("holder", "<i>"), ("role", "guest"), ("on", "acme")];
        let wrong = alice.submit("/acme/-/members", &nobody).await.expect(422);
        assert!(wrong.text().contains("There is no &#60;i&#62;"), "{}", main(&wrong));
        // A developer sees members, gives nothing, and is not asked to.
        let mut bob = Pages::sign_in(app, "bob").await;
        let page = main(&bob.get("/acme/-/members").await.expect(200));
        assert!(!page.contains("/-/members/revoke") && !page.contains("/-/members/invite"));
        let refused = bob.submit("/acme/-/members", &give("owner", "acme")).await.expect(422);
        assert!(refused.text().contains("members"));
        app.as_user("bob").delete("/v2/acme/app/manifests/1").await.expect(403);
        // Who may choose members but not delete gives no role that deletes.
        let define =
            [("name", "chooser"), ("permission", "read"), ("permission", "activity"), ("permission", "members")];
        alice.submit("/acme/-/roles", &define).await.expect(303);
        alice.submit("/acme/-/members", &give("chooser", "acme")).await.expect(303);
        let page = main(&bob.get("/acme/-/members").await.expect(200));
        assert!(page.contains("value=\"developer\"") && !page.contains("value=\"maintainer\""), "{page}");
        let refused = bob.submit("/acme/-/members", &give("owner", "acme")).await.expect(422);
        assert!(refused.text().contains("You cannot give what you may not do yourself"));
        // To a stranger there is nothing.
        let mut stranger = Pages::new(app);
        stranger.get("/acme/-/members").await.expect(401);
        stranger.submit("/acme/-/members", &give("owner", "acme")).await.expect(401);
        let mut admin = Pages::sign_in(app, "admin").await;
        admin.get("/nope/-/members").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn somebody_is_invited_by_a_link_that_is_shown_once() {
    on_each_engine_with_accounts(async |app| {
        acme(app).await;
        let mut admin = Pages::sign_in(app, "admin").await;
        admin.get("/acme/-/members").await.expect(200);
        let invite = [("email", "carol@example.org"), ("role", "guest"), ("language", "fr")];
        let shown = admin.submit("/acme/-/members/invite", &invite).await.expect(200);
        assert!(shown.text().contains("sends no mail") && shown.text().contains("invitation"), "{}", main(&shown));
        let page = main(&admin.get("/acme/-/members").await.expect(200));
        assert!(page.contains("carol@example.org"));
        let id = page.split("name=\"invitation\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let wrong = admin.submit("/acme/-/members/invite", &[("email", "x"), ("role", "guest")]).await.expect(422);
        assert!(wrong.text().contains("is not an e-mail address"));
        admin.submit("/acme/-/members/uninvite", &[("invitation", &id)]).await.expect(303);
        assert!(!main(&admin.get("/acme/-/members").await).contains("carol@example.org"));
        let mut bob = Pages::sign_in(app, "bob").await;
        bob.submit("/acme/-/members/invite", &invite).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn a_team_is_made_filled_and_removed() {
    on_each_engine_with_accounts(async |app| {
        acme(app).await;
        app.revoke("developer", "bob", "acme").await;
        let mut alice = Pages::sign_in(app, "alice").await;
        alice.get("/acme/-/teams").await.expect(200);
        let made = alice.submit("/acme/-/teams", &[("name", "ops")]).await.expect(303);
        assert_eq!(made.header("location"), "/acme/-/teams/ops?done=team-made");
        assert!(alice.submit("/acme/-/teams", &[("name", "ops")]).await.expect(422).text().contains("is taken"));
        alice.submit("/acme/-/teams/ops", &[("user", "bob")]).await.expect(303);
        alice.submit("/acme/-/teams/ops", &[("user", "nope")]).await.expect(422);
        let page = main(&alice.get("/acme/-/teams/ops").await.expect(200));
        assert!(page.contains("<bdi>bob</bdi>"));
        let give = [("kind", "team"), ("holder", "ops"), ("role", "developer"), ("on", "acme")];
        alice.submit("/acme/-/members", &give).await.expect(303);
        app.as_user("bob").push_image("acme/app", "1", "a").await;
        let mut bob = Pages::sign_in(app, "bob").await;
        let page = main(&bob.get("/acme/-/teams/ops").await.expect(200));
        assert!(!page.contains("/-/teams/ops/remove"));
        bob.submit("/acme/-/teams/ops/remove", &[("confirm", "ops")]).await.expect(403);
        alice.submit("/acme/-/teams/ops/leave", &[("user", "bob")]).await.expect(303);
        app.as_user("bob").get("/v2/acme/app/manifests/1").await.expect(404);
        // Not without the name.
        alice.submit("/acme/-/teams/ops/remove", &[("confirm", "op")]).await.expect(422);
        alice.submit("/acme/-/teams/ops/remove", &[("confirm", "ops")]).await.expect(303);
        alice.get("/acme/-/teams/ops").await.expect(404);
        // A user's namespace has no teams, and does not speak of them.
        assert!(!main(&alice.get("/alice").await.expect(200)).contains("/-/teams"));
    })
    .await;
}

#[tokio::test]
async fn a_robot_is_made_with_its_role_and_its_secret_is_shown_once() {
    on_each_engine_with_accounts(async |app| {
        acme(app).await;
        app.as_user("alice").push_image("acme/app", "1", "a").await;
        let mut alice = Pages::sign_in(app, "alice").await;
        alice.get("/acme/-/robots").await.expect(200);
        let make =
            [("name", "ci"), ("description", "builds <b>"), ("role", "developer"), ("on", "acme/app"), ("days", "30")];
        let shown = alice.submit("/acme/-/robots", &make).await.expect(200);
        assert!(shown.text().contains("--username acme+ci"), "{}", main(&shown));
        let first = secret(&shown);
        app.as_pair("acme+ci", &first).push_image("acme/app", "2", "b").await;
        app.as_pair("acme+ci", &first).post("/v2/acme/other/blobs/uploads/").await.expect(404);
        let page = alice.get("/acme/-/robots").await.expect(200);
        assert!(page.text().contains("builds &#60;b&#62;") && !page.text().contains("havre_robot_"));
        assert!(alice.submit("/acme/-/robots", &make).await.expect(422).text().contains("is taken"));
        // Both secrets hold until a third is made.
        let second = secret(&alice.submit("/acme/-/robots/ci/rotate", &[]).await.expect(200));
        for secret in [&first, &second] {
            app.as_pair("acme+ci", secret).get("/v2/acme/app/manifests/1").await.expect(200);
        }
        alice.submit("/acme/-/robots/ci/disable", &[]).await.expect(303);
        app.as_pair("acme+ci", &second).get("/v2/acme/app/manifests/1").await.expect(401);
        alice.submit("/acme/-/robots/ci/enable", &[]).await.expect(303);
        app.as_pair("acme+ci", &second).get("/v2/acme/app/manifests/1").await.expect(200);
        // Nobody else makes one or gets its secret; a role beyond one's own makes none.
        let mut bob = Pages::sign_in(app, "bob").await;
        bob.get("/acme/-/robots").await.expect(403);
        bob.submit("/acme/-/robots", &[("name", "evil")]).await.expect(403);
        bob.submit("/acme/-/robots/ci/rotate", &[]).await.expect(403);
        let define = [("name", "keeper"), ("permission", "read"), ("permission", "robots")];
        alice.submit("/acme/-/roles", &define).await.expect(303);
        app.grant("keeper", "bob", "acme").await;
        let page = main(&bob.get("/acme/-/robots").await.expect(200));
        assert!(!page.contains("name=\"role\""), "who may give no role is not asked for one");
        let beyond = [("name", "evil"), ("role", "owner"), ("on", "acme")];
        bob.submit("/acme/-/robots", &beyond).await.expect(422);
        assert!(!main(&bob.get("/acme/-/robots").await).contains("acme+evil"));
        alice.submit("/acme/-/robots/ci/remove", &[]).await.expect(303);
        assert!(!main(&alice.get("/acme/-/robots").await).contains("acme+ci"));
    })
    .await;
}

#[tokio::test]
async fn a_role_is_defined_changed_and_removed() {
    on_each_engine_with_accounts(async |app| {
        acme(app).await;
        let mut alice = Pages::sign_in(app, "alice").await;
        let page = main(&alice.get("/acme/-/roles").await.expect(200));
        assert!(page.contains("limited-guest") && page.contains("value=\"delete-tag\""));
        let define = [("name", "releaser"), ("permission", "read"), ("permission", "delete-tag")];
        alice.submit("/acme/-/roles", &define).await.expect(303);
        let page = main(&alice.get("/acme/-/roles?edit=releaser").await.expect(200));
        assert!(page.contains("value=\"releaser\""));
        assert!(
            page.contains("id=\"permission-delete-tag\" name=\"permission\" value=\"delete-tag\" checked"),
            "{page}"
        );
        assert!(!page.contains("value=\"write\" checked"));
        let wrong = alice.submit("/acme/-/roles", &[("name", "owner"), ("permission", "read")]).await.expect(422);
        assert!(wrong.text().contains("value=\"read\" checked"));
        app.grant("releaser", "bob", "acme").await;
        alice.submit("/acme/-/roles/releaser/remove", &[]).await.expect(422);
        app.revoke("releaser", "bob", "acme").await;
        alice.submit("/acme/-/roles/releaser/remove", &[]).await.expect(303);
        let mut bob = Pages::sign_in(app, "bob").await;
        assert!(!main(&bob.get("/acme/-/roles").await.expect(200)).contains("type=\"checkbox\""));
        bob.submit("/acme/-/roles", &define).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn the_settings_of_a_namespace_are_changed_by_who_may() {
    on_each_engine_with_accounts(async |app| {
        acme(app).await;
        let mut alice = Pages::sign_in(app, "alice").await;
        alice.get("/acme/-/settings").await.expect(200);
        let fields =
            [("display_name", "Acme Corporation"), ("description", "We make <everything>"), ("visibility", "public")];
        alice.submit("/acme/-/settings", &fields).await.expect(303);
        let page = main(&alice.get("/acme").await.expect(200));
        assert!(page.contains("Acme Corporation") && page.contains("We make &#60;everything&#62;"), "{page}");
        app.as_user("alice").push_image("acme/app", "1", "a").await;
        let mut nobody = Pages::new(app);
        nobody.get("/acme").await.expect(200);
        // Who asks for a second factor without having one would be shut out; what was filled in stays.
        let factor = [("display_name", "Other"), ("visibility", "public"), ("second_factor", "true")];
        let refused = alice.submit("/acme/-/settings", &factor).await.expect(422);
        assert!(refused.text().contains("value=\"Other\""));
        let long = "x".repeat(300);
        alice.submit("/acme/-/settings", &[("description", &long), ("visibility", "public")]).await.expect(422);
        alice.submit("/acme/-/settings", &[("visibility", "secret")]).await.expect(422);
        let mut bob = Pages::sign_in(app, "bob").await;
        bob.get("/acme/-/settings").await.expect(403);
        bob.submit("/acme/-/settings", &fields).await.expect(403);
    })
    .await;
}
