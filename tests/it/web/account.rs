//! The pages of one's own account.

use crate::support::{
    Browser, PASSWORD, Pages, TestApp, code, on_each_engine, on_each_engine_with_accounts,
    on_each_engine_with_accounts_and,
};

const OTHER: &str = "staple orbit velvet ninety";
/// Each page that is looked at.
const PAGES: [&str; 9] = [
    "/-/account",
    "/-/account/email",
    "/-/account/password",
    "/-/account/second-factor",
    "/-/account/sessions",
    "/-/account/tokens",
    "/-/account/tokens/new",
    "/-/account/data",
    "/-/account/delete",
];

/// The text between two marks.
fn between<'t>(text: &'t str, begin: &str, end: &str) -> &'t str {
    let from = text.find(begin).unwrap_or_else(|| panic!("no {begin} in {text}")) + begin.len();
    text[from..].split(end).next().unwrap()
}

/// Makes all proofs too old for what takes a fresh one.
async fn age(app: &TestApp) {
    app.write("UPDATE sessions SET proved_at = proved_at - 601000000").await;
}

#[tokio::test]
async fn the_pages_are_for_who_is_signed_in_and_in_the_readers_language() {
    on_each_engine_with_accounts(async |app| {
        let mut nobody = Pages::new(app);
        let mut alice = Pages::sign_in(app, "alice").await;
        for path in PAGES {
            assert!(nobody.get(path).await.expect(401).text().contains("/-/sign-in?next=%2F-%2Faccount"), "{path}");
            assert!(alice.get(path).await.expect(200).text().contains("<h1>Your account</h1>"), "{path}");
        }
        nobody.get("/-/account/data/export").await.expect(401);
        nobody.submit("/-/account/tokens/new", &[("name", "x")]).await.expect(401);
        alice.language = "fr";
        for path in PAGES {
            let page = alice.get(path).await.expect(200).text();
            assert!(page.contains("<h1>Votre compte</h1>") && page.contains("Mot de passe"), "{path}");
        }
        // Filling in what would be refused when it is sent is spared.
        age(app).await;
        for path in ["/-/account/email", "/-/account/tokens/new", "/-/account/delete"] {
            let answer = alice.get(path).await.expect(303);
            let next = path.replace('/', "%2F");
            assert_eq!(answer.header("location"), format!("/-/sign-in/again?next={next}"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_without_accounts_says_so() {
    on_each_engine(async |app| {
        let mut pages = Pages::new(app);
        for path in PAGES.into_iter().chain(["/-/sign-up", "/-/account/reset", "/-/account/verify?token=x"]) {
            assert!(pages.get(path).await.expect(403).text().contains("no accounts"), "{path}");
        }
        pages.submit("/-/sign-up", &[("name", "x")]).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn a_profile_is_changed_and_shown_harmless() {
    on_each_engine_with_accounts(async |app| {
        let mut alice = Pages::sign_in(app, "alice").await;
        let fields = [("display_name", "<b>Alice</b> & co"), ("language", "fr")];
        let answer = alice.submit("/-/account", &fields).await.expect(303);
        let page = alice.get(answer.header("location")).await.expect(200).text();
        assert!(
            page.contains("Saved.") && !page.contains("<b>Alice") && page.contains("Alice&#60;/b&#62; &#38; co"),
            "{page}"
        );
        assert!(page.contains("<option value=\"fr\" selected>"));
        for wrong in ["x".repeat(129), "a\u{202e}b".to_owned()] {
            let refused = alice.submit("/-/account", &[("display_name", wrong.as_str()), ("language", "en")]).await;
            assert!(refused.expect(422).text().contains("aria-invalid"), "{wrong}");
        }
        // An empty one is none.
        alice.submit("/-/account", &[("display_name", " "), ("language", "en")]).await.expect(303);
        assert!(alice.get("/-/account").await.text().contains("name=\"display_name\" type=\"text\" value=\"\""));
    })
    .await;
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_present_one() {
    on_each_engine_with_accounts(async |app| {
        let [mut here, mut there] = [Pages::sign_in(app, "alice").await, Pages::sign_in(app, "alice").await];
        let path = "/-/account/password";
        let wrong = here.submit(path, &[("current", OTHER), ("password", OTHER)]).await.expect(422).text();
        assert!(wrong.contains("not your present password") && !wrong.contains(OTHER));
        let weak = here.submit(path, &[("current", PASSWORD), ("password", "alice")]).await.expect(422).text();
        assert!(weak.contains("too easy to guess"), "{weak}");
        there.get(path).await.expect(200);
        let answer = here.submit(path, &[("current", PASSWORD), ("password", OTHER)]).await.expect(303);
        assert!(here.get(answer.header("location")).await.expect(200).text().contains("The password is changed."));
        there.get(path).await.expect(401);
        app.as_pair("alice", OTHER).get("/v2/").await.expect(200);
        app.as_pair("alice", PASSWORD).get("/v2/").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn sessions_are_seen_and_ended_one_by_one_and_all_others() {
    on_each_engine_with_accounts(async |app| {
        let mut here = Pages::sign_in(app, "alice").await;
        assert!(!here.get("/-/account/sessions").await.text().contains("end-others"));
        let [mut two, mut three] = [Pages::sign_in(app, "alice").await, Pages::sign_in(app, "alice").await];
        let mut bob = Pages::sign_in(app, "bob").await;
        app.write("UPDATE sessions SET user_agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0 \"><i>'")
            .await;
        let page = here.get("/-/account/sessions").await.expect(200).text();
        assert_eq!(page.matches("name=\"session\"").count(), 2);
        assert!(page.contains("Firefox on Linux") && page.contains("127.0.0.1") && page.contains("this one"));
        assert!(!page.contains("\"><i>"), "what a program calls itself is escaped");
        let id = between(&page, "name=\"session\" value=\"", "\"").to_owned();
        bob.submit("/-/account/sessions/end", &[("session", id.as_str())]).await.expect(404);
        here.submit("/-/account/sessions/end", &[("session", id.as_str())]).await.expect(303);
        let ended = [two.get("/-/account").await.status, three.get("/-/account").await.status];
        assert_eq!(ended.iter().filter(|status| status.as_u16() == 401).count(), 1, "{ended:?}");
        here.submit("/-/account/sessions/end-others", &[]).await.expect(303);
        two.get("/-/account").await.expect(401);
        three.get("/-/account").await.expect(401);
        here.get("/-/account").await.expect(200);
        bob.get("/-/account").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_token_is_made_used_and_revoked() {
    on_each_engine_with_accounts(async |app| {
        let mut alice = Pages::sign_in(app, "alice").await;
        assert!(alice.get("/-/account/tokens").await.text().contains("No tokens yet"));
        alice.get("/-/account/tokens/new").await.expect(200);
        let fields = [
            ("name", "la<b>ptop"),
            ("scopes", "read"),
            ("scopes", "write"),
            ("on", "alice/app, alice/web-*"),
            ("expires", "30"),
        ];
        let made = alice.submit("/-/account/tokens/new", &fields).await.expect(200).text();
        assert!(made.contains("docker login ") && made.contains(" -u alice"), "{made}");
        let secret = format!("havre_pat_{}", between(&made, "havre_pat_", "<"));
        app.as_pair("alice", &secret).push_image("alice/app", "1", "a").await;
        let other = app.as_pair("alice", &secret).post("/v2/alice/other/blobs/uploads/").await;
        assert_eq!(other.status.as_u16(), 401, "{}", other.text());
        let page = alice.get("/-/account/tokens").await.expect(200).text();
        assert!(!page.contains("havre_pat_") && !page.contains("la<b>"), "{page}");
        assert!(page.contains("alice/web-*") && page.contains("read, write") && page.contains("in 29 days"), "{page}");
        // What was filled in wrong is said beside its field, and what was right stays.
        for (fields, says) in [
            (&[("name", "la<b>ptop"), ("scopes", "read"), ("expires", "none")][..], "You have a token"),
            (&[("name", "b"), ("expires", "none")], "Tick at least one"),
            (&[("name", "b"), ("scopes", "everything")], "Tick at least one"),
            (&[("name", "b"), ("scopes", "read"), ("on", "Not A Name")], "names no repositories"),
            (&[("name", ""), ("scopes", "read")], "1 to 64"),
        ] {
            let again = alice.submit("/-/account/tokens/new", fields).await.expect(422).text();
            assert!(again.contains(says) && !again.contains("la<b>"), "{says}: {again}");
        }
        let id = between(&page, "/-/account/tokens/", "/revoke").replace("new\">", "");
        let id = id.rsplit('/').next().unwrap().to_owned();
        let path = format!("/-/account/tokens/{id}/revoke");
        let mut bob = Pages::sign_in(app, "bob").await;
        bob.get(&path).await.expect(404);
        bob.submit(&path, &[]).await.expect(404);
        assert!(alice.get(&path).await.expect(200).text().contains("alice/app, alice/web-*"));
        app.as_pair("alice", &secret).get("/v2/").await.expect(200);
        alice.submit(&path, &[]).await.expect(303);
        app.as_pair("alice", &secret).get("/v2/").await.expect(401);
        alice.submit(&path, &[]).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_second_factor_is_set_up_shown_once_renewed_and_turned_off() {
    on_each_engine_with_accounts(async |app| {
        let mut alice = Pages::sign_in(app, "alice").await;
        let (home, set_up) = ("/-/account/second-factor", "/-/account/second-factor/set-up");
        assert_eq!(alice.get(set_up).await.expect(303).header("location"), home, "nothing was begun");
        assert_eq!(alice.submit(home, &[]).await.expect(303).header("location"), set_up);
        let page = alice.get(set_up).await.expect(200).text();
        assert!(page.contains("<svg class=\"qr\"") && page.contains("otpauth://totp/"));
        let secret = between(&page, "secret=", "&").to_owned();
        assert!(page.contains(&secret[..4]) && alice.get(set_up).await.text().contains(&secret), "loaded once more");
        let wrong = alice.submit(set_up, &[("code", "000000")]).await.expect(422).text();
        assert!(wrong.contains("The code is wrong") && wrong.contains(&secret));
        let before = alice.session().unwrap().to_owned();
        let mut other = Pages::sign_in(app, "alice").await;
        let shown = alice.submit(set_up, &[("code", code(&secret, 0).as_str())]).await.expect(200).text();
        assert_ne!(alice.session(), Some(before.as_str()), "the session goes on under another secret");
        other.get("/-/account").await.expect(401);
        let recovery = between(&shown, "<li><code>", "<").to_owned();
        assert_eq!((shown.matches("<li><code>").count(), recovery.len()), (10, 19));
        assert!(shown.contains("download=") && shown.contains(&format!("{recovery}%0A")));
        let page = alice.get(home).await.expect(200).text();
        assert!(page.contains("10 left") && !page.contains(&recovery));
        alice.submit(home, &[]).await.expect(422);
        // The form of the page that showed the codes belongs to the new session.
        alice.get("/-/account/second-factor/codes").await.expect(200);
        let fresh = alice.submit("/-/account/second-factor/codes", &[]).await.expect(200).text();
        assert!(!fresh.contains(&recovery));
        age(app).await;
        let refused = alice.submit("/-/account/second-factor/off", &[]).await.expect(303);
        let again = "/-/sign-in/again?next=%2F-%2Faccount%2Fsecond-factor%2Foff";
        assert_eq!(refused.header("location"), again);
        assert!(alice.get(again).await.expect(200).text().contains("one-time-code"));
        let next_code = between(&fresh, "<li><code>", "<").to_owned();
        let fields = [("password", PASSWORD), ("code", &next_code), ("next", "/-/account/second-factor/off")];
        let answer = alice.submit("/-/sign-in/again", &fields).await.expect(303);
        alice.get(answer.header("location")).await.expect(200);
        alice.submit("/-/account/second-factor/off", &[]).await.expect(303);
        assert!(alice.get(home).await.expect(200).text().contains("Set up"));
        app.as_user("alice").get("/v2/").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn where_everybody_has_to_have_a_second_factor_its_page_is_the_only_one_until_then() {
    on_each_engine_with_accounts_and(&[("auth.require_second_factor", "true")], async |app| {
        let mut alice = Pages::new(app);
        alice.get("/-/sign-in").await.expect(200);
        let fields = [("name", "alice"), ("password", PASSWORD), ("next", "/-/account")];
        let answer = alice.submit("/-/sign-in", &fields).await.expect(303);
        let home = "/-/account/second-factor";
        assert_eq!(answer.header("location"), home);
        assert_eq!(alice.get("/-/account/tokens").await.expect(303).header("location"), home);
        let page = alice.get(home).await.expect(200).text();
        assert!(page.contains("Everybody has to have a second factor") && !page.contains("/-/account/tokens"));
        alice.submit(home, &[]).await.expect(303);
        let page = alice.get("/-/account/second-factor/set-up").await.expect(200).text();
        let secret = between(&page, "secret=", "&").to_owned();
        alice.submit("/-/account/second-factor/set-up", &[("code", code(&secret, 0).as_str())]).await.expect(200);
        alice.get("/-/account/tokens").await.expect(200);
        // A session that waits for the code sees none of it.
        let mut pending = Pages::new(app);
        pending.get("/-/sign-in").await.expect(200);
        pending.submit("/-/sign-in", &[("name", "alice"), ("password", PASSWORD)]).await.expect(303);
        let location = pending.get(home).await.expect(303).header("location").to_owned();
        assert!(location.starts_with("/-/sign-in/code?next="), "{location}");
        pending.get("/").await.expect(200);
        pending.submit("/-/account/second-factor/off", &[]).await.expect(303);
        alice.get("/-/account").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn what_is_held_about_a_user_is_taken_away() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "1", "a").await;
        app.as_user("bob").push_image("bob/secret", "1", "b").await;
        app.personal_token("alice", "laptop", &["read"]).await;
        let mut alice = Pages::sign_in(app, "alice").await;
        assert!(alice.get("/-/account/data").await.expect(200).text().contains("/-/account/data/export"));
        let file = alice.get("/-/account/data/export").await.expect(200);
        assert_eq!(file.header("content-disposition"), "attachment; filename=\"alice.jsonl\"");
        let lines: Vec<serde_json::Value> =
            file.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds[..2], ["export", "profile"]);
        for kind in ["session", "token", "repository", "event"] {
            assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
        }
        assert!(!file.text().contains("bob") && !file.text().contains("havre_pat_"));
    })
    .await;
}

#[tokio::test]
async fn an_account_is_deleted_by_its_user_who_types_the_name_and_not_the_last_administrators() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "1", "a").await;
        let token = app.personal_token("alice", "laptop", &["read"]).await;
        let mut alice = Pages::sign_in(app, "alice").await;
        let path = "/-/account/delete";
        let page = alice.get(path).await.expect(200).text();
        assert!(page.contains("data-typed=\"alice\"") && page.contains("alice, for good"), "{page}");
        for typed in ["", "Alice", "bob"] {
            let again = alice.submit(path, &[("confirm", typed)]).await.expect(422).text();
            assert!(again.contains("Type alice to confirm."), "{again}");
        }
        age(app).await;
        alice.submit(path, &[("confirm", "alice")]).await.expect(303);
        app.as_pair("alice", &token).get("/v2/").await.expect(200);
        let fields = [("password", PASSWORD), ("next", path)];
        alice.submit("/-/sign-in/again", &fields).await.expect(303);
        alice.get(path).await.expect(200);
        let answer = alice.submit(path, &[("confirm", " alice ")]).await.expect(303);
        assert!(alice.session().is_none());
        assert!(alice.get(answer.header("location")).await.expect(200).text().contains("Your account is deleted."));
        app.as_pair("alice", &token).get("/v2/").await.expect(401);
        app.as_user("alice").get("/v2/").await.expect(401);
        let mut admin = Pages::sign_in(app, "admin").await;
        let refused = admin.submit(path, &[("confirm", "admin")]).await.expect(422).text();
        assert!(refused.contains("admin is the only administrator"), "{refused}");
        app.as_user("admin").get("/v2/").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing_of_an_account() {
    on_each_engine_with_accounts(async |app| {
        let mut alice = Pages::sign_in(app, "alice").await;
        let csrf = alice.csrf.clone();
        for path in [
            "/-/account",
            "/-/account/password",
            "/-/account/tokens/new",
            "/-/account/second-factor",
            "/-/account/delete",
        ] {
            alice.send(path, &[("csrf", csrf.as_str()), ("confirm", "alice")], "cross-site").await.expect(403);
            alice.send(path, &[("confirm", "alice")], "same-origin").await.expect(403);
        }
        Browser::sign_in(app, "alice", None).await.get("/me").await.expect(200);
    })
    .await;
}
