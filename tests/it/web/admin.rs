//! What administrators see and set, and what happened as sentences.

use crate::support::{Pages, eventually, on_each_engine_with_accounts};

const PAGES: [&str; 5] =
    ["/-/admin", "/-/admin/users", "/-/admin/organisations", "/-/admin/audit", "/-/admin/settings"];

#[tokio::test]
async fn administration_is_for_administrators() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "1", "a").await;
        let mut admin = Pages::sign_in(app, "admin").await;
        let mut alice = Pages::sign_in(app, "alice").await;
        let mut nobody = Pages::new(app);
        for page in PAGES {
            admin.get(page).await.expect(200);
            alice.get(page).await.expect(403);
            nobody.get(page).await.expect(401);
        }
        alice.get("/").await;
        alice.submit("/-/admin/settings", &[("banner", "x")]).await.expect(403);
        alice.submit("/-/admin/users/admin", &[("act", "deactivate")]).await.expect(403);
        alice.submit("/-/admin/users", &[("name", "eve"), ("admin", "true")]).await.expect(403);
        // What there is is counted beside, and then shown.
        eventually(async || admin.get("/-/admin").await.text().contains("Saved by sharing layers")).await;
    })
    .await;
}

#[tokio::test]
async fn users_are_made_and_changed() {
    on_each_engine_with_accounts(async |app| {
        let mut admin = Pages::sign_in(app, "admin").await;
        admin.get("/-/admin/users").await.expect(200);
        let made = admin.submit("/-/admin/users", &[("name", "zoe"), ("email", "zoe@example.org")]).await.expect(200);
        assert!(made.text().contains("token=") && made.text().contains(">zoe<"));
        let again = admin.submit("/-/admin/users", &[("name", "zoe")]).await.expect(422);
        assert!(again.text().contains("zoe is taken"));
        for (act, seen) in [("deactivate", "Closed"), ("activate", "Active"), ("admin", "Administrator")] {
            let answer = admin.submit("/-/admin/users/zoe", &[("act", act)]).await.expect(303);
            assert_eq!(answer.header("location"), "/-/admin/users?done=changed");
            let page = admin.get("/-/admin/users?done=changed").await.expect(200).text();
            let row = page.split("<tr>").find(|row| row.contains(">zoe<")).unwrap();
            assert!(row.contains(seen) && page.contains("Changed."), "{act}");
        }
        admin.submit("/-/admin/users/zoe", &[("act", "what")]).await.expect(400);
        admin.submit("/-/admin/users/nobody", &[("act", "admin")]).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_banner_is_shown_and_a_registry_that_is_read_only_takes_nothing() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let image = alice.push_image("alice/app", "1", "a").await;
        let mut admin = Pages::sign_in(app, "admin").await;
        admin.get("/-/admin/settings").await.expect(200);
        let long = "x".repeat(501);
        for wrong in [long.as_str(), "two\nlines"] {
            admin.submit("/-/admin/settings", &[("banner", wrong)]).await.expect(422);
        }
        let banner = ("banner", "Maintenance <b>tonight</b>");
        admin.submit("/-/admin/settings", &[banner, ("read_only", "true")]).await.expect(303);
        let page = Pages::new(app).get("/-/sign-in").await.expect(200).text();
        assert!(page.contains("Maintenance &#60;b&#62;tonight") || page.contains("Maintenance &lt;b&gt;tonight"));
        let refused = alice.post("/v2/alice/app/blobs/uploads/").await.refused(405, "UNSUPPORTED");
        assert!(refused.message().contains("takes no changes"));
        alice.delete("/v2/alice/app/manifests/1").await.refused(405, "UNSUPPORTED");
        alice.get("/v2/alice/app/manifests/1").await.expect(200);
        assert_eq!(alice.get(format!("/v2/alice/app/manifests/{}", image.manifest.digest())).await.status, 200);
        // Who administers can still do so.
        admin.submit("/-/admin/settings", &[("banner", "")]).await.expect(303);
        alice.push_image("alice/app", "2", "b").await;
        assert!(!Pages::new(app).get("/-/sign-in").await.text().contains("Maintenance"));
    })
    .await;
}

#[tokio::test]
async fn what_happened_is_told_in_sentences_to_who_may_know() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "1.0", "a").await;
        app.set_visibility("alice/app", "public").await;
        app.grant("guest", "bob", "alice/app").await;
        // When it was pushed to is written beside, and a namespace's activity begins with what was pushed to last.
        havre::registry::audit::flush(&app.app.registry, &havre::registry::Ctx::system(0)).await.unwrap();
        let mut alice = Pages::sign_in(app, "alice").await;
        for path in ["/alice/app/-/activity", "/alice/-/activity", "/-/account/activity"] {
            let text = alice.get(path).await.expect(200).text();
            assert!(text.contains("<bdi>alice</bdi> tagged <a href=\"/alice/app/-/tags/1.0\">"), "{path}: {text}");
            assert!(!text.contains("pushed a layer"), "{path}");
        }
        let layers = alice.get("/alice/app/-/activity?kind=blobs").await.expect(200).text();
        assert!(layers.contains("pushed a layer") && !layers.contains("tagged"));
        alice.language = "fr";
        let french = alice.get("/alice/app/-/activity").await.expect(200).text();
        assert!(french.contains("a créé le tag") && french.contains("à l’instant"));
        let mut bob = Pages::sign_in(app, "bob").await;
        bob.get("/alice/app/-/activity").await.expect(200);
        // He holds a role on a part of it, so that it is no secret that there is more.
        bob.get("/alice/-/activity").await.expect(403);
        // Everybody may pull, and not everybody see who did what.
        Pages::new(app).get("/alice/app/-/activity").await.expect(401);
    })
    .await;
}
