//! Certificates that nodes share: who renews which, and what is answered to authorities.

use std::sync::Arc;
use std::time::Duration;

use havre::auth::seal::{MasterKey, random};
use havre::registry::certificates::{self, Certificate, Claim, Proof};
use havre::registry::{Ctx, Registry, access};

use crate::support::{TestApp, on_each_engine};

const STAGING: &str = "https://staging.example.org/directory";
const REAL: &str = "https://real.example.org/directory";
const DOMAIN: &str = "registry.example.org";
const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;
/// Any time.
const NOW: i64 = 1_000_000 * HOUR;

/// Another server of the same database.
fn beside(app: &TestApp, node: &str) -> Registry {
    let ours = &app.app.registry;
    Registry {
        db: Arc::clone(&ours.db),
        blobs: Arc::clone(&ours.blobs),
        pool: Arc::clone(&ours.pool),
        access: Arc::clone(&ours.access),
        audit: Arc::clone(&ours.audit),
        images: Arc::clone(&ours.images),
        people: ours.people.clone(),
        instance: Arc::default(),
        settings: ours.settings.clone(),
        storage: ours.storage.clone(),
        lease: ours.lease,
        node: node.into(),
        boot: Arc::clone(&ours.boot),
    }
}

fn certificate(key: &str, not_before: i64, not_after: i64) -> Certificate {
    Certificate { chain: "the chain".to_owned(), key: key.to_owned(), not_before, not_after }
}

async fn claim(registry: &Registry, now: i64) -> Option<Claim> {
    certificates::claim(registry, now, REAL, DOMAIN, None).await.unwrap()
}

async fn claims(registry: &Registry, now: i64) -> Option<u32> {
    claim(registry, now).await.map(|claim| claim.failures)
}

async fn keep(registry: &Registry, now: i64, claim: Claim, new: Certificate) {
    certificates::keep(registry, &Ctx::system(now), REAL, DOMAIN, claim, new).await.unwrap();
}

async fn postpone(registry: &Registry, now: i64, claim: Claim, why: &str) {
    let hour = Duration::from_hours(1);
    certificates::postpone(registry, now, REAL, DOMAIN, claim, hour, why).await.unwrap();
}

/// Until when the certificate holds that is kept.
async fn kept(registry: &Registry) -> i64 {
    certificates::find(registry, REAL, DOMAIN).await.unwrap().unwrap().certificate.not_after
}

#[tokio::test]
async fn one_node_asks_at_a_time_and_another_takes_over_when_it_is_gone() {
    on_each_engine(async |app| {
        let (one, two) = (beside(app, "one"), beside(app, "two"));
        let late = claim(&one, NOW).await.unwrap();
        assert_eq!(late.failures, 0);
        assert_eq!(claims(&two, NOW + SECOND).await, None);
        let over = NOW + SECOND + certificates::LEASE.as_micros() as i64;
        let taken = claim(&two, over).await.unwrap();
        assert_eq!(taken.failures, 1, "the one before never came to an end");
        // The one that came too late changes nothing.
        certificates::expect(&two, over, DOMAIN, (Proof::Http, "token"), "token.http").await.unwrap();
        postpone(&one, over, late, "too late").await;
        assert_eq!(claims(&one, over).await, None);
        assert!(certificates::answer_over_http(&one, over, "token").await.unwrap().is_some(), "it is asked for yet");
        postpone(&two, over, taken, "unreachable").await;
        for registry in [&one, &two] {
            assert_eq!(claims(registry, over + HOUR - 1).await, None);
        }
        let status = certificates::status(&one, REAL, DOMAIN).await.unwrap();
        assert_eq!((status.not_after, status.failures, status.next_at), (None, 2, Some(over + HOUR)));
        assert_eq!(status.error.as_deref(), Some("unreachable"));
        assert_eq!(claims(&one, over + HOUR).await, Some(2));
    })
    .await;
}

