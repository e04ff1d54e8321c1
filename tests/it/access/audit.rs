//! The audit: what is written down, its chain, tampering that is found, erasure, and the counting of pulls.

use havre::clock;
use havre::db::{self, Tx, pulls};
use havre::registry::accounts::users;
use havre::registry::audit::{self, Broken, Fault, Filter, Verified};
use havre::registry::{Ctx, Registry, sweep};

use crate::support::{Manifest, Setup, TestApp, on_each_engine, on_each_engine_with_accounts};

fn ctx() -> Ctx {
    Ctx::system(clock::now())
}

async fn settle(app: &TestApp) {
    assert!(!app.app.audit_once(false).await, "the audit is not behind");
}

async fn verify(app: &TestApp) -> Verified {
    audit::verify(&app.app.registry, None, |_| {}).await.unwrap()
}

#[track_caller]
fn assert_broken(verified: &Verified, seq: i64, fault: Fault) {
    let found = verified.broken.map(|Broken { seq, fault, .. }| (seq, fault));
    assert_eq!(found, Some((seq, fault)), "{verified:?}");
}

/// Makes some events and chains them; returns how many there are.
async fn some(app: &TestApp) -> i64 {
    for label in ["a", "b", "c"] {
        app.push_image("some/app", label, label).await;
    }
    settle(app).await;
    let verified = verify(app).await;
    assert_eq!((verified.broken, verified.unchained, verified.from), (None, 0, 0));
    assert!(verified.seq > 8, "{verified:?}");
    verified.seq
}

async fn run(app: &TestApp, sql: &'static [&'static str]) {
    let all = move |tx: &mut Tx<'_>| sql.iter().try_for_each(|sql| tx.execute(sql, &[]).map(drop));
    app.app.registry.db.write(all).await.unwrap();
}

#[tokio::test]
async fn tampering_is_found_and_located() {
    let cases: [(&'static [&'static str], Option<i64>, Fault); 9] = [
        (&["UPDATE events SET actor = 'user:somebody' WHERE seq = 4"], Some(4), Fault::Changed),
        (&["UPDATE events SET at = at + 1 WHERE seq = 1"], Some(1), Fault::Changed),
        (
            &["UPDATE event_persons SET address = '192.0.2.1' WHERE event_id = (SELECT id FROM events WHERE seq = 5)"],
            Some(5),
            Fault::Personal,
        ),
        (&["DELETE FROM events WHERE seq = 6"], Some(6), Fault::Missing),
        (&["DELETE FROM events WHERE seq = 1"], Some(1), Fault::Missing),
        (
            &[
                "UPDATE events SET seq = -3 WHERE seq = 3",
                "UPDATE events SET seq = 3 WHERE seq = 7",
                "UPDATE events SET seq = 7 WHERE seq = -3",
            ],
            Some(3),
            Fault::Moved,
        ),
        (
            &[
                "UPDATE events SET seq = -seq - 1 WHERE seq >= 5",
                "UPDATE events SET seq = -seq WHERE seq < 0",
                "INSERT INTO events (at, kind, actor, request_id, seq, hash) \
                 SELECT at, kind, actor, 'forged', 5, hash FROM events WHERE seq = 4",
            ],
            Some(5),
            Fault::Inserted,
        ),
        (&["DELETE FROM events WHERE seq = (SELECT MAX(seq) FROM events)"], None, Fault::Cut),
        (&["UPDATE audit_head SET seq = seq - 1"], None, Fault::Head),
    ];
    for (sql, seq, fault) in cases {
        on_each_engine(async |app| {
            let last = some(app).await;
            run(app, sql).await;
            let verified = verify(app).await;
            let expected = seq.unwrap_or(last);
            assert_broken(&verified, expected, fault);
            assert_eq!(
                verified.seq,
                if fault == Fault::Head { last } else { expected - 1 },
                "what is before is proved"
            );
        })
        .await;
    }
}

#[tokio::test]
async fn a_head_that_was_kept_shows_what_a_forged_end_hides() {
    on_each_engine(async |app| {
        let early = some(app).await;
        let old = app
            .read(|tx| {
                let mut row = tx.one("SELECT hash, mac FROM audit_head WHERE id = 1", &[])?;
                Ok((row.bytes(0)?, row.bytes(1)?))
            })
            .await;
        app.push_image("some/app", "d", "d").await;
        settle(app).await;
        let kept = audit::head(&app.app.registry).await.unwrap();
        // The end as it was earlier, in a database cut back to it: whole in itself.
        let back = move |tx: &mut Tx<'_>| {
            tx.execute("DELETE FROM events WHERE seq > $1", &[early.into()])?;
            let sql = "UPDATE audit_head SET seq = $1, hash = $2, mac = $3 WHERE id = 1";
            tx.execute(sql, &[early.into(), old.0.clone().into(), old.1.clone().into()])
        };
        app.app.registry.db.write(back).await.unwrap();
        assert_eq!(verify(app).await.broken, None);
        let verified = audit::verify(&app.app.registry, Some((kept.seq, kept.hash)), |_| {}).await.unwrap();
        assert_broken(&verified, early + 1, Fault::Cut);
    })
    .await;
}

