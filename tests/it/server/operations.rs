//! `/`, `/healthz`, `/readyz` and `/metrics`.

use havre::blobs::faulty::{Fault, Operation};

use crate::support::{TestApp, on_each_engine, sha256};

/// The value of a line of the metrics; 0 when there is none yet.
async fn metric(app: &TestApp, line: &str) -> u64 {
    let answer = app.get("/metrics").await.expect(200);
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let value = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' ')?.parse().ok());
    value.unwrap_or(0)
}

async fn requests(app: &TestApp, action: &str, status: &str) -> u64 {
    metric(app, &format!("havre_requests_total{{action=\"{action}\",status=\"{status}\"}}")).await
}

#[tokio::test]
async fn a_server_that_runs_is_alive_and_ready() {
    on_each_engine(async |app| {
        assert_eq!(app.get("/healthz").await.expect(200).body, "ok\n");
        assert_eq!(app.get("/readyz").await.expect(200).body, "ready\n");
        for target in ["/healthz", "/readyz", "/metrics", "/"] {
            app.head(target).await.expect(200);
            assert_eq!(app.post(target).await.expect(405).header("allow"), "GET, HEAD");
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_whose_store_fails_is_alive_but_not_ready() {
    on_each_engine(async |app| {
        for fault in [Fault::NoSpace, Fault::ReadOnly, Fault::InputOutput] {
            app.store.fail_always(Operation::Probe, fault);
            let answer = app.get("/readyz").await.expect(503);
            let text = String::from_utf8(answer.body.to_vec()).unwrap();
            assert!(text.contains("database: ok") && text.contains("blob store: unavailable"), "{text}");
            app.get("/healthz").await.expect(200);
            app.store.mend();
            app.get("/readyz").await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn requests_are_counted_by_what_they_did_and_how_they_ended() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        let layer = sha256(&image.layer);
        app.get("/v2/").await.expect(200);
        app.get("/v2/some/app/manifests/v1").await.expect(200);
        app.get("/v2/some/app/manifests/v2").await.expect(404);
        app.head("/v2/some/app/manifests/v1").await.expect(200);
        app.get(format!("/v2/some/app/blobs/{layer}")).await.expect(200);
        app.get(format!("/v2/some/app/blobs/{layer}")).header("range", "bytes=0-0").await.expect(206);
        app.delete(format!("/v2/some/app/blobs/{layer}")).await.expect(405);
        app.get("/v2/some/app/tags/list").await.expect(200);
        app.get("/v2/_catalog").await.expect(200);
        app.get(format!("/v2/some/app/referrers/{layer}")).await.expect(200);
        app.get("/v2/nothing").await.expect(404);
        let expected = [
            ("base", "200", 1),
            ("manifest_put", "201", 1),
            ("manifest_get", "200", 1),
            ("manifest_get", "404", 1),
            ("manifest_head", "200", 1),
            ("blob_get", "200", 1),
            ("blob_get", "206", 1),
            ("blob_delete", "405", 1),
            ("upload_start", "202", 2),
            ("upload_put", "201", 2),
            ("tags", "200", 1),
            ("catalog", "200", 1),
            ("referrers", "200", 1),
            ("other", "404", 1),
        ];
        for (action, status, count) in expected {
            assert_eq!(requests(app, action, status).await, count, "{action} {status}");
        }
    })
    .await;
}

#[tokio::test]
async fn bytes_and_uploads_are_counted() {
    on_each_engine(async |app| {
        let digest = app.push_blob("some/app", vec![7; 10_000]).await;
        assert_eq!(metric(app, "havre_received_bytes_total").await, 10_000);
        let sent = metric(app, "havre_sent_bytes_total").await;
        app.get(format!("/v2/some/app/blobs/{digest}")).await.expect(200);
        assert!(metric(app, "havre_sent_bytes_total").await >= sent + 10_000);
        assert_eq!(metric(app, "havre_uploads_open").await, 0);
        let upload = app.begin("some/app").await;
        assert_eq!(metric(app, "havre_uploads_open").await, 1);
        app.delete(upload).await.expect(204);
        assert_eq!(metric(app, "havre_uploads_open").await, 0);
    })
    .await;
}

#[tokio::test]
async fn metrics_are_of_a_form_that_prometheus_reads() {
    on_each_engine(async |app| {
        app.push_blob("some/app", "x").await;
        let answer = app.get("/metrics").await.expect(200);
        assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.ends_with("# EOF\n"));
        for family in
            ["havre_request_duration_seconds", "havre_database_duration_seconds", "havre_store_duration_seconds"]
        {
            assert!(text.contains(&format!("# TYPE {family} histogram")), "{family}");
        }
        assert!(text.contains(&format!("havre_build_info{{version=\"{}\"", env!("CARGO_PKG_VERSION"))));
    })
    .await;
}

#[tokio::test]
async fn the_root_says_what_to_type() {
    on_each_engine(async |app| {
        let answer = app.get("/").header("host", "registry.example.org").await.expect(200);
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.contains("docker push registry.example.org/"), "{text}");
        let answer = app.get("/nothing").await.expect(404);
        assert!(answer.body.starts_with(b"There is nothing here"));
    })
    .await;
}
