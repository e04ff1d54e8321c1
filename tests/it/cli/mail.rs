//! `havre mail test`, against a server that speaks SMTP, and the commands that hand out links.

use super::process::{Place, outcome};
use crate::support::Smtp;

/// AUTH PLAIN of the user `registry` and the password `hush`.
const PROOF: &str = "AHJlZ2lzdHJ5AGh1c2g=";

fn smtp<'a>(port: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let common = ["mail", "test", "a@example.org", "--set", "mail.transport=smtp", "--set", "mail.from=r@example.org"];
    let place = ["--set", "mail.host=127.0.0.1", "--set", port];
    [&common, &place[..], more].concat()
}

#[tokio::test]
async fn mail_test_says_which_step_failed() {
    let place = Place::new();
    place.serve(&[]).stop().await;
    place.run(&["mail", "test", "a@example.org"]).exits(2).complains("mail.transport");
    let server = Smtp::start(Some(PROOF));
    let port = format!("mail.port={}", server.port);
    let clear = ["--set", "mail.security=none"];
    let with = |password: &'static str| [&clear[..], &["--set", "mail.user=registry", "--set", password]].concat();
    place.run(&smtp(&port, &with("mail.password=hush"))).exits(0).says("sent");
    let taken = server.taken.lock().unwrap().clone();
    assert!(
        taken.len() == 1 && taken[0].contains("<a@example.org>") && taken[0].contains("Subject: A test"),
        "{taken:?}"
    );
    let wrong = place.run(&smtp(&port, &with("mail.password=wrong"))).exits(2).complains("authentication");
    assert!(!wrong.stderr.contains("mail.password=") && !wrong.stderr.contains("hush"), "{}", wrong.stderr);
    // It speaks no TLS, and nothing was said to it in the clear.
    place.run(&smtp(&port, &[])).exits(2).complains("TLS");
    assert_eq!(server.taken.lock().unwrap().len(), 1);
    let mut refused = smtp(&port, &[]);
    refused[2] = "no@example.org";
    refused.extend(with("mail.password=hush"));
    place.run(&refused).exits(2).complains("refused");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    place.run(&smtp(&format!("mail.port={free}"), &clear)).exits(2).complains("connect");
    let nowhere =
        ["--set", "mail.host=no.such.host.invalid", "--set", "mail.insecure=true", "--set", "mail.security=none"];
    place.run(&smtp(&port, &nowhere)).exits(2).complains("DNS");
    let beyond = ["--set", "mail.host=192.0.2.1", "--set", "mail.security=none"];
    place.run(&smtp(&port, &beyond)).exits(2).complains("in the clear");
    let shown = outcome(&mut place.command(&["config", "show", "--set", "mail.password=hush"])).exits(0);
    assert!(!shown.stdout.contains("hush"), "{}", shown.stdout);
}

#[tokio::test]
async fn an_operator_invites_and_hands_out_links_without_mail() {
    let place = Place::new();
    let serving = place.serve_with(&[], &[]);
    place
        .run(&["user", "invite", "a@example.org", "--name", "alice"])
        .exits(0)
        .says("havre_lnk_")
        .says("hand the link over");
    let listed = place.run(&["user", "invitations"]).exits(0).says("a@example.org");
    let id = listed.stdout.split('\t').next().unwrap().to_owned();
    place.run(&["user", "revoke-invitation", &id]).exits(0);
    place.run(&["user", "revoke-invitation", &id]).complains("no invitation");
    place.run(&["user", "reset-link", "admin"]).exits(0).says("/account/reset?token=havre_lnk_");
    let file = place.path().join("data.jsonl");
    place.run(&["user", "export", "admin", "--output", file.to_str().unwrap()]).exits(0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("{\"format\":\"havre-personal-data\"") && text.contains("\"profile\""), "{text}");
    place.run(&["user", "export", "admin", "--output", file.to_str().unwrap()]).complains("cannot make the file");
    let log = serving.stop().await;
    assert!(!log.contains("havre_lnk_"), "{log}");
}
