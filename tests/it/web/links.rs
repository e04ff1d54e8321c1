//! Coming to an account, and back into one, by the links of mails: looking at one uses nothing up.

use havre::clock;
use havre::mail::Language;
use havre::registry::Ctx;
use havre::registry::accounts::{invitations, namespaces, recovery, users};

use crate::support::mails::{PASSWORD, mails_of, next_link, secret, with_mail};
use crate::support::{Pages, TestApp, on_each_engine_with_accounts, on_each_engine_with_accounts_and};

const OTHER: &str = "staple orbit velvet ninety";

fn ctx() -> Ctx {
    Ctx::system(clock::now())
}

/// Makes a user with a confirmed address.
async fn add(app: &TestApp, name: &str) {
    let add = users::Add {
        name: name.to_owned(),
        email: Some(format!("{name}@example.org")),
        display_name: None,
        admin: false,
        password: Some(PASSWORD.to_owned()),
    };
    users::add(&app.app.registry, &ctx(), add).await.unwrap();
    app.write("UPDATE users SET email_verified_at = 1 WHERE email IS NOT NULL").await;
}

#[tokio::test]
async fn somebody_signs_up_and_is_signed_in_by_the_link_and_the_password() {
    with_mail(async |app| {
        let mut pages = Pages::new(app);
        pages.language = "fr";
        assert!(pages.get("/-/sign-up").await.expect(200).text().contains("Créer un compte"));
        let fields = |name, password| {
            [("name", name), ("email", "alice@example.org"), ("display_name", "Alice"), ("password", password)]
        };
        let weak = pages.submit("/-/sign-up", &fields("alice", "alice")).await.expect(422).text();
        assert!(weak.contains("trop facile") && weak.contains("value=\"alice@example.org\""), "{weak}");
        let bad = pages.submit("/-/sign-up", &fields("Al<ice", OTHER)).await.expect(422).text();
        assert!(bad.contains("aria-invalid") && !bad.contains("Al<ice") && !bad.contains(OTHER), "{bad}");
        let sent = pages.submit("/-/sign-up", &fields("alice", OTHER)).await.expect(303);
        assert!(pages.get(sent.header("location")).await.expect(200).text().contains("Regardez vos courriels"));
        let mail = mails_of(app).await.pop().unwrap();
        let link = secret(&mail);
        let path = format!("/-/account/verify?token={link}");
        assert!(mail.contains(&format!("https://registry.example.org{path}")), "{mail}");
        // Scanners of mail look at links before their readers do.
        for _ in 0..2 {
            let page = Pages::new(app).get(&path).await.expect(200);
            assert!(page.text().contains("alice") && page.header("referrer-policy") == "same-origin");
        }
        app.as_pair("alice", OTHER).get("/v2/").await.expect(401);
        pages.get(&path).await.expect(200);
        let wrong = [("token", link.as_str()), ("password", PASSWORD)];
        pages.submit("/-/account/verify", &wrong).await.expect(422);
        let right = [("token", link.as_str()), ("password", OTHER)];
        assert_eq!(
            pages.submit("/-/account/verify", &right).await.expect(303).header("location"),
            "/?done=account-made"
        );
        assert!(pages.get("/?done=account-made").await.expect(200).text().contains("<bdi>alice</bdi>"));
        assert!(pages.get("/-/account").await.expect(200).text().contains("<option value=\"fr\" selected>"));
        Pages::new(app).get(&path).await.expect(410);
        assert_eq!(pages.get("/-/sign-up").await.expect(303).header("location"), "/");
    })
    .await;
}

#[tokio::test]
async fn where_nobody_signs_up_the_page_says_how_accounts_are_made() {
    for (rule, says) in [("off", "by the operator"), ("invite", "by invitation")] {
        on_each_engine_with_accounts_and(&[("auth.sign_up", rule)], async |app| {
            let mut pages = Pages::new(app);
            let page = pages.get("/-/sign-up").await.expect(200).text();
            assert!(page.contains(says) && !page.contains("name=\"email\""), "{page}");
            let fields = [("name", "carol"), ("email", "carol@example.org"), ("password", OTHER)];
            pages.submit("/-/sign-up", &fields).await.expect(422);
            app.as_pair("carol", OTHER).get("/v2/").await.expect(401);
        })
        .await;
    }
}

