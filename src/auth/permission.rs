//! What a principal may be allowed to do, as a set.

use std::fmt;
use std::ops::{BitAnd, BitOr};

/// A set of permissions.
///
/// The bits are kept in the database (roles, tokens): they are never given another meaning.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u32);

macro_rules! permissions {
    ($($(#[doc = $doc:literal])+ $name:ident = $bit:literal, $word:literal;)+) => {
        impl Permissions {
            $($(#[doc = $doc])+ pub const $name: Self = Self(1 << $bit);)+

            /// Each permission with the word that stands for it in commands, answers and the configuration.
            pub const NAMED: &'static [(Self, &'static str)] = &[$((Self::$name, $word)),+];

            /// All of them.
            pub const ALL: Self = Self($((1 << $bit))|+);
        }
    };
}

permissions! {
    /// Pull: manifests, blobs, lists of tags and referrers.
    READ = 0, "read";
    /// Push: blobs, manifests, tags; makes the repository where it does not exist.
    WRITE = 1, "write";
    /// Delete a tag.
    DELETE_TAG = 2, "delete-tag";
    /// Delete a manifest, with the tags that point to it, or a blob that nothing names.
    DELETE_MANIFEST = 3, "delete-manifest";
    /// Have an image scanned.
    SCAN = 4, "scan";
    /// Attach signatures.
    SIGN = 5, "sign";
    /// See members and what they did.
    ACTIVITY = 6, "activity";
    /// Set up webhooks.
    WEBHOOKS = 7, "webhooks";
    /// Make, rotate and disable robots.
    ROBOTS = 8, "robots";
    /// Give and take roles, make teams.
    MEMBERS = 9, "members";
    /// Change visibility and defaults.
    SETTINGS = 10, "settings";
    /// Administer the whole instance. No role has it: it is a mark of a user.
    INSTANCE = 11, "instance";
}

impl Permissions {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// Everything that can be done within a namespace.
    pub const NAMESPACE: Self = Self(Self::ALL.0 & !Self::INSTANCE.0);

    /// Returns the set as the database keeps it.
    #[must_use]
    pub const fn bits(self) -> i64 {
        self.0 as i64
    }

    /// Reads a set that the database kept; bits that a newer version knows fall away, for they allow nothing here.
    #[must_use]
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits as u32 & Self::ALL.0)
    }

    /// Whether all of `other` are in it.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether none is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the words of those in the set.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Self::NAMED.iter().filter(move |(one, _)| self.contains(*one)).map(|(_, word)| *word)
    }

    /// Reads one permission's word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(_, known)| *known == word).map(|(one, _)| *one)
    }

    /// What a scope of a token lets through: `read`, `write`, `delete` or `admin`.
    ///
    /// Each lets read what it lets change: a push begins with questions.
    #[must_use]
    pub fn of_scope(word: &str) -> Option<Self> {
        let read = Self::READ.with(Self::ACTIVITY);
        match word {
            "read" => Some(read),
            "write" => Some(read.with(Self::WRITE).with(Self::SCAN).with(Self::SIGN)),
            "delete" => Some(read.with(Self::DELETE_TAG).with(Self::DELETE_MANIFEST)),
            "admin" => Some(
                read.with(Self::WEBHOOKS)
                    .with(Self::ROBOTS)
                    .with(Self::MEMBERS)
                    .with(Self::SETTINGS)
                    .with(Self::INSTANCE),
            ),
            _ => None,
        }
    }

    /// Returns the scopes of a token that lets this through.
    pub fn scopes(self) -> impl Iterator<Item = &'static str> {
        let words = ["read", "write", "delete", "admin"];
        words.into_iter().filter(move |word| Self::of_scope(word).is_some_and(|scope| self.contains(scope)))
    }
}

impl BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

impl BitAnd for Permissions {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl FromIterator<Self> for Permissions {
    fn from_iter<I: IntoIterator<Item = Self>>(sets: I) -> Self {
        sets.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.words()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Permissions;

    #[test]
    fn words_are_read_back_and_bits_are_kept() {
        for (one, word) in Permissions::NAMED {
            assert_eq!(Permissions::parse(word), Some(*one));
            assert_eq!(Permissions::from_bits(one.bits()), *one);
        }
        assert_eq!(Permissions::parse("everything"), None);
        // Frozen: rows of a released version hold them.
        assert_eq!(Permissions::ALL.bits(), 0xfff);
        assert_eq!(Permissions::from_bits(-1), Permissions::ALL);
    }

    #[test]
    fn a_scope_lets_read_what_it_lets_change_and_nothing_of_another_scope() {
        let of = |word| Permissions::of_scope(word).unwrap();
        for word in ["read", "write", "delete", "admin"] {
            assert!(of(word).contains(Permissions::READ));
        }
        assert!(!of("read").contains(Permissions::WRITE));
        assert!(!of("write").contains(Permissions::DELETE_TAG));
        assert!(!of("delete").contains(Permissions::WRITE));
        assert!(!of("admin").contains(Permissions::WRITE));
        assert_eq!((of("read") | of("delete")).scopes().collect::<Vec<_>>(), ["read", "delete"]);
        assert_eq!(["read", "write", "delete", "admin"].map(of).into_iter().collect::<Permissions>(), Permissions::ALL);
    }
}
