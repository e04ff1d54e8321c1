//! Scopes of the Docker token protocol: what a client asks a token for.

use std::fmt;

use oci::RepositoryName;
use serde::{Deserialize, Serialize};

use super::Permissions;

/// At most this many scopes are taken in one request: a push asks for one, and one for each repository it mounts from.
pub const MAX_SCOPES: usize = 64;
/// Longest scope in bytes.
const MAX_LEN: usize = 512;
/// Longest that all scopes of one request may be together, in bytes: the token that lists them goes into a header.
const MAX_TOTAL: usize = 6 * 1024;

/// What one scope is about, and how far it reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// What it is about.
    pub target: Target,
    /// What it lets through.
    pub permissions: Permissions,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions = actions(self.permissions).collect::<Vec<_>>().join(",");
        match &self.target {
            Target::Repository(name) => write!(f, "repository:{name}:{actions}"),
            Target::Catalog => write!(f, "registry:catalog:*"),
        }
    }
}

/// What a scope is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A repository, by its canonical name.
    Repository(RepositoryName),
    /// The list of repositories.
    Catalog,
}

/// How far a proof reaches, whatever its principal may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// As far as the credential.
    Unbounded,
    /// As far as the scopes that a token was asked for.
    Scopes(Vec<Scope>),
}

impl Bound {
    /// What it lets through in a repository, by its canonical name.
    #[must_use]
    pub fn on(&self, name: &RepositoryName) -> Permissions {
        self.of(|target| matches!(target, Target::Repository(one) if one == name))
    }

    /// What it lets through of the list of repositories.
    #[must_use]
    pub fn on_catalog(&self) -> Permissions {
        self.of(|target| *target == Target::Catalog)
    }

    fn of(&self, about: impl Fn(&Target) -> bool) -> Permissions {
        match self {
            Self::Unbounded => Permissions::ALL,
            Self::Scopes(scopes) => {
                scopes.iter().filter(|scope| about(&scope.target)).map(|scope| scope.permissions).collect()
            }
        }
    }
}

/// There are more scopes than are taken, or they are longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "at most {MAX_SCOPES} scopes are taken in one request, each of at most {MAX_LEN} bytes and {MAX_TOTAL} all together; \
     ask for fewer repositories at once"
)]
pub struct TooMany;

/// Reads scopes, each a parameter of its own or several in one, separated by spaces. What is not known is left out: the
/// token reaches less far then, as the protocol has it.
pub fn parse_all<'a>(parameters: impl Iterator<Item = &'a str>) -> Result<Vec<Scope>, TooMany> {
    let (mut scopes, mut total) = (Vec::new(), 0_usize);
    for text in parameters.flat_map(|parameter| parameter.split(' ')).filter(|text| !text.is_empty()) {
        total = total.saturating_add(text.len());
        if scopes.len() == MAX_SCOPES || text.len() > MAX_LEN || total > MAX_TOTAL {
            return Err(TooMany);
        }
        scopes.extend(parse(text));
    }
    Ok(scopes)
}

/// Reads `repository:NAME:ACTION,…` or `registry:catalog:*`.
fn parse(text: &str) -> Option<Scope> {
    let (kind, rest) = text.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let permissions = actions.split(',').filter_map(permissions).collect();
    // A class in brackets, such as `repository(plugin)`, says what the client expects and changes nothing.
    let target = match kind.split_once('(').map_or(kind, |(kind, _)| kind) {
        "repository" => Target::Repository(RepositoryName::parse(name).ok()?.canonical()),
        "registry" if name == "catalog" => Target::Catalog,
        _ => return None,
    };
    Some(Scope { target, permissions })
}

fn permissions(action: &str) -> Option<Permissions> {
    let delete = Permissions::DELETE_TAG | Permissions::DELETE_MANIFEST;
    match action {
        "pull" => Some(Permissions::READ),
        "push" => Some(Permissions::WRITE),
        "delete" => Some(delete),
        "*" => Some(Permissions::READ | Permissions::WRITE | delete),
        _ => None,
    }
}

