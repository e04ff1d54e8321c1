//! Sign-up, invitations and lost passwords, by the mails that a person gets.

use havre::clock;
use havre::mail::Language;
use havre::registry::access::sessions;
use havre::registry::accounts::{export, invitations, namespaces, recovery, second_factor, sign_up, users};
use havre::registry::{Account, Ctx, Error, Identity, mails};

use crate::support::mails::{PASSWORD, mails_of, secret, with_mail};
use crate::support::{Browser, eventually};

const OTHER: &str = "staple orbit velvet ninety";
const HOUR: i64 = 3600 * 1_000_000;

fn ctx() -> Ctx {
    Ctx::system(clock::now())
}

/// Circumstances some time from now.
fn later(by: i64) -> Ctx {
    Ctx::system(clock::now() + by)
}

fn alice() -> sign_up::SignUp {
    sign_up::SignUp {
        name: "alice".to_owned(),
        email: "Alice@example.org".to_owned(),
        display_name: Some("Alice\u{e9} A".to_owned()),
        password: PASSWORD.to_owned(),
        language: Language::Fr,
    }
}

fn is_dead_link<T>(result: Result<T, Error>) -> bool {
    result.err().is_some_and(|error| error.to_string().contains("not valid"))
}

#[tokio::test]
async fn who_signs_up_gets_an_account_by_the_link_in_the_mail() {
    with_mail(async |app| {
        let registry = &app.app.registry;
        sign_up::start(registry, &ctx(), alice()).await.unwrap();
        app.as_pair("alice", PASSWORD).get("/v2/").await.expect(401);
        let mail = mails_of(app).await.pop().unwrap();
        assert!(mail.contains("To: alice@example.org") && mail.contains("Auto-Submitted"), "{mail}");
        assert!(mail.contains("https://registry.example.org/-/account/verify?token="), "{mail}");
        let link = secret(&mail);
        assert!(is_dead_link(sign_up::verify(registry, &later(25 * HOUR), &link, PASSWORD).await), "expired");
        // That look did not use it up.
        // Who signed up with somebody else's address gets nothing when its owner follows the link.
        assert!(sign_up::verify(registry, &ctx(), &link, OTHER).await.is_err());
        assert_eq!(sign_up::verify(registry, &ctx(), &link, PASSWORD).await.unwrap(), "alice");
        assert!(is_dead_link(sign_up::verify(registry, &ctx(), &link, PASSWORD).await), "used");
        app.as_pair("alice", PASSWORD).get("/v2/").await.expect(200);
        app.as_pair("alice", PASSWORD).push_image("alice/app", "v1", "a").await;
        assert!(mails_of(app).await.is_empty(), "a mail is sent once");
    })
    .await;
}

