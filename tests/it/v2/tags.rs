//! `GET /v2/<name>/tags/list`.

use crate::support::{Client, Image, on_each_engine};

/// A repository with tags, pushed in no order.
async fn push(client: &Client, repository: &str, tags: &[&str]) {
    let image = Image::new("a");
    client.push_blobs_of(repository, &image).await;
    for tag in tags {
        client.push_manifest(repository, tag, &image.manifest).await.expect(201);
    }
}

const TAGS: [&str; 9] = ["b", "B", "1.10", "a-1", "1.9", "_x", "a", "a.1", "A"];
const IN_ORDER: [&str; 9] = ["1.10", "1.9", "A", "B", "_x", "a", "a-1", "a.1", "b"];

#[tokio::test]
async fn tags_are_listed_in_ascii_order() {
    on_each_engine(async |app| {
        push(app, "some/app", &TAGS).await;
        let answer = app.get("/v2/some/app/tags/list").await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.json()["name"], "some/app");
        assert_eq!(answer.strings("tags"), IN_ORDER);
        assert!(answer.find("link").is_none());
        app.head("/v2/some/app/tags/list").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn links_lead_through_all_pages() {
    on_each_engine(async |app| {
        push(app, "some/app", &TAGS).await;
        for n in [1, 2, 4, 8] {
            let pages = app.pages(&format!("/v2/some/app/tags/list?n={n}"), "tags").await;
            assert!(pages[..pages.len() - 1].iter().all(|page| page.len() == n), "{pages:?}");
            assert!(pages.last().unwrap().len() <= n);
            assert_eq!(pages.concat(), IN_ORDER, "{n} a page");
        }
        // The last page has no link, full or not.
        for n in [9, 10, 10_001, 1_000_000] {
            let answer = app.get(format!("/v2/some/app/tags/list?n={n}")).await.expect(200);
            assert_eq!(answer.strings("tags"), IN_ORDER);
            assert!(answer.find("link").is_none(), "{n}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_begins_behind_last_whether_it_exists_or_not() {
    on_each_engine(async |app| {
        push(app, "some/app", &TAGS).await;
        let list =
            async |query: &str| app.get(format!("/v2/some/app/tags/list?{query}")).await.expect(200).strings("tags");
        assert_eq!(list("last=a").await, ["a-1", "a.1", "b"]);
        assert_eq!(list("last=a-").await, ["a-1", "a.1", "b"]);
        assert_eq!(list("last=A&n=2").await, ["B", "_x"]);
        assert_eq!(list("last=zzz").await, [""; 0]);
        assert_eq!(list("last=").await, IN_ORDER);
        // Nothing that a tag can be, but a place in the order all the same.
        assert_eq!(list("last=%C3%A9%27--").await, [""; 0]);
        // Not every database could take this one.
        app.get("/v2/some/app/tags/list?last=a%00").await.refused(400, "UNSUPPORTED");
    })
    .await;
}

#[tokio::test]
async fn a_page_of_none_is_empty_and_leads_nowhere() {
    on_each_engine(async |app| {
        push(app, "some/app", &["a"]).await;
        let answer = app.get("/v2/some/app/tags/list?n=0").await.expect(200);
        assert!(answer.strings("tags").is_empty() && answer.find("link").is_none());
        app.get("/v2/some/other/tags/list?n=0").await.refused(404, "NAME_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn a_page_size_that_is_no_number_is_refused() {
    on_each_engine(async |app| {
        push(app, "some/app", &["a"]).await;
        for n in ["x", "-1", "1.5", "", "99999999999999999999999", "0x10"] {
            let answer = app.get(format!("/v2/some/app/tags/list?n={n}")).await;
            let answer = answer.refused(400, "PAGINATION_NUMBER_INVALID");
            assert_eq!(answer.detail()["n"], n);
        }
    })
    .await;
}

#[tokio::test]
async fn the_tags_of_a_repository_that_is_not_there_are_refused() {
    on_each_engine(async |app| {
        app.get("/v2/some/app/tags/list").await.refused(404, "NAME_UNKNOWN");
        // One with a blob alone exists, and has none.
        app.push_blob("some/app", "x").await;
        assert!(app.get("/v2/some/app/tags/list").await.expect(200).strings("tags").is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_history_of_a_tag_is_written() {
    on_each_engine(async |app| {
        let (a, b) = (app.push_image("some/app", "v1", "a").await, app.push_image("some/app", "v1", "b").await);
        // The same again is no move.
        app.push_manifest("some/app", "v1", &b.manifest).await.expect(201);
        app.delete("/v2/some/app/manifests/v1").await.expect(202);
        let id = app.repository_id("some/app").await;
        let tag = oci::Tag::parse("v1").unwrap();
        let history = app.read(move |tx| havre::db::tags::history(tx, id, &tag, 10)).await;
        let moves: Vec<_> = history.into_iter().rev().map(|row| (row.previous, row.digest)).collect();
        let (a, b) = (a.digest(), b.digest());
        assert_eq!(moves, [(None, Some(a)), (Some(a), Some(b)), (Some(b), None)]);
        let kinds = app.events("some/app").await;
        let tags: Vec<_> = kinds.iter().filter(|kind| kind.starts_with("tag.")).collect();
        assert_eq!(tags, ["tag.create", "tag.move", "tag.delete"]);
    })
    .await;
}
