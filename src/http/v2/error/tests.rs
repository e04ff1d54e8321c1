//! The table of every refusal: what it is, its status, its code, and what the client reads.

use std::fmt::Write as _;

use oci::{Algorithm, Manifest, Reference, RepositoryName, Tag};

use super::*;
use crate::auth::Permissions;
use crate::blobs;
use crate::db::{self, Kind};
use crate::registry::Error;
use crate::registry::access::{Denial, Why};
use crate::registry::accounts::AccountError;

/// The table, as a reviewer reads it. `HAVRE_TEST_UPDATE=1` writes it anew.
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/errors.txt");

/// Names a variant. A variant without an arm does not compile: it wants a line in [`errors`], too.
fn name(error: &Error) -> String {
    let name = match error {
        Error::NameUnknown(_) => "NameUnknown",
        Error::NameReserved(_) => "NameReserved",
        Error::ManifestUnknown { .. } => "ManifestUnknown",
        Error::BlobUnknown { .. } => "BlobUnknown",
        Error::BlobDamaged(_) => "BlobDamaged",
        Error::UploadUnknown => "UploadUnknown",
        Error::UploadBusy => "UploadBusy",
        Error::Crowded => "Crowded",
        Error::Denied(denial) => return format!("Denied({:?})", denial.why),
        Error::Account(_) => "Account",
        Error::MasterKey => "MasterKey",
        Error::ChunkOutOfOrder { .. } => "ChunkOutOfOrder",
        Error::SizeMismatch { .. } => "SizeMismatch",
        Error::BodyBroken(_) => "BodyBroken",
        Error::BlobTooLarge { .. } => "BlobTooLarge",
        Error::ManifestTooLarge { .. } => "ManifestTooLarge",
        Error::DigestMismatch { .. } => "DigestMismatch",
        Error::ManifestInvalid(_) => "ManifestInvalid",
        Error::ReferencesMissing(_) => "ReferencesMissing",
        Error::Referenced { .. } => "Referenced",
        Error::Db(error) => return format!("Db({:?})", error.kind),
        Error::Store(error) => match **error {
            blobs::Error::NotFound(_) => "Store(NotFound)",
            blobs::Error::Short { .. } => "Store(Short)",
            blobs::Error::Superseded => "Store(Superseded)",
            blobs::Error::Full(_) => "Store(Full)",
            blobs::Error::ReadOnly(_) => "Store(ReadOnly)",
            blobs::Error::Io(_) => "Store(Io)",
            blobs::Error::Corrupt(_) => "Store(Corrupt)",
        },
    };
    name.to_owned()
}

/// Every refusal of access, as `alice` or nobody meets it who pushes or pulls.
fn denials() -> Vec<Error> {
    let all = [
        Why::SignIn,
        Why::WrongCredentials,
        Why::Malformed,
        Why::Expired,
        Why::Over,
        Why::BeyondCredential,
        Why::Forbidden,
        Why::Hidden,
        Why::TokenInstead,
        Why::FactorMissing,
        Why::FactorWanted,
        Why::FactorPending,
        Why::ProveAgain,
        Why::Throttled(std::time::Duration::from_secs(8)),
    ];
    let denied = |why, name: &str, needed| {
        let repository = Some(RepositoryName::parse(name).unwrap());
        Error::from(Denial { why, repository, needed, name: Some("alice".into()) })
    };
    let push = all.map(|why| denied(why, "acme/app", Permissions::WRITE));
    let pull = [Why::Hidden, Why::Forbidden].map(|why| denied(why, "acme/app", Permissions::READ));
    let alias = [Why::Hidden, Why::Forbidden].map(|why| denied(why, "mon-app", Permissions::WRITE));
    let nothing = Denial::of(Why::SignIn).into();
    push.into_iter().chain(pull).chain(alias).chain([nothing]).collect()
}

