//! The commands for accounts, beside a running server, and the first start that makes the first account.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::json;

use super::process::{Outcome, Place, outcome};
use crate::support::{Browser, code, sign_in};

const PASSWORD: &str = "correct horse battery";

/// Runs a command that reads a password.
fn run_with(place: &Place, password: &str, args: &[&str]) -> Outcome {
    let mut input = tempfile::tempfile().unwrap();
    writeln!(input, "{password}").unwrap();
    std::io::Seek::rewind(&mut input).unwrap();
    outcome(place.command(args).stdin(Stdio::from(input)))
}

fn initial_password(log: &str) -> &str {
    log.lines().find_map(|line| line.trim().strip_prefix("password:")).expect("a password").trim()
}

#[tokio::test]
async fn the_first_start_makes_an_administrator_and_says_so_once() {
    let place = Place::new();
    let serving = place.serve_with(&[], &[]);
    let file = place.data().join("initial-admin-password");
    let kept = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let (client, address) = (serving.client(), serving.address);
    client.get("/v2/").await.expect(401);
    let admin = client.as_pair("admin", kept.trim());
    admin.get("/v2/").await.expect(200);
    admin.push_image("admin/app", "v1", "a").await;
    let log = serving.stop().await;
    assert_eq!(initial_password(&log), kept.trim());
    for line in ["docker login", "docker push"] {
        assert!(log.contains(&format!("{line} {address}")), "{log}");
    }
    let serving = place.serve_with(&[], &[]);
    // At the next request, with the server running.
    run_with(&place, PASSWORD, &["admin", "reset-password", "--password-stdin"]).exits(0);
    let client = serving.client();
    client.as_pair("admin", kept.trim()).get("/v2/").await.expect(401);
    client.as_pair("admin", PASSWORD).get("/v2/admin/app/manifests/v1").await.expect(200);
    assert!(!file.exists());
    let log = serving.stop().await;
    assert!(!log.contains("password:"), "{log}");
}

#[tokio::test]
async fn an_operator_makes_users_roles_and_tokens_beside_a_running_server() {
    let place = Place::new();
    let serving = place.serve_with(&[], &[("HAVRE_ADMIN_PASSWORD", PASSWORD.as_ref())]);
    let client = serving.client();
    assert!(!place.data().join("initial-admin-password").exists());
    let add = ["user", "add", "alice", "--email", "alice@example.org", "--password-stdin"];
    run_with(&place, PASSWORD, &add).exits(0);
    run_with(&place, PASSWORD, &add).complains("taken");
    let same_address = ["user", "add", "alicia", "--email", "alice@example.org", "--password-stdin"];
    run_with(&place, PASSWORD, &same_address).complains("has the e-mail address");
    run_with(&place, PASSWORD, &["user", "add", "alice", "--password-stdin"]).complains("taken");
    run_with(&place, "password123", &["user", "add", "carol", "--password-stdin"]).complains("easily guessed");
    run_with(&place, PASSWORD, &["user", "add", "v2", "--password-stdin"]).complains("reserved");
    client.as_pair("admin", PASSWORD).push_image("acme/app", "v1", "a").await;
    let alice = client.as_pair("alice", PASSWORD);
    alice.get("/v2/acme/app/manifests/v1").await.expect(404);
    place.run(&["access", "explain", "alice", "push", "acme/app"]).exits(1);
    place.run(&["role", "grant", "developer", "--user", "alice", "--on", "acme/app"]).exits(0);
    alice.push_image("acme/app", "v2", "b").await;
    place.run(&["access", "explain", "alice", "push", "acme/app"]).exits(0).says("developer");
    place.run(&["role", "grant", "captain", "--user", "alice", "--on", "acme"]).complains("maintainer, developer");
    let create = ["token", "create", "--user", "alice", "--name", "ci", "--scope", "read", "--json"];
    let created = outcome(&mut place.command(&create)).exits(0);
    let created: serde_json::Value = serde_json::from_str(&created.stdout).unwrap();
    let token = client.as_pair("alice", created["secret"].as_str().unwrap());
    token.get("/v2/acme/app/manifests/v2").await.expect(200);
    token.post("/v2/acme/app/blobs/uploads/").await.expect(401);
    place.run(&["token", "list", "--user", "alice"]).exits(0).says("ci");
    place.run(&["token", "revoke", "--user", "alice", "--name", "ci"]).exits(0);
    token.get("/v2/acme/app/manifests/v2").await.expect(401);
    place.run(&["role", "revoke", "developer", "--user", "alice", "--on", "acme/app"]).exits(0);
    alice.get("/v2/acme/app/manifests/v2").await.expect(404);
    place.run(&["namespace", "visibility", "acme/app", "public"]).exits(0);
    client.get("/v2/acme/app/manifests/v2").await.expect(200);
    place.run(&["user", "deactivate", "alice"]).exits(0);
    alice.get("/v2/").await.expect(401);
    place.run(&["user", "deactivate", "admin"]).complains("only administrator");
    place.run(&["user", "erase", "alice", "--yes"]).exits(0);
    run_with(&place, PASSWORD, &["user", "add", "alice", "--password-stdin"]).complains("taken");
    place.run(&["check", "--deep"]).exits(0);
    let log = serving.stop().await;
    assert!(!log.contains(PASSWORD) && !log.contains("havre_pat_"), "{log}");
}

