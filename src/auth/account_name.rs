//! Names of users and organisations: the first component of a repository's name.

use oci::RepositoryName;

/// Longest name of an account in bytes.
pub const MAX_LEN: usize = 64;

/// First components that mean something else in a URL, or would be mistaken for the registry's own.
const RESERVED: &[&str] = &[
    "v1",
    "v2",
    "api",
    "token",
    "healthz",
    "readyz",
    "metrics",
    "library",
    "admin",
    "administrator",
    "root",
    "system",
    "anonymous",
    "havre",
    "assets",
    "static",
    "login",
    "logout",
    "signup",
    "search",
    "explore",
    "settings",
    "account",
    "new",
    "none",
    "null",
    "me",
    "docs",
    "help",
    "support",
    "security",
    "oauth",
    "auth",
    "well-known",
    "favicon.ico",
    "robots.txt",
];

/// Why a text names no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// It is not of the grammar.
    #[error("a name has 1 to 64 lower-case letters and digits, with single . _ - (or __ and --) between them")]
    Grammar,
    /// It is kept for the registry itself.
    #[error("the name is reserved")]
    Reserved,
}

/// Checks the name of a user or an organisation: a path component of the distribution specification, not reserved.
pub fn check(name: &str) -> Result<(), InvalidName> {
    if name.len() > MAX_LEN || name.contains('/') || RepositoryName::parse(name).is_err() {
        return Err(InvalidName::Grammar);
    }
    if is_reserved(name) { Err(InvalidName::Reserved) } else { Ok(()) }
}

/// Whether a first component is kept for the registry itself.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Checks the name of a robot or a team within its namespace: the same grammar, nothing reserved.
pub fn check_within(name: &str) -> Result<(), InvalidName> {
    match check(name) {
        Err(InvalidName::Grammar) => Err(InvalidName::Grammar),
        Ok(()) | Err(InvalidName::Reserved) => Ok(()),
    }
}

/// Splits the name of a robot, `acme+ci`, into its namespace and its own name.
#[must_use]
pub fn split_robot(name: &str) -> Option<(&str, &str)> {
    name.split_once('+')
}

#[cfg(test)]
mod tests {
    use super::{InvalidName, check, check_within};

    #[test]
    fn names_are_path_components_that_mean_nothing_else() {
        for name in ["alice", "a", "acme-corp", "a.b", "a__b", "0"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in ["", "Alice", "a/b", "a b", "-a", "a-", "a+b", "..", "é", &"a".repeat(65)] {
            assert_eq!(check(name), Err(InvalidName::Grammar), "{name}");
        }
        for name in ["v2", "token", "library", "api", "metrics"] {
            assert_eq!(check(name), Err(InvalidName::Reserved), "{name}");
            assert_eq!(check_within(name), Ok(()), "{name}");
        }
    }
}