#[tokio::test]
async fn an_order_that_ends_the_server_is_not_begun_without_end() {
    on_each_engine(async |app| {
        let one = beside(app, "one");
        assert_eq!(claims(&one, NOW).await, Some(0));
        assert_eq!(claims(&one, NOW + SECOND).await, Some(1), "after a crash, the same node goes on at once");
        assert_eq!(claims(&one, NOW + 2 * SECOND).await, None, "after another one it waits");
        let status = certificates::status(&one, REAL, DOMAIN).await.unwrap();
        assert!(status.failures == 2 && status.error.unwrap().contains("in the middle of the order"));
        assert_eq!(claims(&one, status.next_at.unwrap() - 1).await, None);
        assert_eq!(claims(&one, status.next_at.unwrap()).await, Some(2));
    })
    .await;
}

#[tokio::test]
async fn one_that_is_asked_for_is_ordered_at_once_and_until_it_is_there() {
    on_each_engine(async |app| {
        let one = beside(app, "one");
        let ask = async |now: i64| certificates::renew(&one, &Ctx::system(now), REAL, DOMAIN).await.unwrap();
        assert!(!ask(NOW).await, "nobody ever asked for it");
        let first = claim(&one, NOW).await.unwrap();
        keep(&one, NOW, first, certificate("k", NOW, NOW + 90 * HOUR)).await;
        assert_eq!(claims(&one, NOW + HOUR).await, None);
        assert!(ask(NOW + HOUR).await);
        let second = claim(&one, NOW + HOUR).await.unwrap();
        postpone(&one, NOW + HOUR, second, "unreachable").await;
        assert_eq!(claims(&one, NOW + 2 * HOUR - 1).await, None);
        let third = claim(&one, NOW + 2 * HOUR).await.unwrap();
        assert!(ask(NOW + 2 * HOUR + 1).await, "asked again while it is under way");
        postpone(&one, NOW + 2 * HOUR + 2, third, "unreachable").await;
        let fourth = claim(&one, NOW + 2 * HOUR + 3).await.unwrap();
        // What was asked for replaces what would have held longer.
        keep(&one, NOW + 3 * HOUR, fourth, certificate("k", NOW + 3 * HOUR, NOW + 50 * HOUR)).await;
        assert_eq!(kept(&one).await, NOW + 50 * HOUR);
        assert_eq!(claims(&one, NOW + 4 * HOUR).await, None, "it was asked for once");
    })
    .await;
}

