//! `havre audit`, beside a server, after it was killed, and after somebody tampered.

use super::process::Place;

#[tokio::test]
async fn the_chain_is_proved_after_a_kill_and_tampering_ends_with_1() {
    let place = Place::new();
    let serving = place.serve(&[]);
    serving.client().push_image("some/app", "v1", "a").await;
    serving.kill();
    place.run(&["audit", "verify"]).exits(0).says("head: ");
    let serving = place.serve(&[]);
    serving.client().get("/v2/some/app/manifests/v1").await.expect(200);
    place.run(&["audit", "verify"]).exits(0).says("ok:");
    // A graceful stop leaves nothing behind.
    serving.stop().await;
    let verified = place.run(&["audit", "verify", "--json"]).exits(0);
    let verified: serde_json::Value = serde_json::from_str(&verified.stdout).unwrap();
    assert_eq!((&verified["whole"], &verified["unchained"]), (&true.into(), &0.into()), "{verified}");
    let head = place.run(&["audit", "head"]).exits(0).stdout;
    place.run(&["audit", "verify", "--head", head.trim()]).exits(0);
    let other = format!("{}:{}", verified["seq"], "0".repeat(64));
    place.run(&["audit", "verify", "--head", &other]).exits(1).says("not the chain");
    let query = ["audit", "query", "--action", "tag.", "--repository", "some/app", "--since", "1h"];
    place.run(&query).exits(0).says("tag.create\tanonymous\tsome/app");
    place.run(&["audit", "query", "--actor", "nobody"]).complains("there is no user or robot nobody");
    let csv = place.run(&["audit", "export", "--format", "csv"]).exits(0).says("seq,id,at,kind").stdout;
    let lines = place.run(&["audit", "export"]).exits(0).stdout;
    assert_eq!(csv.lines().count(), lines.lines().count() + 1);
    let counted: i64 = rusqlite::Connection::open(place.data().join("havre.db"))
        .unwrap()
        .query_row("SELECT SUM(pulls) FROM manifest_pulls", [], |row| row.get(0))
        .unwrap();
    assert_eq!(counted, 1, "a graceful stop writes what was counted");
    let database = rusqlite::Connection::open(place.data().join("havre.db")).unwrap();
    database.execute("UPDATE events SET tag = 'v2' WHERE kind = 'tag.create'", []).unwrap();
    drop(database);
    place.run(&["audit", "verify"]).exits(1).says("the event was changed");
    std::fs::remove_file(place.data().join("master-key")).unwrap();
    place.run(&["audit", "verify"]).exits(2).complains("master key");
}