#[tokio::test]
async fn teams_and_robots_are_made_on_the_command_line() {
    let place = Place::new();
    let serving = place.serve_with(&[], &[("HAVRE_ADMIN_PASSWORD", PASSWORD.as_ref())]);
    let client = serving.client();
    run_with(&place, PASSWORD, &["user", "add", "alice", "--password-stdin"]).exits(0);
    place.run(&["org", "add", "acme"]).exits(0);
    place.run(&["team", "add", "acme/core"]).exits(0);
    place.run(&["team", "join", "acme/core", "alice"]).exits(0);
    place.run(&["role", "grant", "maintainer", "--team", "core", "--on", "acme"]).exits(0);
    let alice = client.as_pair("alice", PASSWORD);
    alice.push_image("acme/app", "v1", "a").await;
    place.run(&["team", "leave", "acme/core", "alice"]).exits(0);
    alice.get("/v2/acme/app/manifests/v1").await.expect(404);
    let added = outcome(&mut place.command(&["robot", "add", "acme+ci", "--json"])).exits(0);
    let added: serde_json::Value = serde_json::from_str(&added.stdout).unwrap();
    let robot = client.as_pair("acme+ci", added["secret"].as_str().unwrap());
    place.run(&["role", "define", "acme", "puller", "--permission", "read"]).exits(0);
    place.run(&["role", "grant", "puller", "--robot", "acme+ci", "--on", "acme"]).exits(0);
    robot.get("/v2/acme/app/manifests/v1").await.expect(200);
    robot.post("/v2/acme/app/blobs/uploads/").await.expect(403);
    place.run(&["role", "remove", "acme", "puller"]).complains("held");
    place.run(&["robot", "disable", "acme+ci"]).exits(0);
    robot.get("/v2/").await.expect(401);
    place.run(&["robot", "remove", "acme+ci"]).exits(0);
    place.run(&["role", "remove", "acme", "puller"]).exits(0);
}

#[tokio::test]
async fn what_an_erased_user_leaves_is_reached_by_administrators_alone() {
    let place = Place::new();
    let serving = place.serve_with(&[], &[("HAVRE_ADMIN_PASSWORD", PASSWORD.as_ref())]);
    let client = serving.client();
    for name in ["alice", "bob"] {
        run_with(&place, PASSWORD, &["user", "add", name, "--password-stdin"]).exits(0);
    }
    client.as_pair("alice", PASSWORD).push_image("alice/app", "v1", "a").await;
    let added = outcome(&mut place.command(&["robot", "add", "alice+ci", "--json"])).exits(0);
    let added: serde_json::Value = serde_json::from_str(&added.stdout).unwrap();
    let robot = client.as_pair("alice+ci", added["secret"].as_str().unwrap());
    place.run(&["role", "grant", "developer", "--robot", "alice+ci", "--on", "alice"]).exits(0);
    place.run(&["role", "grant", "guest", "--user", "bob", "--on", "alice"]).exits(0);
    place.run(&["namespace", "visibility", "alice/app", "public"]).exits(0);
    let pull = "/v2/alice/app/manifests/v1";
    client.get(pull).await.expect(200);
    robot.get(pull).await.expect(200);
    place.run(&["user", "erase", "alice", "--yes"]).exits(0);
    client.get(pull).await.expect(401);
    robot.get(pull).await.expect(401);
    client.as_pair("bob", PASSWORD).get(pull).await.expect(404);
    client.as_pair("admin", PASSWORD).get(pull).await.expect(200);
}

#[test]
fn a_weak_password_of_the_first_administrator_is_refused() {
    let place = Place::new();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    outcome(command.env("HAVRE_ADMIN_PASSWORD", "admin")).exits(2).complains("at least 10 characters");
    place.serve_with(&["--open"], &[]);
}

#[test]
fn beside_no_registry_the_commands_say_what_to_do() {
    let place = Place::new();
    place.run(&["user", "list"]).exits(2).complains("havre serve");
    assert!(!place.data().exists());
}

