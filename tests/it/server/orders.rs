//! Certificates that are ordered: from an authority that does as it should, and from some that do not.

use std::sync::Arc;

use havre::app::acme::Acme;
use havre::clock;
use havre::pki::Certificates as _;
use havre::registry::certificates::{self, Certificate, Claim, Status};
use havre::registry::{Ctx, Registry};
use tokio::task::JoinHandle;

use crate::support::{AcmeAuthority, Reply, Setup, TestApp, eventually, first_of, signed};

const DOMAIN: &str = "registry.example.org";
const DAY: i64 = 86_400 * 1_000_000;

/// A server that looks after its certificate, until it is dropped.
struct Node<'a> {
    app: &'a TestApp,
    authority: &'a AcmeAuthority,
    acme: Arc<Acme>,
    looking: JoinHandle<()>,
}

impl<'a> Node<'a> {
    async fn start(app: &'a TestApp, authority: &'a AcmeAuthority) -> Self {
        let acme = Acme::start(&app.app).await.unwrap().unwrap();
        let looking = tokio::spawn(Arc::clone(&acme).keep_forever());
        Self { app, authority, acme, looking }
    }

    fn registry(&self) -> &Registry {
        &self.app.app.registry
    }

    /// The certificate that clients are shown.
    fn shown(&self) -> Vec<u8> {
        self.acme.resolve(Some(DOMAIN)).unwrap().cert[0].to_vec()
    }

    fn shows_the_last(&self) -> bool {
        let chain = self.authority.chain();
        !chain.is_empty() && self.shown() == first_of(&chain)
    }

    async fn status(&self) -> Status {
        certificates::status(self.registry(), &self.authority.url, DOMAIN).await.unwrap()
    }

    async fn renew(&self) {
        let ctx = Ctx::system(clock::now());
        assert!(certificates::renew(self.registry(), &ctx, &self.authority.url, DOMAIN).await.unwrap());
    }

    async fn fails(&self, failures: u32, words: &str) {
        eventually(async || self.status().await.failures >= failures).await;
        let status = self.status().await;
        assert!(status.failures == failures && status.error.as_ref().unwrap().contains(words), "{words}: {status:?}");
        assert!(status.next_at.unwrap() > clock::now(), "it waits: {status:?}");
    }
}

impl Drop for Node<'_> {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

