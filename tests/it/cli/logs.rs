//! The logs of the whole program, in JSON: for machines that read them line by line.

use std::fs::{self, File};

use serde_json::Value;

use super::process::{Place, file_of};
use crate::support::sha256;

/// Every line, each an object.
fn lines(log: &str) -> Vec<Value> {
    let parsed = log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    let lines: Vec<Value> = parsed.collect();
    assert!(lines.iter().all(Value::is_object), "{log}");
    lines
}

#[tokio::test]
async fn every_line_of_both_logs_is_an_object() {
    let place = Place::new();
    let access = place.path().join("access.log");
    let serving = place.serve_logging(&["--log-format", "json"], File::create(&access).unwrap());
    let client = serving.client();
    let image = client.push_image("some/app", "v1", "a").await;
    let digest = sha256(&image.layer);
    fs::remove_file(file_of(&place, &digest)).unwrap();
    let asked = format!("/v2/some/app/blobs/{digest}");
    client.get(&asked).await.refused(404, "BLOB_UNKNOWN");
    let log = lines(&serving.stop().await);
    for line in &log {
        for field in ["timestamp", "level", "target", "message"] {
            assert!(line[field].is_string(), "{field} in {line}");
        }
    }
    assert!(log.iter().any(|line| line["message"].as_str().unwrap().starts_with("serving http://")));
    let access = lines(&fs::read_to_string(access).unwrap());
    for line in &access {
        for field in ["time", "client", "method", "path", "request_id", "user_agent"] {
            assert!(line[field].is_string(), "{field} in {line}");
        }
        for field in ["status", "bytes_sent", "duration"] {
            assert!(line[field].is_number(), "{field} in {line}");
        }
    }
    let pull = access.iter().find(|line| line["method"] == "GET" && line["path"] == asked.as_str()).expect("the pull");
    assert_eq!(pull["status"], 404);
    // What the log says of the missing bytes is found by the request's id.
    let told = log.iter().find(|line| line["request_id"] == pull["request_id"]);
    assert!(told.is_some_and(|line| line["level"] == "ERROR"), "{log:?}");
}