#[tokio::test]
async fn an_address_that_has_an_account_is_told_so_by_mail_alone_and_holds_the_name_alike() {
    with_mail(async |app| {
        let registry = &app.app.registry;
        let add = users::Add {
            name: "owner".to_owned(),
            email: Some("alice@example.org".to_owned()),
            display_name: None,
            admin: false,
            password: None,
        };
        users::add(registry, &ctx(), add).await.unwrap();
        sign_up::start(registry, &ctx(), alice()).await.unwrap();
        let mails = mails_of(app).await;
        assert!(mails.len() == 1 && mails[0].contains("owner") && !mails[0].contains("havre_lnk_"), "{mails:?}");
        // The name is held whether or not the address had an account, and is free a day later.
        let other = || sign_up::SignUp { email: "bob@example.org".to_owned(), ..alice() };
        let held = sign_up::start(registry, &ctx(), other()).await.unwrap_err();
        assert!(held.to_string().contains("taken"), "{held}");
        sign_up::start(registry, &later(25 * HOUR), other()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_lost_password_is_replaced_by_a_link_that_opens_once() {
    with_mail(async |app| {
        let registry = &app.app.registry;
        sign_up::start(registry, &ctx(), alice()).await.unwrap();
        sign_up::verify(registry, &ctx(), &secret(&mails_of(app).await.pop().unwrap()), PASSWORD).await.unwrap();
        let refresh = app.as_pair("alice", PASSWORD);
        refresh.get("/v2/").await.expect(200);
        recovery::request(registry, &ctx(), "nobody@example.org").unwrap();
        recovery::request(registry, &ctx(), "ALICE@example.org").unwrap();
        let mut found = Vec::new();
        let mails = std::cell::RefCell::new(&mut found);
        eventually(async || {
            let new = mails_of(app).await;
            let mut all = mails.borrow_mut();
            all.extend(new);
            !all.is_empty()
        })
        .await;
        assert_eq!(found.len(), 1, "nobody is told of an account that is not there");
        let link = secret(&found[0]);
        assert!(is_dead_link(recovery::complete(registry, &later(2 * HOUR), &link, OTHER.to_owned()).await));
        recovery::complete(registry, &ctx(), &link, "password".to_owned()).await.unwrap_err();
        recovery::complete(registry, &ctx(), &link, OTHER.to_owned()).await.unwrap();
        assert!(is_dead_link(recovery::complete(registry, &ctx(), &link, PASSWORD.to_owned()).await));
        refresh.get("/v2/").await.expect(401);
        app.as_pair("alice", OTHER).get("/v2/").await.expect(200);
        let note = mails_of(app).await;
        assert!(note.len() == 1 && !note[0].contains("havre_lnk_"), "{note:?}");
        // A change of the password ends the links that were made before it.
        let link = recovery::link(registry, &ctx(), "alice").await.unwrap();
        app.set_password("alice", PASSWORD).await;
        assert!(is_dead_link(recovery::complete(registry, &ctx(), &secret(&link), OTHER.to_owned()).await));
    })
    .await;
}

#[tokio::test]
async fn an_address_is_changed_by_a_link_to_the_new_one_and_the_old_one_is_told() {
    with_mail(async |app| {
        let registry = &app.app.registry;
        sign_up::start(registry, &ctx(), alice()).await.unwrap();
        sign_up::verify(registry, &ctx(), &secret(&mails_of(app).await.pop().unwrap()), PASSWORD).await.unwrap();
        recovery::change_email(registry, &ctx(), "alice", "new@example.org").await.unwrap();
        let mail = mails_of(app).await.pop().unwrap();
        assert!(mail.contains("To: new@example.org"), "{mail}");
        assert_eq!(users::find(registry, "alice").await.unwrap().email.as_deref(), Some("alice@example.org"));
        recovery::confirm_email(registry, &ctx(), &secret(&mail)).await.unwrap();
        assert_eq!(users::find(registry, "alice").await.unwrap().email.as_deref(), Some("new@example.org"));
        assert!(mails_of(app).await.pop().unwrap().contains("To: alice@example.org"));
    })
    .await;
}

#[tokio::test]
async fn who_is_invited_gets_the_account_and_the_role() {
    with_mail(async |app| {
        let registry = &app.app.registry;
        namespaces::add_organisation(registry, &ctx(), "acme", None).await.unwrap();
        let invite = |role: &str| invitations::Invite {
            email: "carol@example.org".to_owned(),
            name: None,
            role: Some(("acme".to_owned(), role.to_owned())),
            language: Language::En,
        };
        let made = invitations::create(registry, &ctx(), invite("developer")).await.unwrap();
        let link = secret(&mails_of(app).await.pop().unwrap());
        assert_eq!(link, secret(&made.link));
        let carol = sign_up::SignUp { name: "carol".to_owned(), ..alice() };
        assert!(is_dead_link(invitations::accept_new(registry, &later(8 * 24 * HOUR), &link, carol.clone()).await));
        invitations::accept_new(registry, &ctx(), &link, carol.clone()).await.unwrap();
        assert!(is_dead_link(invitations::accept_new(registry, &ctx(), &link, carol).await));
        app.as_pair("carol", PASSWORD).push_image("acme/app", "v1", "a").await;
        // A developer chooses no members, and an owner does.
        let row = users::find(registry, "carol").await.unwrap();
        let account = Account {
            id: row.id,
            public_id: row.public_id.into(),
            name: "carol".into(),
            admin: false,
            second_factor: false,
        };
        let as_carol = Ctx { identity: Identity::User(account.into()), ..ctx() };
        assert!(invitations::create(registry, &as_carol, invite("guest")).await.is_err());
        app.grant("owner", "carol", "acme").await;
        let made = invitations::create(registry, &as_carol, invite("guest")).await.unwrap();
        assert_eq!(invitations::list(registry, &as_carol, Some("acme"), 0, 10).await.unwrap().len(), 1);
        invitations::revoke(registry, &as_carol, None, &made.id).await.unwrap();
        assert!(is_dead_link(invitations::accept(registry, &ctx(), &secret(&made.link), "carol").await));
    })
    .await;
}

#[tokio::test]
async fn a_mail_that_was_taken_by_a_process_that_ended_is_sent_later_and_once() {
    with_mail(async |app| {
        let registry = &app.app.registry;
        sign_up::start(registry, &ctx(), alice()).await.unwrap();
        assert!(mails::take(registry, &ctx()).await.unwrap().is_some());
        // Nobody else sends it meanwhile; once its time is over, somebody does.
        assert!(mails_of(app).await.is_empty());
        let due = mails::take(registry, &later(HOUR)).await.unwrap().unwrap();
        assert!(!mails::failed(registry, &ctx(), &due, false).await.unwrap());
        let due = mails::take(registry, &later(HOUR)).await.unwrap().unwrap();
        mails::sent(registry, &due).await.unwrap();
        assert!(mails::take(registry, &later(24 * HOUR)).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn an_export_tells_what_is_held_and_an_erasure_takes_it_away() {
    with_mail(async |app| {
        let registry = &app.app.registry;
        sign_up::start(registry, &ctx(), alice()).await.unwrap();
        sign_up::verify(registry, &ctx(), &secret(&mails_of(app).await.pop().unwrap()), PASSWORD).await.unwrap();
        app.as_pair("alice", PASSWORD).push_image("alice/app", "v1", "a").await;
        let token = app.personal_token("alice", "laptop", &["read"]).await;
        let mut export = export::start(registry, "alice").await.unwrap();
        let mut text = String::new();
        while let Some(lines) = export.next(registry).await.unwrap() {
            for line in lines {
                text.push_str(&line.to_string());
                text.push('\n');
            }
        }
        for part in
            ["havre-personal-data", "alice@example.org", "laptop", "\"alice/app\"", "manifest.push", "127.0.0.1"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains(&token) && !text.contains("argon2"), "{text}");
        let link = recovery::link(registry, &ctx(), "alice").await.unwrap();
        recovery::change_email(registry, &ctx(), "alice", "new@example.org").await.unwrap();
        users::erase(registry, &ctx(), "alice").await.unwrap();
        assert!(mails_of(app).await.is_empty(), "what was on its way is not sent");
        assert!(is_dead_link(recovery::complete(registry, &ctx(), &secret(&link), OTHER.to_owned()).await));
    })
    .await;
}

#[tokio::test]
async fn a_user_is_told_of_what_happens_to_the_second_factor() {
    with_mail(async |app| {
        let registry = &app.app.registry;
        let alice = sign_up::SignUp { language: Language::En, ..alice() };
        sign_up::start(registry, &ctx(), alice).await.unwrap();
        sign_up::verify(registry, &ctx(), &secret(&mails_of(app).await.pop().unwrap()), PASSWORD).await.unwrap();
        let told = async |of: &str| {
            let mails = mails_of(app).await;
            assert!(mails.len() == 1 && mails[0].contains("To: alice@example.org"), "{of}: {mails:?}");
            assert!(mails[0].contains(of) && mails[0].contains("the account alice"), "{of}: {}", mails[0]);
        };
        let mut browser = Browser::sign_in(app, "alice", None).await;
        let (_, codes) = browser.set_up().await;
        told("second factor was turned on").await;
        let from = |n: u8| Ctx { address: Some([192, 0, 2, n].into()), ..ctx() };
        let start = async |n: u8, code: &str| sessions::start(registry, &from(n), "alice", PASSWORD, Some(code)).await;
        for n in 1..10 {
            start(n, "000000").await.unwrap_err();
        }
        assert!(mails_of(app).await.is_empty());
        start(10, "000000").await.unwrap_err();
        told("knows the password").await;
        start(11, "000000").await.unwrap_err();
        start(12, &codes[0]).await.unwrap();
        told("with a recovery code").await;
        browser.delete("/users/alice/second-factor").await.expect(204);
        told("was turned off").await;
        browser.set_up().await;
        told("was turned on").await;
        second_factor::reset(registry, &ctx(), "alice").await.unwrap();
        told("took the second factor off").await;
    })
    .await;
}

#[tokio::test]
async fn an_invitation_ends_with_the_second_factor_of_who_made_it() {
    with_mail(async |app| {
        let registry = &app.app.registry;
        namespaces::add_organisation(registry, &ctx(), "acme", None).await.unwrap();
        let owner = users::Add {
            name: "owner".to_owned(),
            email: None,
            display_name: None,
            admin: false,
            password: Some(PASSWORD.to_owned()),
        };
        users::add(registry, &ctx(), owner).await.unwrap();
        app.grant("owner", "owner", "acme").await;
        Browser::sign_in(app, "owner", None).await.set_up().await;
        namespaces::require_second_factor(registry, &ctx(), "acme", true).await.unwrap();
        let row = users::find(registry, "owner").await.unwrap();
        let account = Account {
            id: row.id,
            public_id: row.public_id.into(),
            name: "owner".into(),
            admin: false,
            second_factor: true,
        };
        let as_owner = Ctx { identity: Identity::User(account.into()), ..ctx() };
        let made = async |email: &str| {
            let invite = invitations::Invite {
                email: email.to_owned(),
                name: None,
                role: Some(("acme".to_owned(), "guest".to_owned())),
                language: Language::En,
            };
            secret(&invitations::create(registry, &as_owner, invite).await.unwrap().link)
        };
        let (first, second) = (made("carol@example.org").await, made("dave@example.org").await);
        let named = |name: &str| sign_up::SignUp { name: name.to_owned(), ..alice() };
        invitations::accept_new(registry, &ctx(), &first, named("carol")).await.unwrap();
        second_factor::reset(registry, &ctx(), "owner").await.unwrap();
        assert!(is_dead_link(invitations::accept_new(registry, &ctx(), &second, named("dave")).await));
    })
    .await;
}
