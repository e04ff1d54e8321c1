//! Which credential opens which surface, over HTTP: every kind, at `/v2`, `/token` and `/api`, in every way it can be shown.

use http::Method;

use crate::support::{Browser, Call, Client, PASSWORD, TestApp, on_each_engine_with_accounts};

/// What opens: `/v2` by Basic and Bearer, `/token` by Basic and Bearer and form, `/api` by Basic and Bearer and cookie and
/// cookie with proof.
type Row = (&'static str, [bool; 2], [bool; 3], [bool; 4]);

const TABLE: [Row; 6] = [
    ("password", [true, false], [true, false, true], [false, false, false, false]),
    ("personal", [true, false], [true, false, true], [false, true, false, false]),
    ("robot", [true, false], [true, false, true], [false, true, false, false]),
    ("refresh", [false, false], [false, false, true], [false, false, false, false]),
    ("jwt", [false, true], [false, false, false], [false, false, false, false]),
    ("session", [false, false], [false, false, false], [false, false, false, true]),
];

/// The name and the secret of each kind.
async fn credentials(app: &TestApp) -> Vec<(&'static str, String, Browser)> {
    let alice = app.as_user("alice");
    let refresh = alice.get("/token?offline_token=true&service=havre").await.expect(200).string("refresh_token");
    let jwt = alice.token_for("repository:alice/app:pull").await;
    let personal = app.personal_token("alice", "all", &["read", "write", "delete", "admin"]).await;
    let robot = app.robot("alice+ci").await;
    let browser = Browser::sign_in(app, "alice", None).await;
    let session = browser.secret();
    let all =
        [("alice", PASSWORD.to_owned()), ("alice", personal), ("alice+ci", robot), ("alice", refresh), ("alice", jwt)];
    all.into_iter()
        .map(|(name, secret)| (name, secret.clone(), browser.holding(&secret)))
        .chain([("alice", session, browser.clone())])
        .collect()
}

async fn status(call: Call) -> bool {
    let answer = call.await;
    match answer.status.as_u16() {
        200 => true,
        401 | 403 => false,
        other => panic!("{other}: {}", answer.text()),
    }
}

#[tokio::test]
async fn each_credential_opens_what_the_table_says_and_nothing_else() {
    on_each_engine_with_accounts(async |app| {
        for ((kind, v2, token, api), (name, secret, browser)) in TABLE.into_iter().zip(credentials(app).await) {
            let (basic, bearer) = (app.as_pair(name, &secret), app.as_bearer(&secret));
            let ways: [&Client; 2] = [&basic, &bearer];
            for (client, opens) in ways.into_iter().zip(v2) {
                assert_eq!(status(client.get("/v2/")).await, opens, "{kind} at /v2");
            }
            for (client, opens) in ways.into_iter().zip(token) {
                assert_eq!(status(client.get("/token?service=havre")).await, opens, "{kind} at /token");
            }
            let form = match kind {
                "refresh" => format!("grant_type=refresh_token&refresh_token={secret}"),
                _ => format!(
                    "grant_type=password&username={}&password={}",
                    name.replace('+', "%2B"),
                    secret.replace(' ', "+")
                ),
            };
            assert_eq!(status(app.post("/token").body(form)).await, token[2], "{kind} in a form");
            for (client, opens) in ways.into_iter().zip(api) {
                assert_eq!(status(client.get("/api/v1/me")).await, opens, "{kind} at /api");
            }
            assert_eq!(status(browser.forged(Method::GET, "/me")).await, api[2], "{kind} in a cookie");
            assert_eq!(status(browser.call(Method::GET, "/me")).await, api[3], "{kind} in a cookie with proof");
        }
    })
    .await;
}