async fn with_authority(test: impl AsyncFn(&mut TestApp, &AcmeAuthority)) {
    let authority = AcmeAuthority::start().await;
    Setup::default()
        .set("acme.domains", DOMAIN)
        .set("acme.directory", &authority.url)
        .set("acme.ca_file", &authority.ca_file())
        .on_each_engine(async |app| {
            authority.reset();
            test(app, &authority).await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_asked_for_is_obtained_before_it_is_due() {
    with_authority(async |app, authority| {
        let node = Node::start(app, authority).await;
        eventually(async || node.shows_the_last()).await;
        eventually(async || node.status().await.not_after.is_some()).await;
        let first = node.shown();
        node.renew().await;
        assert!(node.status().await.asked);
        eventually(async || node.shows_the_last() && node.shown() != first).await;
        eventually(async || !node.status().await.asked).await;
        assert_eq!(authority.asked("/order"), 2);
        let renewals = "SELECT COUNT(*) FROM events WHERE kind = 'certificate.renew'";
        assert_eq!(app.read(move |tx| tx.one(renewals, &[])?.int(0)).await, 1);
        let ctx = Ctx::system(clock::now());
        let unknown = certificates::renew(node.registry(), &ctx, &authority.url, "other.example.org").await.unwrap();
        assert!(!unknown, "no server would");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_authority_gets_wrong_is_a_failure_and_nothing_worse() {
    with_authority(async |app, authority| {
        authority.answer("/directory", Reply::new(200, authority.directory_with("newNonce", "")));
        let node = Node::start(app, authority).await;
        node.fails(1, "`newNonce`").await;
        let pem = |count| "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".repeat(count);
        let limited = Reply::problem(429, "rateLimited").with("retry-after", "9000");
        let wrong: [(&'static str, Reply, &str); 5] = [
            ("/directory", Reply::new(502, "<html>"), "the authority answered 502"),
            ("/order", Reply::new(200, "x".repeat(300 * 1024)), "more than 256 KiB"),
            ("/certificate", Reply::new(200, pem(11)), "more than 10 certificates"),
            ("/order", Reply::problem(400, "userActionRequired"), "new terms"),
            ("/order", limited, "rateLimited"),
        ];
        for (failures, (path, reply, words)) in (2..).zip(wrong) {
            authority.behave();
            authority.answer(path, reply);
            node.renew().await;
            node.fails(failures, words).await;
        }
        assert!(node.status().await.next_at.unwrap() > clock::now() + 8900 * 1_000_000, "as long as it was asked to");
        authority.behave();
        // Until it is ready, an authority says when to look again: once in half an eternity.
        let processing = serde_json::json!({ "status": "processing", "authorizations": [], "finalize": "" });
        authority.answer("/order/1", Reply::new(200, processing.to_string()).with("retry-after", u64::MAX.to_string()));
        node.renew().await;
        let looks = authority.asked("/order/1");
        eventually(async || authority.asked("/order/1") > looks).await;
        authority.behave();
        eventually(async || node.shows_the_last()).await;
        eventually(async || node.status().await.failures == 0).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_due_when_it_comes_is_not_ordered_without_pause() {
    with_authority(async |app, authority| {
        authority.validity(-80, 10);
        let node = Node::start(app, authority).await;
        node.fails(1, "look at the clock").await;
        assert!(node.status().await.not_after.is_none());
        assert_eq!(authority.asked("/order"), 1);
        authority.validity(0, 90);
        node.renew().await;
        eventually(async || node.shows_the_last()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_be_kept_is_presented_kept_later_and_not_ordered_again() {
    with_authority(async |app, authority| {
        authority.hold("/certificate");
        let node = Node::start(app, authority).await;
        eventually(async || authority.asked("/certificate") > 0).await;
        app.write("ALTER TABLE acme_certificates RENAME TO acme_certificates_elsewhere").await;
        authority.hold("");
        eventually(async || node.shows_the_last()).await;
        // Several looks find that it cannot be kept, and would not know of it.
        tokio::time::sleep(std::time::Duration::from_secs(7)).await;
        app.write("ALTER TABLE acme_certificates_elsewhere RENAME TO acme_certificates").await;
        eventually(async || node.status().await.not_after.is_some()).await;
        assert!(node.shows_the_last());
        assert_eq!(authority.asked("/order"), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_of_no_use_is_made_anew() {
    with_authority(async |app, authority| {
        let now = clock::now();
        certificates::keep_account(&app.app.registry, now, &authority.url, "no account").await.unwrap();
        authority.answer("/order", Reply::problem(403, "unauthorized"));
        let node = Node::start(app, authority).await;
        // One that cannot be read is no reason to wait; one that the authority has deactivated is.
        node.fails(1, "another account is made").await;
        assert_eq!(authority.asked("/account"), 1);
        authority.behave();
        node.renew().await;
        eventually(async || node.shows_the_last()).await;
        assert_eq!(authority.asked("/account"), 2);
        authority.answer("/account", Reply::problem(403, "externalAccountRequired"));
        let kept = certificates::account(node.registry(), &authority.url).await.unwrap().unwrap();
        certificates::forget_account(node.registry(), &authority.url, &kept).await.unwrap();
        node.renew().await;
        node.fails(1, "acme.eab_key_id").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_and_cannot_be_used_counts_as_none() {
    with_authority(async |app, authority| {
        let ((chain, _), (_, key)) = (signed(DOMAIN), signed(DOMAIN));
        let now = clock::now();
        let mixed = Certificate { chain, key, not_before: now, not_after: now + 90 * DAY };
        let registry = &app.app.registry;
        let ctx = Ctx::system(now);
        certificates::keep(registry, &ctx, &authority.url, DOMAIN, Claim::default(), mixed).await.unwrap();
        let node = Node::start(app, authority).await;
        eventually(async || node.shows_the_last()).await;
        let shows = async || {
            let kept = certificates::find(registry, &authority.url, DOMAIN).await.unwrap().unwrap();
            first_of(&kept.certificate.chain) == node.shown()
        };
        eventually(shows).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_authority_turns_no_client_away() {
    with_authority(async |app, authority| {
        let registry = &app.app.registry;
        let now = clock::now();
        let keep = async |directory: &str, not_after: i64| {
            let (chain, key) = signed(DOMAIN);
            let first = first_of(&chain);
            let new = Certificate { chain, key, not_before: now, not_after };
            let ctx = Ctx::system(clock::now());
            certificates::keep(registry, &ctx, directory, DOMAIN, Claim::default(), new).await.unwrap();
            first
        };
        keep("https://older.example.org/directory", now + DAY).await;
        let before = keep("https://newer.example.org/directory", now + DAY).await;
        keep("https://over.example.org/directory", now - 1).await;
        keep("https://acme-staging-v02.api.letsencrypt.org/directory", now + DAY).await;
        authority.hold("/order");
        let node = Node::start(app, authority).await;
        assert!(node.shown() == before);
        authority.hold("");
        eventually(async || node.shows_the_last()).await;
    })
    .await;
}
