//! Personal tokens and robots.

use crate::support::on_each_engine_with_accounts;

#[tokio::test]
async fn a_token_reaches_as_far_as_its_scopes_and_dies_when_it_is_revoked() {
    on_each_engine_with_accounts(async |app| {
        app.as_user("alice").push_image("alice/app", "v1", "a").await;
        let reader = app.as_pair("alice", app.personal_token("alice", "reader", &["read"]).await);
        reader.get("/v2/alice/app/manifests/v1").await.expect(200);
        let refused = reader.post("/v2/alice/app/blobs/uploads/").await.refused(401, "UNAUTHORIZED");
        assert!(refused.header("www-authenticate").contains("insufficient_scope"));
        let jwt = app.as_bearer(&reader.token_for("repository:alice/app:pull,push").await);
        jwt.get("/v2/alice/app/manifests/v1").await.expect(200);
        jwt.post("/v2/alice/app/blobs/uploads/").await.refused(401, "UNAUTHORIZED");
        // Another name does not go with it.
        app.as_pair("bob", reader.secret()).get("/token").await.expect(401);
        app.revoke_token("alice", "reader").await;
        reader.get("/v2/").await.refused(401, "UNAUTHORIZED");
        jwt.get("/v2/alice/app/manifests/v1").await.refused(401, "UNAUTHORIZED");
        let writer = app.as_pair("alice", app.personal_token("alice", "writer", &["write"]).await);
        writer.push_image("alice/app", "v2", "b").await;
        writer.delete("/v2/alice/app/manifests/v2").await.refused(401, "UNAUTHORIZED");
    })
    .await;
}

#[tokio::test]
async fn a_token_about_some_repositories_neither_reaches_nor_lists_others() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        alice.push_image("alice/app", "v1", "a").await;
        alice.push_image("alice/other", "v1", "b").await;
        let secret = app.limited_token("alice", "narrow", &["read"], &["alice/app"]).await;
        let narrow = app.as_pair("alice", secret);
        narrow.get("/v2/alice/app/manifests/v1").await.expect(200);
        narrow.get("/v2/alice/other/manifests/v1").await.refused(401, "UNAUTHORIZED");
        assert_eq!(narrow.get("/v2/_catalog").await.expect(200).strings("repositories"), ["alice/app"]);
    })
    .await;
}

#[tokio::test]
async fn a_robot_does_what_its_role_allows_and_changes_secrets_without_a_gap() {
    on_each_engine_with_accounts(async |app| {
        let first = app.robot("alice+ci").await;
        let robot = |secret: &str| app.as_pair("alice+ci", secret);
        robot(&first).get("/v2/").await.expect(200);
        robot(&first).post("/v2/alice/app/blobs/uploads/").await.refused(404, "NAME_UNKNOWN");
        app.grant_robot("developer", "alice+ci", "alice").await;
        robot(&first).push_image("alice/app", "v1", "a").await;
        let second = app.rotate("alice+ci").await;
        robot(&first).get("/v2/alice/app/manifests/v1").await.expect(200);
        robot(&second).get("/v2/alice/app/manifests/v1").await.expect(200);
        let jwt = app.as_bearer(&robot(&second).token_for("repository:alice/app:pull").await);
        jwt.get("/v2/alice/app/manifests/v1").await.expect(200);
        let third = app.rotate("alice+ci").await;
        robot(&first).get("/v2/").await.refused(401, "UNAUTHORIZED");
        robot(&third).get("/v2/").await.expect(200);
        app.disable_robot("alice+ci", true).await;
        robot(&third).get("/v2/").await.refused(401, "UNAUTHORIZED");
        jwt.get("/v2/alice/app/manifests/v1").await.refused(401, "UNAUTHORIZED");
        app.disable_robot("alice+ci", false).await;
        robot(&third).get("/v2/alice/app/manifests/v1").await.expect(200);
        assert!(app.events("alice/app").await.contains(&"manifest.push".to_owned()));
    })
    .await;
}