/// Who can write the database alone has the chain made anew, by the server itself, over rows that were altered.
#[tokio::test]
async fn a_chain_is_not_made_anew_over_rows_that_were_altered() {
    on_each_engine(async |app| {
        some(app).await;
        run(
            app,
            &[
                "UPDATE events SET actor = 'user:forged' WHERE kind = 'manifest.push'",
                "UPDATE events SET seq = NULL, hash = NULL, personal = NULL",
                "UPDATE audit_head SET seq = 0, mac = NULL, holder = NULL, lease_until = 0",
            ],
        )
        .await;
        let genesis = |tx: &mut Tx<'_>| tx.execute("UPDATE audit_head SET hash = $1", &[vec![0_u8; 32].into()]);
        app.app.registry.db.write(genesis).await.unwrap();
        assert!(app.app.audit_once(false).await, "the server goes on with it");
        let registry = &app.app.registry;
        assert!(audit::verify(registry, registry.audit.kept(), |_| {}).await.unwrap().broken.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_chain_at_once_make_one_chain() {
    on_each_engine(async |app| {
        for round in 0..4 {
            let chain = async |registry: &Registry| {
                // In the future, so that no lease keeps one from it.
                let ctx = Ctx::system(clock::now() + round * 60_000_000);
                audit::chain(registry, &ctx).await.unwrap()
            };
            let registry = &app.app.registry;
            let label = format!("v{round}");
            let (..) = tokio::join!(app.push_image("some/app", &label, &label), chain(registry), chain(registry));
        }
        settle(app).await;
        let verified = verify(app).await;
        assert_eq!((verified.broken, verified.unchained), (None, 0));
    })
    .await;
}

#[tokio::test]
async fn an_erased_person_is_gone_from_the_events_and_the_proof_holds() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        alice.push_image("alice/app", "v1", "a").await;
        app.personal_token("alice", "laptop of Alice", &["read"]).await;
        app.as_pair("alice", "wrong password").get("/v2/").await.expect(401);
        let revoked = app.personal_token("alice", "old", &["read"]).await;
        app.revoke_token("alice", "old").await;
        app.as_pair("alice", &revoked).get("/v2/").await.expect(401);
        settle(app).await;
        let persons = "SELECT COUNT(*) FROM event_persons p JOIN users u ON p.person = 'user:' || u.public_id \
                       WHERE u.name LIKE '%alice%' OR u.state = 'erased'";
        let count = async || app.read(move |tx| tx.one(persons, &[])?.int(0)).await;
        assert!(count().await > 3);
        users::erase(&app.app.registry, &ctx(), "alice").await.unwrap();
        assert_eq!(count().await, 0);
        let typed = "SELECT COUNT(*) FROM event_persons WHERE name = 'alice'";
        assert_eq!(app.read(move |tx| tx.one(typed, &[])?.int(0)).await, 0);
        let named = "SELECT COUNT(*) FROM tokens WHERE name LIKE '%Alice%' OR last_used_address IS NOT NULL";
        assert_eq!(app.read(move |tx| tx.one(named, &[])?.int(0)).await, 0);
        settle(app).await;
        let verified = verify(app).await;
        assert_eq!((verified.broken, verified.unchained), (None, 0));
        assert!(verified.erased > 3, "{verified:?}");
    })
    .await;
}

#[tokio::test]
async fn signing_in_and_being_refused_are_written_down_without_a_flood() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").get("/v2/").await.expect(200);
        for _ in 0..3 {
            app.as_pair("bob", "wrong password").get("/v2/").await.expect(401);
            app.as_pair("nobody", "wrong password").get("/v2/").await.expect(401);
        }
        // The success is written by a task of its own.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        settle(app).await;
        let found = async |action: &str, actor: Option<&str>| {
            let filter =
                Filter { action: Some(action.to_owned()), actor: actor.map(str::to_owned), ..Filter::default() };
            audit::query(&app.app.registry, &filter, None, 100).await.unwrap()
        };
        let signed_in = found("account.sign_in", Some("alice")).await;
        assert_eq!(signed_in.len(), 1);
        assert_eq!(signed_in[0].actor_name.as_deref(), Some("alice"));
        let refused = found("account.sign_in_refused", None).await;
        assert_eq!(refused.len(), 2, "{refused:?}");
        for entry in &refused {
            assert_eq!(entry.event.result, "refused");
            assert!(entry.event.detail.as_deref().unwrap().contains("\"times\":3"));
        }
        let names: Vec<_> = refused.iter().map(|entry| entry.event.personal.clone().unwrap().name).collect();
        assert!(names.contains(&None) && names.contains(&Some("nobody".to_owned())), "{names:?}");
        assert_eq!(found("account.", None).await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn pulls_are_counted_and_children_apart() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let child = alice.push_image("alice/app", "amd64", "a").await;
        alice.delete("/v2/alice/app/manifests/amd64").await.expect(202);
        let index = Manifest::index(&[&child.manifest]);
        alice.push_manifest("alice/app", "v1", &index).await.expect(201);
        let (index, child) = (index.digest(), child.digest());
        let path = |reference: &str| format!("/v2/alice/app/manifests/{reference}");
        alice.head(path("v1")).await.expect(200);
        settle(app).await;
        let id = app.repository_id("alice/app").await;
        let counts = async |digest: String| {
            app.read(move |tx| {
                let digest = oci::Digest::parse(&digest).unwrap();
                let manifest = db::manifests::hold(tx, id, &digest)?.unwrap();
                Ok(pulls::of_manifest(tx, manifest)?.map(|(count, _)| (count.pulls, count.child_pulls)))
            })
            .await
        };
        assert!(app.read(move |tx| pulls::of_tag(tx, id, "v1")).await.is_some(), "a HEAD by tag is a pull of the tag");
        assert_eq!(counts(index.to_string()).await, None, "and none of the manifest");
        for _ in 0..3 {
            alice.get(path("v1")).await.expect(200);
            alice.get(path(&child.to_string())).await.expect(200);
        }
        alice.get(path(&index.to_string())).await.expect(200);
        let writes = app.read(|tx| tx.one("SELECT COUNT(*) FROM repository_pulls", &[])?.int(0)).await;
        assert_eq!(writes, 0, "no pull writes");
        settle(app).await;
        assert_eq!(counts(index.to_string()).await, Some((4, 0)));
        assert_eq!(counts(child.to_string()).await, Some((0, 3)));
        let days = app.read(move |tx| pulls::of_repository(tx, id, 0)).await;
        assert_eq!(days.iter().map(|(_, count)| (count.pulls, count.child_pulls)).collect::<Vec<_>>(), [(4, 3)]);
        let filter = Filter { action: Some("manifest.pull".into()), actor: Some("alice".into()), ..Filter::default() };
        assert_eq!(audit::query(&app.app.registry, &filter, None, 100).await.unwrap().len(), 3, "merged, with counts");
        alice.delete(path(&index.to_string())).await.expect(202);
        assert_eq!(app.read(move |tx| pulls::of_tag(tx, id, "v1")).await, None);
        let left = "SELECT COUNT(*) FROM manifest_pulls";
        assert_eq!(app.read(move |tx| tx.one(left, &[])?.int(0)).await, 1, "counters go with what they count");
        assert_eq!(app.read(move |tx| pulls::of_repository(tx, id, 0)).await.len(), 1, "the days stay");
    })
    .await;
}

#[tokio::test]
async fn old_events_are_removed_and_the_chain_is_proved_from_there_on() {
    let setup = Setup::default().set("audit.retention", "1h");
    setup
        .on_each_engine(async |app| {
            let last = some(app).await;
            let registry = &app.app.registry;
            sweep::sweep(registry, &ctx()).await.unwrap();
            assert_eq!(verify(app).await.from, 0, "not old enough");
            let later = Ctx::system(clock::now() + 7200 * 1_000_000);
            assert_eq!(sweep::sweep(registry, &later).await.unwrap().events, last as u64);
            let verified = verify(app).await;
            assert_eq!((verified.broken, verified.from, verified.seq), (None, last, last));
            app.push_image("some/app", "later", "later").await;
            settle(app).await;
            let verified = verify(app).await;
            assert_eq!((verified.broken, verified.from), (None, last));
            assert!(verified.seq > last);
            run(app, &["DELETE FROM audit_checkpoints"]).await;
            assert_broken(&verify(app).await, 1, Fault::Missing);
        })
        .await;
}
