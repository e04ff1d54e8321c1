//! Signing in and out by the pages.

use crate::support::{Browser, PASSWORD, Pages, code, on_each_engine, on_each_engine_with_accounts};

#[tokio::test]
async fn a_user_signs_in_goes_where_it_was_meant_to_and_out() {
    on_each_engine_with_accounts(async |app| {
        let mut pages = Pages::new(app);
        pages.get("/-/sign-in?next=%2F-%2Fsign-in").await.expect(200);
        let wrong = pages.submit("/-/sign-in", &[("name", "alice"), ("password", "wrong")]).await.expect(422);
        assert!(wrong.text().contains("do not belong together") && wrong.text().contains("value=\"alice\""));
        assert!(pages.session().is_none());
        let right = [("name", " alice "), ("password", PASSWORD), ("next", "/?x=1")];
        assert_eq!(pages.submit("/-/sign-in", &right).await.expect(303).header("location"), "/?x=1");
        assert!(pages.session().is_some());
        assert!(pages.get("/").await.expect(200).text().contains("<bdi>alice</bdi>"));
        assert_eq!(pages.get("/-/sign-in").await.expect(303).header("location"), "/");
        // Nobody is sent elsewhere after signing in.
        let mut other = Pages::new(app);
        let evil = [("name", "alice"), ("password", PASSWORD), ("next", "//evil.example")];
        assert_eq!(other.submit("/-/sign-in", &evil).await.expect(303).header("location"), "/");
        pages.submit("/-/sign-out", &[]).await.expect(303);
        assert!(pages.session().is_none());
        assert!(!pages.get("/").await.expect(200).text().contains("<bdi>alice</bdi>"));
    })
    .await;
}

#[tokio::test]
async fn a_form_of_another_site_or_without_its_token_does_nothing() {
    on_each_engine_with_accounts(async |app| {
        let mut pages = Pages::sign_in(app, "alice").await;
        let csrf = pages.csrf.clone();
        let before = pages.session().unwrap().to_owned();
        for (fields, site) in [
            (&[("csrf", csrf.as_str())][..], "cross-site"),
            (&[("csrf", csrf.as_str())], "same-site"),
            (&[("csrf", "x")], "same-origin"),
            (&[], "same-origin"),
        ] {
            let refused = pages.send("/-/sign-out", fields, site).await.expect(403);
            assert!(refused.text().contains("too old"), "{site}");
        }
        // Nobody is signed in by another site either.
        let mut other = Pages::new(app);
        other.send("/-/sign-in", &[("name", "alice"), ("password", PASSWORD)], "cross-site").await.expect(403);
        assert!(other.session().is_none());
        pages.get("/").await.expect(200);
        assert_eq!(pages.session(), Some(before.as_str()));
        pages.submit("/-/sign-out", &[]).await.expect(303);
    })
    .await;
}

#[tokio::test]
async fn a_second_factor_is_asked_for_before_anything_else() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/hidden", "1", "a").await;
        let (secret, _) = Browser::sign_in(app, "alice", None).await.set_up().await;
        let mut pages = Pages::new(app);
        let fields = [("name", "alice"), ("password", PASSWORD), ("next", "/?x=1")];
        let answer = pages.submit("/-/sign-in", &fields).await.expect(303);
        assert_eq!(answer.header("location"), "/-/sign-in/code?next=%2F%3Fx%3D1");
        let pending = pages.session().unwrap().to_owned();
        assert!(!pages.get("/").await.expect(200).text().contains("<bdi>alice</bdi>"));
        let form = pages.get(answer.header("location")).await.expect(200);
        assert!(form.text().contains("one-time-code") && form.text().contains("/?x=1"));
        pages.submit("/-/sign-in/code", &[("code", "000000")]).await.expect(422);
        let shown = [("code", code(&secret, 1)), ("next", "/?x=1".to_owned())];
        let shown: Vec<(&str, &str)> = shown.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = pages.submit("/-/sign-in/code", &shown).await.expect(303);
        assert_eq!(answer.header("location"), "/?x=1");
        // A session that comes further goes on under another secret.
        assert_ne!(pages.session(), Some(pending.as_str()));
        assert!(pages.get("/").await.expect(200).text().contains("<bdi>alice</bdi>"));
    })
    .await;
}

#[tokio::test]
async fn a_server_without_accounts_asks_nobody_to_sign_in() {
    on_each_engine(async |app| {
        let mut pages = Pages::new(app);
        pages.get("/-/sign-in").await.expect(403);
        assert!(!pages.get("/").await.expect(200).text().contains("/-/sign-in"));
    })
    .await;
}