#[tokio::test]
async fn what_is_already_so_is_said_and_what_is_set_is_shown() {
    let place = Place::new();
    let serving = place.serve_with(&[], &[("HAVRE_ADMIN_PASSWORD", PASSWORD.as_ref())]);
    let admin = serving.client().as_pair("admin", PASSWORD);
    admin.push_image("acme/app", "v1", "a").await;
    place.run(&["org", "add", "acme", "--display-name", "Acme Corp."]).exits(0);
    place.run(&["namespace", "show", "acme"]).exits(0).says("display name: Acme Corp.").says("organisation");
    place.run(&["namespace", "show", "acme/app"]).exits(0).says("visibility: private");
    place.run(&["namespace", "visibility", "acme/app", "public"]).exits(0);
    place.run(&["namespace", "show", "acme/app", "--json"]).exits(0).says("\"visibility\":\"public\"");
    place.run(&["namespace", "show", "acme/none"]).exits(2).complains("there is no repository acme/none");
    place.run(&["team", "add", "acme/core"]).exits(0);
    place.run(&["team", "join", "acme/core", "admin"]).exits(0).says("admin is in the team");
    place.run(&["team", "join", "acme/core", "admin"]).exits(0).says("is already in");
    place.run(&["team", "leave", "acme/core", "admin"]).exits(0).says("is no longer in");
    place.run(&["team", "leave", "acme/core", "admin"]).exits(0).says("was not in");
    // A user's namespace has no teams.
    place.run(&["team", "add", "admin/core"]).exits(2).complains("there is no organisation admin");
}

#[tokio::test]
async fn a_lost_master_key_is_named_and_there_is_a_way_on() {
    let place = Place::new();
    let serving = place.serve_with(&[], &[("HAVRE_ADMIN_PASSWORD", PASSWORD.as_ref())]);
    let mut browser = Browser::sign_in(&serving.client(), "admin", None).await;
    let (secret, codes) = browser.set_up().await;
    serving.stop().await;
    let key = place.data().join("master-key");
    std::fs::remove_file(&key).unwrap();
    let way_on = "havre admin new-signing-keys";
    let serve = || place.run(&["serve", "--listen", "127.0.0.1:0"]);
    serve().exits(2).complains(way_on);
    assert!(!key.exists(), "no other key is made unasked");
    // Another key is named as wrong.
    std::fs::write(&key, "0".repeat(64)).unwrap();
    serve().exits(2).complains(way_on);
    std::fs::remove_file(&key).unwrap();
    place.run(&["admin", "new-signing-keys"]).exits(2).complains("add --yes");
    assert!(!key.exists());
    place.run(&["admin", "new-signing-keys", "--yes"]).exits(0).says("in place of 1").says("sign in: admin;");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let serving = place.serve_with(&[], &[]);
    // What the key had sealed is lost: a code of the app is refused in words, a recovery code opens.
    let with = |code: &str| json!({ "name": "admin", "password": PASSWORD, "code": code });
    let refused = sign_in(&serving.client(), &with(&code(&secret, 1))).await.expect(409);
    assert!(refused.string("detail").contains("reset-second-factor"), "{}", refused.text());
    sign_in(&serving.client(), &with(&codes[0])).await.expect(201);
    place.run(&["admin", "reset-second-factor", "admin"]).exits(0);
    let admin = serving.client().as_pair("admin", PASSWORD);
    let token = admin.token_for("repository:admin/app:pull").await;
    serving.client().as_bearer(&token).get("/v2/").await.expect(200);
}

#[tokio::test]
async fn an_operator_sees_where_somebody_is_signed_in_and_takes_a_lost_second_factor_off() {
    let place = Place::new();
    let serving = place.serve_with(&[], &[("HAVRE_ADMIN_PASSWORD", PASSWORD.as_ref())]);
    let client = serving.client();
    run_with(&place, PASSWORD, &["user", "add", "alice", "--password-stdin"]).exits(0);
    place.run(&["user", "second-factor", "status", "alice"]).exits(0).says("no second factor");
    place.run(&["user", "second-factor", "reset", "alice"]).complains("no second factor of alice");
    let mut alice = Browser::sign_in(&client, "alice", None).await;
    alice.set_up().await;
    let status = ["user", "second-factor", "status", "alice", "--json"];
    place.run(&status).exits(0).says("\"recovery_codes\":10");
    client.as_pair("alice", PASSWORD).get("/v2/").await.expect(401);
    place.run(&["admin", "reset-second-factor", "alice"]).exits(0);
    client.as_pair("alice", PASSWORD).get("/v2/").await.expect(200);
    alice.get("/me").await.expect(401);
    place.run(&["org", "add", "acme"]).exits(0);
    place.run(&["role", "grant", "guest", "--user", "alice", "--on", "acme"]).exits(0);
    place.run(&["org", "set", "acme", "--require-second-factor", "true"]).exits(0).says("second-factor status");
    place.run(&["org", "set", "alice", "--require-second-factor", "true"]).complains("organisations");
    place.run(&["namespace", "show", "acme"]).exits(0).says("second factor: required");
    let explain = ["access", "explain", "alice", "pull", "acme/app"];
    place.run(&explain).exits(1).says("waits for the second factor that acme asks for: the role guest");
    place.run(&["org", "set", "acme", "--require-second-factor", "false"]).exits(0);
    place.run(&explain).exits(0).says("because the role guest");
    let alice = Browser::sign_in(&client, "alice", None).await;
    place.run(&["user", "sessions", "alice"]).exits(0).says("127.0.0.1");
    place.run(&["user", "end-sessions", "alice"]).exits(0).says("ended 1 sessions");
    alice.get("/me").await.expect(401);
    let log = serving.stop().await;
    assert!(!log.contains(PASSWORD) && !log.contains("havre_ses_"), "{log}");
}