#[tokio::test]
async fn what_comes_late_replaces_nothing_that_holds_longer_and_nobody_asks_again_at_once() {
    on_each_engine(async |app| {
        let (one, two) = (beside(app, "one"), beside(app, "two"));
        let late = claim(&one, NOW).await.unwrap();
        let over = NOW + certificates::LEASE.as_micros() as i64;
        let taken = claim(&two, over).await.unwrap();
        keep(&two, over, taken, certificate("k", NOW, NOW + 90 * HOUR)).await;
        keep(&one, over + 1, late, certificate("k", NOW, NOW + 80 * HOUR)).await;
        assert_eq!(kept(&one).await, NOW + 90 * HOUR);
        // Due as soon as it came, for whatever reason.
        let due = NOW + 60 * HOUR;
        let again = claim(&two, due).await.unwrap();
        keep(&two, due, again, certificate("k", due - 80 * HOUR, due + 10 * HOUR)).await;
        assert_eq!(claims(&two, due + HOUR - 1).await, None);
        assert_eq!(claims(&one, due + HOUR).await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn a_certificate_is_shared_sealed_and_renewed_when_a_third_of_its_time_is_left() {
    on_each_engine(async |app| {
        let (one, two) = (beside(app, "one"), beside(app, "two"));
        let first = claim(&one, NOW).await.unwrap();
        let new = certificate("the key", NOW, NOW + 90 * HOUR);
        keep(&one, NOW, first, new.clone()).await;
        let found = certificates::find(&two, REAL, DOMAIN).await.unwrap();
        assert!(found.map(|kept| kept.certificate) == Some(new));
        assert!(certificates::find(&two, STAGING, DOMAIN).await.unwrap().is_none(), "authorities are kept apart");
        let sealed = app.read(havre::db::certificates::sealed_keys).await;
        assert!(sealed.len() == 1 && !sealed[0].2.windows(7).any(|bytes| bytes == b"the key"));
        let issued = "SELECT COUNT(*) FROM events WHERE kind = 'certificate.issue'";
        assert_eq!(app.read(move |tx| tx.one(issued, &[])?.int(0)).await, 1);
        for registry in [&one, &two] {
            assert_eq!(claims(registry, NOW + 60 * HOUR - 1).await, None);
        }
        let due = claim(&two, NOW + 60 * HOUR).await.unwrap();
        // Renewed by one, the other one finds nothing to do.
        let renewed = certificate("another key", NOW + 60 * HOUR, NOW + 150 * HOUR);
        keep(&two, NOW + 60 * HOUR, due, renewed).await;
        assert_eq!(claims(&one, NOW + 60 * HOUR + 1).await, None);
    })
    .await;
}

#[tokio::test]
async fn what_an_authority_asks_is_answered_by_every_node_while_an_order_is_under_way() {
    on_each_engine(async |app| {
        let (one, two) = (beside(app, "one"), beside(app, "two"));
        let http = async |now| certificates::answer_over_http(&two, now, "token").await.unwrap();
        let tls = async |now| certificates::answer_over_tls(&two, now, DOMAIN).await.unwrap();
        certificates::expect(&one, NOW, DOMAIN, (Proof::Http, "token"), "token.http").await.unwrap();
        assert_eq!((http(NOW).await.as_deref(), tls(NOW).await), (Some("token.http"), None));
        certificates::expect(&one, NOW, DOMAIN, (Proof::TlsAlpn, "token"), "token.tls").await.unwrap();
        assert_eq!(tls(NOW).await.as_deref(), Some("token.tls"));
        assert_eq!((http(NOW + HOUR).await, tls(NOW + HOUR).await), (None, None), "not for ever");
        certificates::expect(&one, NOW, DOMAIN, (Proof::Http, "newer"), "newer.http").await.unwrap();
        assert_eq!(http(NOW).await, None, "the next order has questions of its own");
        certificates::expect(&one, NOW, DOMAIN, (Proof::Http, "token"), "token.http").await.unwrap();
        let claim = claim(&one, NOW).await.unwrap();
        keep(&one, NOW, claim, certificate("k", NOW, NOW + HOUR)).await;
        assert_eq!((http(NOW).await, tls(NOW).await), (None, None), "not once it is done");
    })
    .await;
}

#[tokio::test]
async fn nodes_share_one_account_at_an_authority() {
    on_each_engine(async |app| {
        let (one, two) = (beside(app, "one"), beside(app, "two"));
        assert_eq!(certificates::account(&one, REAL).await.unwrap(), None);
        assert_eq!(certificates::keep_account(&one, NOW, REAL, "first").await.unwrap(), "first");
        assert_eq!(certificates::keep_account(&two, NOW, REAL, "second").await.unwrap(), "first");
        certificates::forget_account(&two, REAL, "second").await.unwrap();
        assert_eq!(certificates::account(&one, REAL).await.unwrap().as_deref(), Some("first"));
        certificates::forget_account(&two, REAL, "first").await.unwrap();
        assert_eq!(certificates::account(&one, REAL).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn what_a_lost_master_key_sealed_is_asked_for_anew() {
    on_each_engine(async |app| {
        let one = beside(app, "one");
        let ctx = Ctx::system(NOW);
        let claim = claim(&one, NOW).await.unwrap();
        keep(&one, NOW, claim, certificate("k", NOW, NOW + 90 * HOUR)).await;
        certificates::keep_account(&one, NOW, REAL, "account").await.unwrap();
        let other = MasterKey::new(&random::<32>()).unwrap();
        access::replace_keys(&one, &ctx, &other).await.unwrap();
        assert!(certificates::find(&one, REAL, DOMAIN).await.unwrap().is_none());
        assert_eq!(certificates::account(&one, REAL).await.unwrap(), None);
        assert_eq!(claims(&one, NOW).await, Some(0));
    })
    .await;
}