#[tokio::test]
async fn a_lost_password_is_replaced_by_a_link_that_looking_does_not_use_up() {
    with_mail(async |app| {
        add(app, "alice").await;
        let mut pages = Pages::new(app);
        pages.get("/-/account/reset").await.expect(200);
        // Whether there is such an account is not told.
        let answers = [
            pages.submit("/-/account/reset", &[("who", "nobody@example.org")]).await.expect(303),
            pages.submit("/-/account/reset", &[("who", " Alice@example.org ")]).await.expect(303),
        ];
        assert_eq!(answers[0].header("location"), answers[1].header("location"));
        assert!(pages.get(answers[0].header("location")).await.text().contains("If there is such an account"));
        let link = next_link(app).await;
        let path = format!("/-/account/reset?token={link}");
        for _ in 0..2 {
            assert!(Pages::new(app).get(&path).await.expect(200).text().contains("value=\"alice\""));
        }
        let weak = [("token", link.as_str()), ("password", "alice")];
        assert!(pages.submit("/-/account/reset/complete", &weak).await.expect(422).text().contains(&link));
        let right = [("token", link.as_str()), ("password", OTHER)];
        let done = pages.submit("/-/account/reset/complete", &right).await.expect(303);
        let form = pages.get(done.header("location")).await.expect(200).text();
        assert!(form.contains("value=\"alice\"") && form.contains("Sign in with the new one."), "{form}");
        app.as_pair("alice", OTHER).get("/v2/").await.expect(200);
        pages.submit("/-/account/reset/complete", &right).await.expect(410);
        pages.get(&path).await.expect(410);
        for nothing in ["x", "havre_lnk_", ""] {
            let page = pages.get(&format!("/-/account/verify?token={nothing}")).await.expect(410);
            assert!(page.text().contains("not valid"));
        }
        // One that an operator hands over leads to the same page.
        let text = recovery::link(&app.app.registry, &ctx(), "alice").await.unwrap();
        assert!(text.contains("/-/account/reset?token="), "{text}");
        pages.get(&format!("/-/account/reset?token={}", secret(&text))).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_address_is_changed_from_the_account_and_confirmed_by_the_link() {
    with_mail(async |app| {
        add(app, "alice").await;
        let mut alice = Pages::sign_in(app, "alice").await;
        assert!(alice.get("/-/account").await.text().contains("alice@example.org"));
        let wrong = alice.submit("/-/account/email", &[("email", "no<where")]).await.expect(422).text();
        assert!(wrong.contains("is not an e-mail address") && !wrong.contains("no<where"));
        let answer = alice.submit("/-/account/email", &[("email", "new@example.org")]).await.expect(303);
        assert!(alice.get(answer.header("location")).await.text().contains("on its way to the new address"));
        let link = secret(&mails_of(app).await.pop().unwrap());
        let path = format!("/-/account/confirm-email?token={link}");
        let mut elsewhere = Pages::new(app);
        for _ in 0..2 {
            assert!(elsewhere.get(&path).await.expect(200).text().contains("new@example.org"));
        }
        assert!(alice.get("/-/account").await.text().contains("alice@example.org"));
        elsewhere.submit("/-/account/confirm-email", &[("token", link.as_str())]).await.expect(303);
        assert!(alice.get("/-/account").await.text().contains("new@example.org"));
        elsewhere.submit("/-/account/confirm-email", &[("token", link.as_str())]).await.expect(410);
    })
    .await;
}

#[tokio::test]
async fn an_invitation_is_accepted_with_a_new_account_or_the_one_that_is_there() {
    with_mail(async |app| {
        let registry = &app.app.registry;
        namespaces::add_organisation(registry, &ctx(), "acme", None).await.unwrap();
        add(app, "bob").await;
        let invite = async |name: &str, fixed: Option<&str>| {
            let invite = invitations::Invite {
                email: format!("{name}@example.com"),
                name: fixed.map(str::to_owned),
                role: Some(("acme".to_owned(), "developer".to_owned())),
                language: Language::En,
            };
            secret(&invitations::create(registry, &ctx(), invite).await.unwrap().link)
        };
        let link = invite("carol", None).await;
        let path = format!("/-/account/invitation?token={link}");
        let mut carol = Pages::new(app);
        let page = carol.get(&path).await.expect(200).text();
        assert!(page.contains("acme") && page.contains("developer") && page.contains("name=\"name\""), "{page}");
        let weak = [("token", link.as_str()), ("name", "carol"), ("password", "carol")];
        carol.submit("/-/account/invitation", &weak).await.expect(422);
        let taken = [("token", link.as_str()), ("name", "bob"), ("password", OTHER)];
        assert!(carol.submit("/-/account/invitation", &taken).await.expect(422).text().contains("bob is taken"));
        let right = [("token", link.as_str()), ("name", "carol"), ("password", OTHER)];
        carol.submit("/-/account/invitation", &right).await.expect(303);
        assert!(carol.get("/-/account").await.expect(200).text().contains("carol@example.com"));
        app.as_pair("carol", OTHER).push_image("acme/app", "1", "a").await;
        carol.get(&path).await.expect(410);
        // The name that the invitation says is not another's to choose.
        let fixed = invite("dave", Some("dave")).await;
        let mut dave = Pages::new(app);
        assert!(
            !dave
                .get(&format!("/-/account/invitation?token={fixed}"))
                .await
                .expect(200)
                .text()
                .contains("name=\"name\"")
        );
        let other = [("token", fixed.as_str()), ("name", "mallory"), ("password", OTHER)];
        dave.submit("/-/account/invitation", &other).await.expect(303);
        assert!(dave.get("/-/account").await.expect(200).text().contains("<bdi>dave</bdi>"));
        // Who has an account signs in, comes back, and accepts.
        let link = invite("bob", None).await;
        let path = format!("/-/account/invitation?token={link}");
        let mut bob = Pages::new(app);
        assert!(bob.get(&path).await.expect(200).text().contains("Sign in to accept"));
        bob.submit("/-/account/invitation/accept", &[("token", link.as_str())]).await.expect(401);
        let mut bob = Pages::sign_in(app, "bob").await;
        let page = bob.get(&path).await.expect(200).text();
        assert!(page.contains("Accept as bob") && !page.contains("name=\"password\""), "{page}");
        let answer = bob.submit("/-/account/invitation/accept", &[("token", link.as_str())]).await.expect(303);
        assert_eq!(answer.header("location"), "/acme?done=invitation-accepted");
        app.as_pair("bob", PASSWORD).push_image("acme/other", "1", "b").await;
        bob.submit("/-/account/invitation/accept", &[("token", link.as_str())]).await.expect(410);
    })
    .await;
}

#[tokio::test]
async fn without_mails_the_page_says_whom_to_ask() {
    on_each_engine_with_accounts(async |app| {
        let mut pages = Pages::new(app);
        assert!(pages.get("/-/account/reset").await.expect(200).text().contains("havre user reset-link"));
        pages.submit("/-/account/reset", &[("who", "alice")]).await.expect(422);
    })
    .await;
}
