//! `havre serve`: what it refuses, how it starts, how it ends.

use bytes::Bytes;
use tokio::net::TcpStream;

use super::process::{Place, file_of};
use crate::support::{Client, blob, eventually, sha256};

async fn metrics(client: &Client) -> String {
    String::from_utf8(client.get("/metrics").await.expect(200).body.to_vec()).unwrap()
}

#[test]
fn strangers_are_only_let_in_when_that_is_said() {
    let place = Place::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:5000"] {
        let refused = place.run(&["serve", "--listen", address]).exits(2);
        let refused = refused.complains(&format!("refusing to listen on {address}"));
        refused.complains("listen on 127.0.0.1").complains("add --insecure-http");
    }
    // One among several is enough.
    place.run(&["serve", "--listen", "127.0.0.1:0,0.0.0.0:0"]).exits(2).complains("--tls-cert");
    // Nothing was made.
    assert!(!place.data().exists());
}

#[tokio::test]
async fn an_open_server_says_in_its_log_that_it_is() {
    let place = Place::new();
    let log = place.serve(&["--listen", "0.0.0.0:0"]).stop().await;
    let warning = "everybody may read, overwrite and delete every image";
    assert!(log.contains("WARN") && log.contains(warning), "{log}");
    let log = Place::new().serve_with(&[], &[]).stop().await;
    assert!(!log.contains(warning), "{log}");
}

#[tokio::test]
async fn a_server_says_what_to_do_first() {
    let place = Place::new();
    let serving = place.serve(&[]);
    let address = serving.address;
    let log = serving.stop().await;
    assert!(log.contains(&format!("serving http://{address}")), "{log}");
    assert!(log.contains(&format!("docker push {address}/")), "{log}");
    let log = place.serve(&["--public-url", "https://registry.example.org"]).stop().await;
    assert!(log.contains("docker push registry.example.org/"), "{log}");
}

#[tokio::test]
async fn what_was_pushed_is_there_when_the_server_starts_again() {
    let place = Place::new();
    let serving = place.serve(&[]);
    let image = serving.client().push_image("mon-app", "v1", "a").await;
    serving.stop().await;
    // After a crash too.
    for _ in 0..2 {
        let serving = place.serve(&[]);
        let answer = serving.client().get("/v2/mon-app/manifests/v1").await.expect(200);
        assert_eq!(answer.body, image.manifest.bytes());
        let layer = sha256(&image.layer);
        let answer = serving.client().get(format!("/v2/mon-app/blobs/{layer}")).await.expect(200);
        assert_eq!(answer.body, image.layer);
        serving.client().push_image("mon-app", "v2", "b").await;
        serving.kill();
        place.run(&["check", "--deep"]).exits(0).says("no fault");
    }
}

#[tokio::test]
async fn a_relaxed_server_loses_nothing_by_ending() {
    let place = Place::new();
    let relaxed = ["--set", "storage.durability=relaxed"];
    let serving = place.serve(&relaxed);
    let first = serving.client().push_image("mon-app", "v1", "a").await;
    serving.stop().await;
    let serving = place.serve(&relaxed);
    let second = serving.client().push_image("mon-app", "v2", "b").await;
    // The operating system has what was acknowledged: only a loss of power takes it.
    serving.kill();
    let serving = place.serve(&relaxed);
    for (tag, image) in [("v1", first), ("v2", second)] {
        let answer = serving.client().get(format!("/v2/mon-app/manifests/{tag}")).await.expect(200);
        assert_eq!(answer.body, image.manifest.bytes());
        let layer = format!("/v2/mon-app/blobs/{}", sha256(&image.layer));
        assert_eq!(serving.client().get(layer).await.expect(200).body, image.layer);
    }
    serving.stop().await;
    place.run(&["check", "--deep"]).exits(0).says("no fault");
    place.run(&["serve", "--durability", "some"]).exits(2).complains("relaxed");
}

#[tokio::test]
async fn an_upload_that_a_crash_interrupted_goes_on() {
    let place = Place::new();
    let bytes = blob(1, 3_000_000);
    let serving = place.serve(&[]);
    let client = serving.client();
    let upload = client.begin("some/app").await;
    client.patch(&upload).body(bytes.slice(..1_000_000)).await.expect(202);
    // One is under way when the server dies, and holds the session.
    let (patch, body) = client.patch(&upload).streamed();
    let patch = tokio::spawn(patch.try_send());
    body.send(bytes.slice(1_000_000..2_000_000)).await;
    eventually(async || metrics(&client).await.contains("havre_received_bytes_total 2000000\n")).await;
    serving.kill();
    assert!(patch.await.unwrap().is_err());
    let serving = place.serve(&[]);
    let client = serving.client();
    let received = client.get(&upload).await.expect(204).header("range")[2..].parse::<usize>().unwrap() + 1;
    assert!(received >= 1_000_000);
    client.patch(&upload).body(bytes.slice(received..)).await.expect(202);
    client.put(format!("{upload}?digest={}", sha256(&bytes))).await.expect(201);
}

