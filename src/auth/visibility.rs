//! Who may see a repository without holding a role in it.

/// Who may pull from a repository without holding a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Visibility {
    /// Anyone, signed in or not.
    Public,
    /// Any user who is signed in.
    Internal,
    /// Nobody else.
    #[default]
    Private,
}

impl Visibility {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Public, Self::Internal, Self::Private];

    /// Returns the word that stands for it in commands and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Private => "private",
        }
    }

    /// Reads the word that stands for one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}
