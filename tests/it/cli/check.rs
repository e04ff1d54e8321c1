//! `havre check`: what it finds, what it mends, and its exit codes.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;

use serde_json::Value;

use super::process::{Place, Serving, file_of};
use crate::support::{Image, sha256};

const ORPHAN: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

/// A place with an image in it, and no server.
async fn with_image() -> (Place, Image) {
    let place = Place::new();
    let serving = place.serve(&[]);
    let image = serving.client().push_image("some/app", "v1", "a").await;
    serving.stop().await;
    (place, image)
}

/// Puts bytes into the store that nothing knows of.
fn make_orphan(place: &Place) -> PathBuf {
    let hex = sha256(b"orphan").hex();
    let directory = place.data().join("store/blobs/sha256").join(&hex[..2]);
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(format!("{hex}.{ORPHAN}"));
    fs::write(&path, "orphan").unwrap();
    path
}

async fn push_again(serving: &Serving, image: &Image) {
    serving.client().push_blobs_of("some/app", image).await;
    for bytes in [&image.config, &image.layer] {
        let answer = serving.client().get(format!("/v2/some/app/blobs/{}", sha256(bytes))).await.expect(200);
        assert_eq!(answer.body, bytes);
    }
}

#[tokio::test]
async fn data_without_fault_is_clean() {
    let (place, _) = with_image().await;
    for args in [&["check"][..], &["check", "--deep"], &["check", "--repair"], &["check", "--deep", "--repair"]] {
        place.run(args).exits(0).says("ok: 2 blobs").says("1 manifests").says("no fault");
    }
}

#[test]
fn without_a_data_directory_there_is_nothing_to_check() {
    let place = Place::new();
    place.run(&["check"]).exits(2).complains("there is no registry in havre-data").complains("--data-dir");
    // And none was made.
    assert!(!place.data().exists());
}

#[tokio::test]
async fn a_blob_that_is_gone_is_found() {
    let (place, image) = with_image().await;
    let layer = sha256(&image.layer);
    fs::remove_file(file_of(&place, &layer)).unwrap();
    let found = place.run(&["check"]).exits(1);
    found.says(&format!("blob {layer} is gone from the store")).says("held by some/app").says("1 faults found");
}

#[tokio::test]
async fn a_truncated_blob_is_found() {
    let (place, image) = with_image().await;
    let layer = sha256(&image.layer);
    OpenOptions::new().write(true).open(file_of(&place, &layer)).unwrap().set_len(3).unwrap();
    place.run(&["check"]).exits(1).says(&format!("blob {layer} has another length"));
}

#[tokio::test]
async fn a_flipped_byte_is_found_by_a_deep_check() {
    let (place, image) = with_image().await;
    let layer = sha256(&image.layer);
    let file = file_of(&place, &layer);
    let mut bytes = fs::read(&file).unwrap();
    bytes[5] ^= 1;
    fs::write(&file, bytes).unwrap();
    place.run(&["check"]).exits(0);
    place.run(&["check", "--deep"]).exits(1).says(&format!("blob {layer} does not hash to its digest"));
}

#[tokio::test]
async fn bytes_that_nothing_accounts_for_are_found_and_removed() {
    let (place, _) = with_image().await;
    let orphan = make_orphan(&place);
    place.run(&["check"]).exits(1).says("nothing accounts for").says(ORPHAN).says("takes room only");
    assert!(orphan.exists());
    place.run(&["check", "--repair"]).exits(0).says("removed").says("all mended");
    assert!(!orphan.exists());
    place.run(&["check"]).exits(0);
}