fn errors() -> Vec<Error> {
    let repository = RepositoryName::parse("some/app").unwrap();
    let [digest, other] = [b"a", b"b"].map(|bytes| Algorithm::Sha256.digest(bytes));
    let invalid = Manifest::parse(b"{}", None).unwrap_err();
    let store = |errno: rustix::io::Errno| blobs::Error::io("write", "uploads/x", errno.into());
    vec![
        Error::NameUnknown(repository.clone()),
        Error::NameReserved(RepositoryName::parse("api/app").unwrap()),
        Error::ManifestUnknown { repository: repository.clone(), reference: Reference::Tag(Tag::parse("v1").unwrap()) },
        Error::BlobUnknown { repository, digest },
        Error::BlobDamaged(digest),
        Error::UploadUnknown,
        Error::UploadBusy,
        Error::Crowded,
        Error::ChunkOutOfOrder { start: 5, received: 3 },
        Error::SizeMismatch { announced: 5, received: 3 },
        Error::BodyBroken("connection reset".to_owned()),
        Error::BlobTooLarge { limit: 1000 },
        Error::ManifestTooLarge { limit: 4_194_304 },
        Error::DigestMismatch { expected: digest, actual: Box::new(other) },
        Error::ManifestInvalid(invalid),
        Error::ReferencesMissing(vec![digest]),
        Error::ReferencesMissing(vec![digest, other]),
        Error::Referenced { digest, parents: vec![other] },
        db::Error::new(Kind::Busy, "secret").into(),
        db::Error::new(Kind::Full, "secret").into(),
        db::Error::new(Kind::ReadOnly, "secret").into(),
        db::Error::new(Kind::Unavailable, "secret").into(),
        db::Error::new(Kind::Conflict, "secret").into(),
        db::Error::new(Kind::Constraint, "secret").into(),
        db::Error::new(Kind::Corrupt, "secret").into(),
        db::Error::new(Kind::SchemaTooNew, "secret").into(),
        db::Error::new(Kind::Internal, "secret").into(),
        store(rustix::io::Errno::NOSPC).into(),
        store(rustix::io::Errno::ROFS).into(),
        store(rustix::io::Errno::IO).into(),
        blobs::Error::NotFound("secret".to_owned()).into(),
        blobs::Error::Short { expected: 5, actual: 3 }.into(),
        blobs::Error::Corrupt("secret".to_owned()).into(),
        AccountError::LastAdministrator("admin".to_owned()).into(),
        Error::MasterKey,
    ]
    .into_iter()
    .chain(denials())
    .collect()
}

fn refusals() -> Vec<(&'static str, Refusal)> {
    vec![
        ("NotFound", Refusal::NotFound),
        ("Method", Refusal::Method("GET, HEAD")),
        ("Syntax(Digest)", ParseError::Digest.into()),
        ("Syntax(UnsupportedAlgorithm)", ParseError::UnsupportedAlgorithm("md5".to_owned()).into()),
        ("Syntax(Name)", ParseError::Name.into()),
        ("Syntax(NameTooLong)", ParseError::NameTooLong.into()),
        ("Syntax(Tag)", ParseError::Tag.into()),
        ("Syntax(ContentRange)", ParseError::ContentRange.into()),
        ("Syntax(MediaType)", ParseError::MediaType.into()),
        ("Syntax(Query)", ParseError::Query.into()),
        ("Syntax(QueryTooLong)", ParseError::QueryTooLong.into()),
        ("Upload", Refusal::Upload),
        ("PageSize", Refusal::PageSize("x".to_owned())),
        ("TooManyTags", Refusal::TooManyTags(51)),
        ("DigestMissing", Refusal::DigestMissing),
        ("TagsBesideTag", Refusal::TagsBesideTag),
    ]
}

fn table() -> String {
    let mut table = String::new();
    let mut line = |name: &str, failure: &Failure| {
        let Failure { status, code, message, detail, .. } = failure;
        let _ = write!(table, "{name}\n  {} {}\n  {message}\n", status.as_u16(), code.as_str());
        if !detail.is_null() {
            let _ = writeln!(table, "  {detail}");
        }
    };
    for error in errors() {
        line(&name(&error), &failure(&error, "registry.example.org", "REQUEST-ID"));
    }
    for (name, refusal) in refusals() {
        line(name, &refusal.into());
    }
    table
}

#[test]
fn the_table_of_refusals_is_the_one_that_was_reviewed() {
    let table = table();
    #[expect(clippy::disallowed_methods, reason = "tests read the environment themselves")]
    if std::env::var_os("HAVRE_TEST_UPDATE").is_some() {
        std::fs::write(TABLE, &table).unwrap();
    }
    let reviewed = std::fs::read_to_string(TABLE).unwrap_or_default();
    assert!(table == reviewed, "the table differs; see HAVRE_TEST_UPDATE=1 and git diff tests/it/errors.txt\n{table}");
}

#[test]
fn what_fails_inside_is_not_shown() {
    for error in errors() {
        let failure = failure(&error, "registry.example.org", "REQUEST-ID");
        if matches!(error, Error::Db(_) | Error::Store(_)) {
            assert!(failure.message.contains("REQUEST-ID") && failure.detail.is_null(), "{failure:?}");
            assert!(!failure.message.contains("secret") && !failure.message.contains("uploads/x"), "{failure:?}");
        }
        assert!(!failure.message.contains('\n'), "{failure:?}");
    }
}

#[test]
fn every_refusal_says_what_to_do_next() {
    // The rule does not know what to type; the renderer does.
    let hint = failure(&Error::UploadUnknown, "h", "r").message;
    assert!(hint.contains("POST"), "{hint}");
    let answer = failure(&db::Error::new(Kind::Full, "x").into(), "h", "r").render();
    assert_eq!(answer.headers()[header::RETRY_AFTER], "5");
}
