//! The whole matrix: every kind of identity and every role, times every visibility, times every action.

use std::fmt::Write as _;

use oci::RepositoryName;

use super::*;
use crate::auth::role::BUILT_IN;

/// The table, as a reviewer reads it. `HAVRE_TEST_UPDATE=1` writes it anew.
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/access.txt");

/// What each action of the registry API takes.
const ACTIONS: [(&str, Permissions); 5] = [
    ("pull", Permissions::READ),
    ("push", Permissions::WRITE),
    ("delete a tag", Permissions::DELETE_TAG),
    ("delete a manifest", Permissions::DELETE_MANIFEST),
    ("change settings", Permissions::SETTINGS),
];

fn name() -> RepositoryName {
    RepositoryName::parse("acme/app").unwrap()
}

fn held(role: &str, permissions: Permissions, on: &str) -> Held {
    Held { role: role.to_owned(), permissions, on: Pattern::parse(on).unwrap(), team: None }
}

/// Every kind of principal, by what is known of it.
fn principals() -> Vec<(String, Facts)> {
    let user = Facts { user: true, signed_in: true, ..Facts::default() };
    let robot = Facts { signed_in: true, ..Facts::default() };
    let mut all = vec![
        ("anonymous".to_owned(), Facts::default()),
        ("a user without a role".to_owned(), user.clone()),
        ("a robot without a role".to_owned(), robot.clone()),
        ("an administrator".to_owned(), Facts { admin: true, ..user.clone() }),
        ("the namespace's own user".to_owned(), Facts { own_namespace: true, ..user.clone() }),
    ];
    for role in BUILT_IN {
        for (who, facts) in [("a user", &user), ("a robot", &robot)] {
            let bindings = vec![held(role.name, role.permissions, "acme")];
            all.push((format!("{who} who is {}", role.name), Facts { bindings, ..facts.clone() }));
        }
    }
    let elsewhere = vec![held("owner", Permissions::NAMESPACE, "acme/other")];
    all.push(("a user who is owner of another repository".to_owned(), Facts { bindings: elsewhere, ..user.clone() }));
    let beginning = vec![held("developer", BUILT_IN[2].permissions, "acme/ap*")];
    all.push(("a user who is developer of acme/ap*".to_owned(), Facts { bindings: beginning, ..user.clone() }));
    // Where a second factor is asked for, and missing.
    let without = Facts { factor_missing: true, ..user };
    let bindings = vec![held("owner", Permissions::NAMESPACE, "acme")];
    all.push(("a user without a role and the second factor".to_owned(), without.clone()));
    all.push(("a user who is owner without the second factor".to_owned(), Facts { bindings, ..without.clone() }));
    all.push(("an administrator without the second factor".to_owned(), Facts { admin: true, ..without }));
    all
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "yes",
        Decision::SignIn => "401",
        Decision::BeyondCredential => "401 scope",
        Decision::Forbidden => "403",
        Decision::Hidden => "404",
    }
}

#[test]
fn the_whole_matrix_is_as_it_is_written_down() {
    let visibilities = [Some(Visibility::Public), Some(Visibility::Internal), Some(Visibility::Private), None];
    let mut table = String::from("Who may do what in acme/app: yes, or how it is refused.\n");
    for (who, facts) in principals() {
        writeln!(table, "\n{who}").unwrap();
        for visibility in visibilities {
            let facts = Facts { visibility, ..facts.clone() };
            let rights = rights(&facts, &name());
            write!(table, "  {:<9}", visibility.map_or("missing", Visibility::as_str)).unwrap();
            for (action, needed) in ACTIONS {
                let decision = check(facts.signed_in, rights, Permissions::ALL, needed);
                write!(table, "  {action}: {:<4}", word(decision)).unwrap();
            }
            table.truncate(table.trim_end().len());
            table.push('\n');
        }
    }
    #[expect(clippy::disallowed_methods, reason = "tests read the environment themselves")]
    if std::env::var("HAVRE_TEST_UPDATE").is_ok() {
        std::fs::write(TABLE, &table).unwrap();
    }
    assert_eq!(std::fs::read_to_string(TABLE).unwrap_or_default(), table, "HAVRE_TEST_UPDATE=1 writes {TABLE} anew");
}

