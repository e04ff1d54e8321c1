//! Which repositories a role or a token is about.

use std::fmt;

use oci::RepositoryName;

/// A repository, or all whose names begin alike: `acme/app`, `acme/*`, `acme/web-*`.
///
/// No richer form, on purpose: a database can tell exactly what it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The name, or what it begins with.
    text: String,
    exact: bool,
}

/// Longest pattern in bytes: a name and its star.
const MAX_LEN: usize = oci::MAX_NAME_LEN + 1;

impl Pattern {
    /// Everything in a namespace.
    #[must_use]
    pub fn namespace(name: &str) -> Self {
        Self { text: format!("{name}/"), exact: false }
    }

    /// Reads `acme` (its whole namespace), `acme/app`, or a beginning that ends in a star: `acme/*`, `acme/web-*`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_LEN {
            return None;
        }
        let Some(prefix) = text.strip_suffix('*') else {
            let name = RepositoryName::parse(text).ok()?;
            let exact = text.contains('/');
            return Some(if exact { Self { text: text.to_owned(), exact } } else { Self::namespace(name.as_str()) });
        };
        // What stands before the star begins a name, and its namespace is whole.
        let (namespace, _) = prefix.split_once('/')?;
        let begins_a_name = RepositoryName::parse(&format!("{prefix}x")).is_ok();
        (RepositoryName::parse(namespace).is_ok() && begins_a_name)
            .then(|| Self { text: prefix.to_owned(), exact: false })
    }

    /// Puts together what the database kept.
    #[must_use]
    pub fn from_row(text: String, exact: bool) -> Self {
        Self { text, exact }
    }

    /// The name, or what it begins with, without the star.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is one repository's name.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// The namespace that all it matches stands in.
    #[must_use]
    pub fn namespace_name(&self) -> &str {
        self.text.split_once('/').map_or(&*self.text, |(namespace, _)| namespace)
    }

    /// Whether it is about a repository, by its canonical name.
    #[must_use]
    pub fn matches(&self, name: &RepositoryName) -> bool {
        if self.exact { self.text == name.as_str() } else { name.as_str().starts_with(&self.text) }
    }

    /// Whether all that `other` matches, it matches too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if self.exact { self == other } else { other.text.starts_with(&self.text) }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.text, if self.exact { "" } else { "*" })
    }
}

#[cfg(test)]
mod tests {
    use oci::RepositoryName;
    use proptest::prelude::*;

    use super::Pattern;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(&RepositoryName::parse(name).unwrap())
    }

    #[test]
    fn a_namespace_a_repository_and_a_beginning_are_patterns() {
        assert!(matches("acme", "acme/app") && matches("acme", "acme/team/app"));
        assert!(!matches("acme", "acme2/app"));
        assert!(matches("acme/app", "acme/app"));
        assert!(!matches("acme/app", "acme/app2") && !matches("acme/app", "acme/app/x"));
        assert!(matches("acme/web-*", "acme/web-shop") && !matches("acme/web-*", "acme/shop"));
        assert!(matches("acme/*", "acme/team/app"));
        assert!(matches("acme/team/*", "acme/team/app") && !matches("acme/team/*", "acme/teams"));
    }

    #[test]
    fn what_could_reach_beyond_its_namespace_is_no_pattern() {
        for text in ["", "*", "acme*", "a*/b", "acme/*/x", "acme/**", "/x", "Acme/x", "acme//", "acme/..*", "acme/-*"] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_pattern_covers_what_matches_no_more_than_it() {
        let covers = |one: &str, other: &str| Pattern::parse(one).unwrap().covers(&Pattern::parse(other).unwrap());
        for (one, other) in
            [("acme", "acme"), ("acme", "acme/app"), ("acme", "acme/web-*"), ("acme/web-*", "acme/web-shop")]
        {
            assert!(covers(one, other), "{one} {other}");
        }
        for (one, other) in
            [("acme/app", "acme"), ("acme/app", "acme/app*"), ("acme/web-*", "acme/*"), ("acme", "acme2/app")]
        {
            assert!(!covers(one, other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn a_pattern_is_printed_as_it_is_read(text in "[a-z*/._-]{0,20}") {
            if let Some(pattern) = Pattern::parse(&text) {
                prop_assert_eq!(Pattern::parse(&pattern.to_string()), Some(pattern.clone()));
                let namespace = format!("{}/", pattern.namespace_name());
                prop_assert!(pattern.text().starts_with(&namespace));
            }
        }
    }
}