/// A scope as it stands in a token (Docker token specification, "access").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// `repository` or `registry`.
    #[serde(rename = "type")]
    kind: String,
    name: String,
    actions: Vec<String>,
}

impl From<&Scope> for Access {
    fn from(scope: &Scope) -> Self {
        let (kind, name) = match &scope.target {
            Target::Repository(name) => ("repository", name.to_string()),
            Target::Catalog => ("registry", "catalog".to_owned()),
        };
        Self { kind: kind.to_owned(), name, actions: actions(scope.permissions).map(str::to_owned).collect() }
    }
}

impl Access {
    /// Reads a scope out of a token.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        let target = match &*self.kind {
            "repository" => Target::Repository(RepositoryName::parse(&self.name).ok()?),
            "registry" if self.name == "catalog" => Target::Catalog,
            _ => return None,
        };
        Some(Scope { target, permissions: self.actions.iter().filter_map(|action| permissions(action)).collect() })
    }
}

/// The words of the protocol for what a request needs.
pub fn actions(needed: Permissions) -> impl Iterator<Item = &'static str> {
    ["pull", "push", "delete"]
        .into_iter()
        .filter(move |word| permissions(word).is_some_and(|one| !(needed & one).is_empty()))
}

#[cfg(test)]
mod tests {
    use oci::RepositoryName;
    use proptest::prelude::*;

    use super::{Access, Bound, MAX_SCOPES, TooMany, parse_all};
    use crate::auth::Permissions;

    fn bound(texts: &[&str]) -> Bound {
        Bound::Scopes(parse_all(texts.iter().copied()).unwrap())
    }

    fn name(text: &str) -> RepositoryName {
        RepositoryName::parse(text).unwrap()
    }

    #[test]
    fn a_scope_reaches_its_repository_and_no_other() {
        let bound = bound(&["repository:acme/app:pull,push", "repository:acme/base:pull registry:catalog:*"]);
        assert_eq!(bound.on(&name("acme/app")), Permissions::READ | Permissions::WRITE);
        assert_eq!(bound.on(&name("acme/base")), Permissions::READ);
        assert_eq!(bound.on(&name("acme/other")), Permissions::NONE);
        assert!(bound.on_catalog().contains(Permissions::READ));
    }

    #[test]
    fn names_are_canonical_and_what_is_unknown_falls_away() {
        let bound = bound(&[
            "repository:mon-app:pull,dance",
            "dog:x:pull",
            "repository:A:pull",
            "repository(plugin):a/p:pull",
            "",
        ]);
        assert_eq!(bound.on(&name("library/mon-app")), Permissions::READ);
        assert_eq!(bound.on(&name("a/p")), Permissions::READ);
        assert_eq!(bound.on_catalog(), Permissions::NONE);
    }

    #[test]
    fn there_are_limits() {
        assert_eq!(parse_all(std::iter::repeat_n("repository:a/b:pull", MAX_SCOPES + 1)), Err(TooMany));
        assert_eq!(parse_all([&*format!("repository:{}:pull", "a".repeat(600))].into_iter()), Err(TooMany));
        let long: Vec<String> = (10..30).map(|n| format!("repository:{}{n}:pull", "a/".repeat(200))).collect();
        assert_eq!(parse_all(long.iter().map(String::as_str)), Err(TooMany));
    }

    proptest! {
        #[test]
        fn a_scope_goes_through_a_token_unchanged(text in "(repository|registry):(catalog|[a-z/]{1,12}):(pull|push|delete|\\*)(,(pull|push|delete))?") {
            for scope in parse_all([&*text].into_iter()).unwrap() {
                prop_assert_eq!(Access::from(&scope).scope(), Some(scope));
            }
        }

        #[test]
        fn no_scope_makes_it_panic(text in ".{0,80}") {
            let _ = parse_all([&*text].into_iter());
        }
    }
}
