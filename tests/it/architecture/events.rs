//! What writes leaves an event.

use super::source::{Token, Tree};
use super::{Breach, assert_breaches, assert_workspace_keeps};

/// Functions of `registry/` that open the writing door and name neither `record` nor `changed` themselves.
const OTHERWISE: &[(&str, &str, &str)] = &[
    // Its transaction stands in a function of its own, which records.
    ("src/registry/accounts/users.rs", "add", "insert"),
    ("src/registry/manifests.rs", "push", "Insert::run"),
    ("src/registry/manifests.rs", "delete", "tags::delete, delete_manifest"),
    ("src/registry/tags/change.rs", "delete_many", "tags::delete"),
    ("src/registry/tags/change.rs", "put_back", "tags::move_to"),
    ("src/registry/uploads/finish.rs", "publish", "Commit::run"),
    ("src/registry/accounts/invitations.rs", "accept_new", "sign_up::make, bind"),
    ("src/registry/accounts/invitations.rs", "accept", "bind"),
    ("src/registry/accounts/recovery.rs", "send", "keep"),
    ("src/registry/accounts/recovery.rs", "link", "keep"),
    ("src/registry/accounts/sign_up.rs", "verify", "make"),
    // Deliberately none.
    ("src/registry/accounts/second_factor.rs", "begin", "nothing changes until a code was shown"),
    ("src/registry/access/sessions.rs", "record_use", "when a session was used last, to the minute"),
    ("src/registry/access/sessions.rs", "expire", "session.start was written down, and how long it holds is known"),
    ("src/registry/accounts/recovery.rs", "change_email", "nothing changes until the link is followed"),
    ("src/registry/accounts/sign_up.rs", "start", "anybody may, and nothing is until the link is followed"),
    ("src/registry/mails.rs", "*", "mails belong to changes that were written down"),
    ("src/registry/access/issue.rs", "keep", "a refresh token follows a sign-in, which is written down"),
    ("src/registry/access/keys.rs", "load_keys", "the server's own key"),
    ("src/registry/access/sign_in.rs", "record_use", "when a token was used last, to the minute"),
    ("src/registry/audit/chain.rs", "chain", "the chain of the events themselves"),
    ("src/registry/audit/gather.rs", "note_pushes", "manifest.push was written down; lists want to know when it was"),
    ("src/registry/audit/retention.rs", "erase", "user.erase was written down"),
    ("src/registry/audit/retention.rs", "expire", "a sealed checkpoint tells it"),
    ("src/registry/certificates.rs", "claim", "who asks for a certificate; that it was given is written down"),
    ("src/registry/certificates.rs", "postpone", "a try that changed nothing; the log tells it"),
    ("src/registry/certificates.rs", "expect", "the answer to an authority's question, for a quarter of an hour"),
    ("src/registry/certificates.rs", "keep_account", "the server's own account"),
    ("src/registry/certificates.rs", "forget_account", "an account that there is no more"),
    ("src/registry/check.rs", "put_back_into_service", "a state that is found out, not changed by anybody"),
    ("src/registry/sweep.rs", "expire_uploads", "an upload session is no content yet"),
    ("src/registry/sweep.rs", "remove_garbage", "blob.remove was written down with the row"),
    ("src/registry/uploads.rs", "start", "an upload session is no content yet"),
    ("src/registry/uploads/session.rs", "*", "an upload session is no content yet"),
];

/// The name of each function with its tokens, those of functions within it left out.
fn functions<'a>(tokens: &[&'a Token]) -> Vec<(&'a str, usize, Vec<&'a Token>)> {
    let mut found: Vec<(&str, usize, Vec<&Token>)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let named = at > 0 && tokens[at - 1].is_word("fn");
        match found.last_mut() {
            _ if named => found.push((&token.text, token.line, Vec::new())),
            Some((_, _, body)) => body.push(token),
            None => {}
        }
    }
    found
}

fn writes_without_event(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let rules = tree.sources().filter(|file| file.top_module() == Some("registry") && !file.is_test_file());
    for file in rules {
        let program: Vec<&Token> = file.program().collect();
        for (name, line, body) in functions(&program) {
            let opens = body.windows(3).any(|three| {
                three[0].is_word("db")
                    && three[1].is_mark(".")
                    && (three[2].is_word("write") || three[2].is_word("write_soft"))
            });
            let records =
                body.iter().any(|token| ["record", "changed", "changed_in"].iter().any(|word| token.is_word(word)));
            let otherwise = OTHERWISE
                .iter()
                .any(|(path, function, _)| *path == file.path && (*function == name || *function == "*"));
            if opens && !records && !otherwise {
                breaches.push(Breach::new(&file.path, line, format!("{name} writes and leaves no event")));
            }
        }
    }
    breaches
}

#[test]
fn every_rule_that_writes_leaves_an_event() {
    let rule = "a function of registry/ that writes records an event, or OTHERWISE says why not";
    assert_workspace_keeps(rule, writes_without_event);
}

#[test]
fn a_write_without_an_event_is_seen() {
    assert_breaches(
        writes_without_event,
        &[(
            "src/registry/labels.rs",
            "async fn a() { r.db.write(|tx| ctx.record(tx, &e)).await }\nasync fn b() {\n r.db.write(set).await }\n\
             fn c() { r.db.read(x) }\nfn d() { db.write_soft(set) }\n#[cfg(test)] mod tests { fn e() { db.write(x) } }",
        )],
        &["src/registry/labels.rs:2", "src/registry/labels.rs:5"],
    );
}
