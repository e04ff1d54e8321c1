//! Certificates that nodes share: who renews which, and what is answered to authorities.

use std::sync::Arc;
use std::time::Duration;

use havre::auth::seal::{MasterKey, random};
use havre::registry::certificates::{self, Certificate, Proof};
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

async fn claims(registry: &Registry, now: i64) -> Option<u32> {
    certificates::claim(registry, now, REAL, DOMAIN).await.unwrap().map(|claim| claim.failures)
}

#[tokio::test]
async fn one_node_asks_at_a_time_and_another_takes_over_when_it_is_gone() {
    on_each_engine(async |app| {
        let (one, two) = (beside(app, "one"), beside(app, "two"));
        assert_eq!(claims(&one, NOW).await, Some(0));
        assert_eq!(claims(&two, NOW + SECOND).await, None);
        assert_eq!(claims(&one, NOW + 2 * SECOND).await, Some(0), "after a crash, the same node goes on at once");
        let over = NOW + 3 * SECOND + certificates::LEASE.as_micros() as i64;
        assert_eq!(claims(&two, over).await, Some(0));
        // The one that came too late changes nothing.
        let hour = Duration::from_hours(1);
        certificates::postpone(&one, over, REAL, DOMAIN, hour, "too late").await.unwrap();
        assert_eq!(claims(&one, over).await, None);
        certificates::postpone(&two, over, REAL, DOMAIN, hour, "unreachable").await.unwrap();
        for registry in [&one, &two] {
            assert_eq!(claims(registry, over + HOUR - 1).await, None);
        }
        let status = certificates::status(&one, REAL, DOMAIN).await.unwrap();
        assert_eq!((status.not_after, status.failures, status.next_at), (None, 1, Some(over + HOUR)));
        assert_eq!(status.error.as_deref(), Some("unreachable"));
        assert_eq!(claims(&one, over + HOUR).await, Some(1));
    })
    .await;
}

#[tokio::test]
async fn a_certificate_is_shared_sealed_and_renewed_when_a_third_of_its_time_is_left() {
    on_each_engine(async |app| {
        let (one, two) = (beside(app, "one"), beside(app, "two"));
        let ctx = Ctx::system(NOW);
        assert_eq!(claims(&one, NOW).await, Some(0));
        let new = certificate("the key", NOW, NOW + 90 * HOUR);
        certificates::keep(&one, &ctx, REAL, DOMAIN, new.clone()).await.unwrap();
        assert!(certificates::find(&two, REAL, DOMAIN).await.unwrap() == Some(new));
        assert!(certificates::find(&two, STAGING, DOMAIN).await.unwrap().is_none(), "authorities are kept apart");
        let sealed = app.read(havre::db::certificates::sealed_keys).await;
        assert!(sealed.len() == 1 && !sealed[0].2.windows(7).any(|bytes| bytes == b"the key"));
        let issued = "SELECT COUNT(*) FROM events WHERE kind = 'certificate.issue'";
        assert_eq!(app.read(move |tx| tx.one(issued, &[])?.int(0)).await, 1);
        for registry in [&one, &two] {
            assert_eq!(claims(registry, NOW + 60 * HOUR - 1).await, None);
        }
        assert_eq!(claims(&two, NOW + 60 * HOUR).await, Some(0));
        // Renewed by one, the other one finds nothing to do.
        let renewed = certificate("another key", NOW + 60 * HOUR, NOW + 150 * HOUR);
        certificates::keep(&two, &ctx, REAL, DOMAIN, renewed).await.unwrap();
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
        claims(&one, NOW).await.unwrap();
        certificates::keep(&one, &Ctx::system(NOW), REAL, DOMAIN, certificate("k", NOW, NOW + HOUR)).await.unwrap();
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
        claims(&one, NOW).await.unwrap();
        certificates::keep(&one, &ctx, REAL, DOMAIN, certificate("k", NOW, NOW + 90 * HOUR)).await.unwrap();
        certificates::keep_account(&one, NOW, REAL, "account").await.unwrap();
        let other = MasterKey::new(&random::<32>()).unwrap();
        access::replace_keys(&one, &ctx, &other).await.unwrap();
        assert!(certificates::find(&one, REAL, DOMAIN).await.unwrap().is_none());
        assert_eq!(certificates::account(&one, REAL).await.unwrap(), None);
        assert_eq!(claims(&one, NOW).await, Some(0));
    })
    .await;
}
