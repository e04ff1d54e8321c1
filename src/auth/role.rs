//! The roles that every instance has; further ones are rows.

use super::Permissions;

/// A role that every instance has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// What it allows.
    pub permissions: Permissions,
    /// What it is for, in one line.
    pub about: &'static str,
}

const READ: Permissions = Permissions::READ;
const GUEST: Permissions = READ.with(Permissions::ACTIVITY);
const DEVELOPER: Permissions = GUEST.with(Permissions::WRITE).with(Permissions::SIGN);
const MAINTAINER: Permissions = DEVELOPER
    .with(Permissions::DELETE_TAG)
    .with(Permissions::DELETE_MANIFEST)
    .with(Permissions::SCAN)
    .with(Permissions::WEBHOOKS);

/// The roles that every instance has, the mightiest first. The migrations hold them as rows.
pub const BUILT_IN: [BuiltIn; 5] = [
    BuiltIn { name: "owner", permissions: Permissions::NAMESPACE, about: "everything, members and settings included" },
    BuiltIn { name: "maintainer", permissions: MAINTAINER, about: "push, pull, delete, scan, webhooks" },
    BuiltIn { name: "developer", permissions: DEVELOPER, about: "push, pull, sign" },
    BuiltIn { name: "guest", permissions: GUEST, about: "pull, and see who did what" },
    BuiltIn { name: "limited-guest", permissions: READ, about: "pull, nothing else" },
];

/// Whether a text can name a role: letters, digits and dashes, at most 64.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, is_name};

    #[test]
    fn each_role_allows_more_than_the_next() {
        for pair in BUILT_IN.windows(2) {
            assert!(pair[0].permissions.contains(pair[1].permissions), "{pair:?}");
            assert_ne!(pair[0].permissions, pair[1].permissions);
        }
        assert!(BUILT_IN.iter().all(|role| is_name(role.name)));
    }

    #[test]
    fn the_migrations_hold_the_same_roles() {
        for engine in ["sqlite", "postgres"] {
            let path = format!("{}/migrations/{engine}/0002_access.sql", env!("CARGO_MANIFEST_DIR"));
            let sql = std::fs::read_to_string(path).unwrap();
            for role in BUILT_IN {
                let row = format!("('{}', {},", role.name, role.permissions.bits());
                assert!(sql.contains(&row), "{engine}: {row}");
            }
        }
    }
}