#[test]
fn who_may_not_see_a_repository_is_refused_as_if_it_were_missing() {
    for (who, facts) in principals() {
        let refused = |visibility| {
            let facts = Facts { visibility, ..facts.clone() };
            let rights = rights(&facts, &name());
            let decisions = ACTIONS.map(|(_, needed)| check(facts.signed_in, rights, Permissions::ALL, needed));
            (rights.contains(Permissions::READ), decisions)
        };
        let (sees, private) = refused(Some(Visibility::Private));
        if !sees {
            assert_eq!(private, refused(None).1, "{who}");
        }
    }
}

#[test]
fn a_credential_never_gives_more_than_its_principal_has_and_its_refusal_tells_nothing() {
    for (who, facts) in principals() {
        for visibility in [Some(Visibility::Public), Some(Visibility::Private), None] {
            let facts = Facts { visibility, ..facts.clone() };
            let rights = rights(&facts, &name());
            for (reach, needed) in [
                (Permissions::READ, Permissions::WRITE),
                (Permissions::WRITE, Permissions::READ),
                (Permissions::NONE, Permissions::READ),
            ] {
                let expected = if facts.signed_in { Decision::BeyondCredential } else { Decision::SignIn };
                assert_eq!(check(facts.signed_in, rights, reach, needed), expected, "{who}");
            }
        }
    }
}

#[test]
fn every_ground_is_named() {
    let facts = Facts {
        user: true,
        signed_in: true,
        admin: true,
        own_namespace: true,
        factor_missing: false,
        visibility: Some(Visibility::Internal),
        bindings: vec![held("guest", Permissions::READ, "acme"), held("owner", Permissions::NAMESPACE, "acme/other")],
    };
    let expected = [
        Ground::Administrator,
        Ground::OwnNamespace,
        Ground::Binding(held("guest", Permissions::READ, "acme")),
        Ground::Internal,
    ];
    assert_eq!(grounds(&facts, &name()), expected);
    assert_eq!(grounds(&Facts { visibility: Some(Visibility::Public), ..Facts::default() }, &name()), [Ground::Public]);
}

#[test]
fn a_role_on_a_part_says_nothing_of_the_whole() {
    let over = |facts: &Facts, on: &str| rights_over(facts, &Pattern::parse(on).unwrap());
    let with = |bindings| Facts { user: true, signed_in: true, bindings, ..Facts::default() };
    let part = with(vec![held("owner", Permissions::NAMESPACE, "acme/web-*")]);
    assert_eq!(over(&part, "acme"), Permissions::NONE);
    assert_eq!(over(&part, "acme/web-shop"), Permissions::NAMESPACE);
    assert_eq!(over(&part, "acme/web-*"), Permissions::NAMESPACE);
    let public = Facts { visibility: Some(Visibility::Public), ..Facts::default() };
    assert_eq!(over(&public, "acme"), Permissions::NONE);
    let both = with(vec![held("guest", Permissions::READ, "acme"), held("x", Permissions::WRITE, "acme/app")]);
    assert_eq!(over(&both, "acme/app"), Permissions::READ | Permissions::WRITE);
    let without = Facts { factor_missing: true, ..both.clone() };
    assert_eq!((over(&without, "acme/app"), rights(&without, &name())), (Permissions::NONE, Permissions::NONE));
    assert_eq!(rights_with_factor(&without, &name()), rights(&both, &name()));
    assert_eq!(over(&Facts { own_namespace: true, ..Facts::default() }, "acme"), Permissions::NAMESPACE);
    assert_eq!(over(&Facts { admin: true, ..Facts::default() }, "acme"), Permissions::ALL);
}
