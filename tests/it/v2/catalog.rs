//! `GET /v2/_catalog`.

use crate::support::{Client, Manifest, on_each_engine};

const REPOSITORIES: [&str; 6] = ["b/x", "a/x", "a-b/x", "a/x/y", "solo", "a/b-c"];
const IN_ORDER: [&str; 6] = ["a-b/x", "a/b-c", "a/x", "a/x/y", "b/x", "library/solo"];

async fn push(client: &Client) {
    for repository in REPOSITORIES {
        client.push_manifest(repository, "v1", &Manifest::index(&[])).await.expect(201);
    }
}

#[tokio::test]
async fn repositories_are_listed_in_ascii_order_by_their_canonical_names() {
    on_each_engine(async |app| {
        let answer = app.get("/v2/_catalog").await.expect(200);
        assert!(answer.strings("repositories").is_empty());
        push(app).await;
        let answer = app.get("/v2/_catalog").await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.strings("repositories"), IN_ORDER);
        assert!(answer.find("link").is_none());
    })
    .await;
}

#[tokio::test]
async fn links_lead_through_all_pages() {
    on_each_engine(async |app| {
        push(app).await;
        for n in 1..=5 {
            let pages = app.pages(&format!("/v2/_catalog?n={n}"), "repositories").await;
            assert_eq!(pages.concat(), IN_ORDER, "{n} a page");
            assert_eq!(pages.len(), IN_ORDER.len().div_ceil(n), "{n} a page");
        }
        for n in [6, 7, 1_000_000] {
            assert_eq!(app.pages(&format!("/v2/_catalog?n={n}"), "repositories").await.len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_begins_behind_last() {
    on_each_engine(async |app| {
        push(app).await;
        let list =
            async |query: &str| app.get(format!("/v2/_catalog?{query}")).await.expect(200).strings("repositories");
        assert_eq!(list("last=a/x").await, ["a/x/y", "b/x", "library/solo"]);
        assert_eq!(list("last=a%2Fw&n=1").await, ["a/x"]);
        assert_eq!(list("last=zzz").await, [""; 0]);
        assert_eq!(list("n=0").await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_page_size_that_is_no_number_is_refused() {
    on_each_engine(async |app| {
        for n in ["x", "-1", "1e3"] {
            app.get(format!("/v2/_catalog?n={n}")).await.refused(400, "PAGINATION_NUMBER_INVALID");
        }
    })
    .await;
}

#[tokio::test]
async fn a_repository_without_a_manifest_is_not_listed() {
    on_each_engine(async |app| {
        app.push_blob("some/app", "x").await;
        let list = async || app.get("/v2/_catalog").await.expect(200).strings("repositories");
        assert!(list().await.is_empty());
        let manifest = Manifest::index(&[]);
        app.push_manifest("some/app", "v1", &manifest).await.expect(201);
        assert_eq!(list().await, ["some/app"]);
        app.delete(format!("/v2/some/app/manifests/{}", manifest.digest())).await.expect(202);
        assert!(list().await.is_empty());
    })
    .await;
}