#[tokio::test]
async fn a_server_told_to_stop_lets_transfers_finish() {
    let place = Place::new();
    let serving = place.serve(&[]);
    let client = serving.client();
    let bytes = blob(1, 200_000);
    let target = format!("/v2/some/app/blobs/uploads/?digest={}", sha256(&bytes));
    let (post, body) = client.post(&target).streamed();
    let post = tokio::spawn(post.into_future());
    body.send(bytes.slice(..100_000)).await;
    // The request has arrived when its session is there.
    eventually(async || metrics(&client).await.contains("havre_uploads_open 1\n")).await;
    serving.terminate();
    eventually(async || TcpStream::connect(serving.address).await.is_err()).await;
    body.send(bytes.slice(100_000..)).await;
    drop(body);
    post.await.unwrap().expect(201);
    let (status, log) = serving.wait().await;
    assert!(status.success(), "{log}");
    assert!(log.contains("transfers under way may finish") && log.contains("stopped"), "{log}");
}

#[tokio::test]
async fn transfers_that_do_not_finish_are_cut() {
    let place = Place::new();
    let serving = place.serve(&["--set", "server.shutdown_timeout=0s"]);
    let client = serving.client();
    let (post, body) = client.post(format!("/v2/some/app/blobs/uploads/?digest={}", sha256(b""))).streamed();
    let post = tokio::spawn(post.try_send());
    body.send(Bytes::from("x")).await;
    eventually(async || metrics(&client).await.contains("havre_uploads_open 1\n")).await;
    serving.terminate();
    let (status, log) = serving.wait().await;
    assert!(status.success() && log.contains("were cut"), "{status}: {log}");
    assert!(post.await.unwrap().is_err());
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused() {
    let place = Place::new();
    let serving = place.serve(&[]);
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0"]).exits(2);
    refused.complains("another havre serves from havre-data").complains("--data-dir");
    serving.stop().await;
    place.serve(&[]).stop().await;
}

#[test]
fn a_port_that_is_taken_is_told() {
    let (place, other) = (Place::new(), Place::new());
    let serving = place.serve(&[]);
    let address = serving.address.to_string();
    let refused = other.run(&["serve", "--listen", &address]).exits(2);
    refused.complains(&format!("cannot listen on {address}")).complains("--listen");
}

#[tokio::test]
async fn a_start_that_finds_its_ports_taken_shows_no_password_to_nobody() {
    let (place, other) = (Place::new(), Place::new());
    let serving = place.serve(&[]);
    let taken = serving.address.to_string();
    let domain = ["serve", "--listen", "127.0.0.1:0", "--domain", "registry.example.org"];
    for args in
        [&["serve", "--listen", &taken][..], &[&domain[..], &["--set", &format!("acme.http_listen={taken}")]].concat()]
    {
        let refused = other.run(args).exits(2).complains("cannot listen on");
        assert!(!refused.stderr.contains("password:"), "{}", refused.stderr);
    }
    let file = other.data().join("initial-admin-password");
    assert!(!file.exists());
    let log = other.serve_with(&[], &[]).stop().await;
    assert!(log.contains("password:") && file.exists(), "{log}");
    let reminder = "stands in havre-data/initial-admin-password";
    for _ in 0..2 {
        let log = other.serve_with(&[], &[]).stop().await;
        assert!(log.contains(reminder) && log.contains("havre admin reset-password"), "{log}");
    }
    std::fs::remove_file(file).unwrap();
    let log = other.serve_with(&[], &[]).stop().await;
    assert!(!log.contains(reminder), "{log}");
}

#[test]
fn a_data_directory_that_cannot_be_made_is_told() {
    let place = Place::new();
    std::fs::write(place.path().join("file"), "").unwrap();
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", "file/data"]).exits(2);
    refused.complains("cannot use the data directory file/data").complains("--data-dir");
}

#[tokio::test]
async fn a_schema_newer_than_the_binary_is_refused() {
    let place = Place::new();
    place.serve(&[]).stop().await;
    let database = rusqlite::Connection::open(place.data().join("havre.db")).unwrap();
    let newer = "INSERT INTO schema_migrations (version, name, applied_at) VALUES (999, '0999_later', 0)";
    database.execute(newer, []).unwrap();
    drop(database);
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["check"]] {
        place.run(args).exits(2).complains("schema version 999").complains("start the newer havre");
    }
}

#[test]
fn a_file_that_is_no_database_is_told() {
    let place = Place::new();
    std::fs::create_dir(place.data()).unwrap();
    std::fs::write(place.data().join("havre.db"), "this is no database, and long enough to be looked at").unwrap();
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0"]).exits(2);
    refused.complains("error:");
}

#[tokio::test]
async fn systemd_is_told_when_the_server_serves_and_when_it_stops() {
    let place = Place::new();
    let socket = place.path().join("notify");
    let systemd = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let told = || {
        let mut message = [0; 256];
        let length = systemd.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    };
    let serving = place.serve_with(&[], &[("NOTIFY_SOCKET", socket.as_os_str())]);
    assert!(told().contains("READY=1"));
    serving.stop().await;
    assert!(told().contains("STOPPING=1"));
}

#[tokio::test]
async fn a_server_goes_on_when_nobody_reads_its_logs_any_more() {
    let place = Place::new();
    let serving = place.serve_unheard();
    let client = serving.client();
    for round in ["a", "b", "c"] {
        let image = client.push_image("some/app", round, round).await;
        // A blob whose file is gone is told in the log; each request is, in the access log.
        for bytes in [&image.config, &image.layer] {
            std::fs::remove_file(file_of(&place, &sha256(bytes))).unwrap();
            client.get(format!("/v2/some/app/blobs/{}", sha256(bytes))).await.refused(404, "BLOB_UNKNOWN");
        }
        assert_eq!(
            client.get(format!("/v2/some/app/manifests/{round}")).await.expect(200).body,
            image.manifest.bytes()
        );
    }
    serving.stop().await;
}