#[tokio::test]
async fn damaged_blobs_are_taken_out_of_service_and_healed_by_a_push() {
    let (place, image) = with_image().await;
    let (config, layer) = (sha256(&image.config), sha256(&image.layer));
    fs::remove_file(file_of(&place, &config)).unwrap();
    fs::write(file_of(&place, &layer), vec![b'x'; image.layer.len()]).unwrap();
    let mended = place.run(&["check", "--deep", "--repair"]).exits(1);
    mended.says("taken out of service").says("push the images named above again");
    // It stays a fault until somebody pushes.
    place.run(&["check"]).exits(1).says("out of service since it was found damaged");
    let serving = place.serve(&[]);
    for digest in [config, layer] {
        serving.client().get(format!("/v2/some/app/blobs/{digest}")).await.refused(404, "BLOB_UNKNOWN");
        serving.client().head(format!("/v2/some/app/blobs/{digest}")).await.expect(404);
    }
    push_again(&serving, &image).await;
    serving.stop().await;
    place.run(&["check", "--deep", "--repair"]).exits(0);
}

#[tokio::test]
async fn faults_are_told_in_json() {
    let (place, image) = with_image().await;
    let layer = sha256(&image.layer);
    fs::remove_file(file_of(&place, &layer)).unwrap();
    make_orphan(&place);
    let outcome = place.run(&["check", "--json"]).exits(1);
    let lines: Vec<Value> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [missing, orphan, totals] = &lines[..] else { panic!("{}", outcome.stdout) };
    assert_eq!((&missing["fault"], &missing["digest"]), (&"blob-missing".into(), &layer.to_string().into()));
    assert_eq!(missing["repositories"], serde_json::json!(["some/app"]));
    assert_eq!((&orphan["fault"], &orphan["size"]), (&"orphan".into(), &6.into()));
    assert_eq!((&totals["faults"], &totals["left"]), (&2.into(), &2.into()));
    assert_eq!((&totals["checked"]["blobs"], &totals["checked"]["manifests"]), (&2.into(), &1.into()));
}

#[tokio::test]
async fn a_manifest_that_is_not_what_was_pushed_is_found() {
    let (place, image) = with_image().await;
    let database = rusqlite::Connection::open(place.data().join("havre.db")).unwrap();
    database.execute("UPDATE manifests SET content = CAST(content || x'20' AS BLOB)", []).unwrap();
    let digest = image.digest();
    place.run(&["check"]).exits(1).says(&format!("manifest {digest} of some/app does not hash to its digest"));
    database.execute("UPDATE manifests SET content = x'7b7d'", []).unwrap();
    place.run(&["check"]).exits(1).says(&format!("manifest {digest}"));
}

#[tokio::test]
async fn an_edge_that_a_manifest_does_not_have_is_found() {
    let (place, image) = with_image().await;
    let database = rusqlite::Connection::open(place.data().join("havre.db")).unwrap();
    database.execute("DELETE FROM manifest_edges WHERE kind = 'layer'", []).unwrap();
    let found = place.run(&["check"]).exits(1);
    found.says(&format!("manifest {} of some/app is linked to other content than it names", image.digest()));
}

#[tokio::test]
async fn a_check_runs_beside_a_server() {
    let place = Place::new();
    let serving = place.serve(&[]);
    let client = serving.client();
    let pushes = tokio::spawn(async move {
        for round in 0..40 {
            let image = client.push_image("some/app", "latest", &round.to_string()).await;
            client.delete(format!("/v2/some/app/manifests/{}", image.digest())).await.expect(202);
            client.delete(format!("/v2/some/app/blobs/{}", sha256(&image.layer))).await.expect(202);
        }
    });
    // Uploads under way are no faults.
    let upload = serving.client().begin("some/app").await;
    serving.client().patch(&upload).body("some bytes").await.expect(202);
    let mut checks = 0;
    while !pushes.is_finished() || checks == 0 {
        let mut command = place.command(&["check", "--deep"]);
        let checked = tokio::task::spawn_blocking(move || super::process::outcome(&mut command)).await.unwrap();
        checked.exits(0).says("no fault");
        checks += 1;
    }
    pushes.await.unwrap();
    serving.client().put(format!("{upload}?digest={}", sha256(b"some bytes"))).await.expect(201);
    serving.stop().await;
    place.run(&["check", "--deep"]).exits(0);
}
