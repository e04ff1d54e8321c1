//! What the database keeps of who changed what.

use crate::support::{TestApp, on_each_engine};

/// The texts of the rows that a query finds, column by column.
async fn texts<const N: usize>(app: &TestApp, sql: &'static str) -> Vec<[Option<String>; N]> {
    app.read(move |tx| {
        let rows = tx.query(sql, &[])?.into_iter().map(|mut row| {
            let mut texts = [const { None }; N];
            for (column, text) in texts.iter_mut().enumerate() {
                *text = row.opt_text(column)?;
            }
            Ok(texts)
        });
        rows.collect()
    })
    .await
}

#[tokio::test]
async fn an_event_tells_from_where_and_with_which_client_it_came() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        let target = format!("{upload}?digest={}", crate::support::sha256(b"x"));
        let answer = app.put(target).header("user-agent", "docker/28.2.2 go/1.23").body("x").await.expect(201);
        let sql = "SELECT e.kind, p.address, p.user_agent, e.actor, e.request_id FROM events e \
                   LEFT JOIN event_persons p ON p.event_id = e.id ORDER BY e.id";
        for ([kind, told @ ..], expected) in texts::<5>(app, sql).await.iter().zip(["repository.create", "blob.push"]) {
            let who = ["127.0.0.1", "docker/28.2.2 go/1.23", "anonymous", answer.header("x-request-id")];
            assert_eq!(kind.as_deref(), Some(expected));
            assert_eq!(told.each_ref().map(Option::as_deref), who.map(Some));
        }
        app.delete(format!("/v2/some/app/blobs/{}", crate::support::sha256(b"x"))).await.expect(202);
        let sql = "SELECT e.kind, p.address, p.user_agent FROM events e \
                   LEFT JOIN event_persons p ON p.event_id = e.id ORDER BY e.id";
        let told = texts::<3>(app, sql).await;
        let last = told.last().unwrap().each_ref().map(Option::as_deref);
        assert_eq!((told.len(), last), (3, [Some("blob.delete"), Some("127.0.0.1"), None]));
    })
    .await;
}

#[tokio::test]
async fn a_push_makes_a_namespace_that_nobody_owns() {
    on_each_engine(async |app| {
        app.push_blob("some/app", "x").await;
        app.push_blob("some/other/app", "x").await;
        app.push_blob("app", "x").await;
        let sql = "SELECT name, owner_kind FROM namespaces ORDER BY name";
        let told = texts::<2>(app, sql).await;
        let expected = [["library", "organisation"], ["some", "none"]].map(|row| row.map(|text| Some(text.to_owned())));
        assert_eq!(told, expected);
    })
    .await;
}
