//! What a mail is about.

use serde::{Deserialize, Serialize};

use super::{english, french};

/// What a mail is about, with all that its text needs. Not `Debug`, because a link in it opens an account.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Letter {
    /// Show that the address is yours, and the account is made.
    Verify {
        /// The name of the account.
        name: String,
        /// What to follow.
        link: String,
    },
    /// Somebody wanted to sign up with an address that has an account.
    Known {
        /// The name of that account.
        name: String,
    },
    /// You are invited.
    Invite {
        /// The organisation, where it is to one.
        organisation: Option<String>,
        /// What to follow.
        link: String,
    },
    /// Choose another password.
    Reset {
        /// The name of the account.
        name: String,
        /// What to follow.
        link: String,
    },
    /// The password was changed by such a link.
    PasswordChanged {
        /// The name of the account.
        name: String,
    },
    /// Show that the other address is yours.
    VerifyEmail {
        /// The name of the account.
        name: String,
        /// What to follow.
        link: String,
    },
    /// The account has another address now.
    EmailChanged {
        /// The name of the account.
        name: String,
    },
    /// What opens the account beside the password was changed, used, or guessed at.
    SecondFactor {
        /// The name of the account.
        name: String,
        /// What happened.
        news: FactorNews,
    },
    /// Nothing: it shows that mails arrive.
    Test,
}

/// What happened to a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactorNews {
    /// It was turned on.
    On,
    /// Its owner turned it off.
    Off,
    /// An administrator, or the operator, took it off.
    Reset,
    /// A recovery code opened the account.
    RecoveryCode,
    /// Many codes were wrong, of somebody who knows the password.
    WrongCodes,
}

/// The language of a mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

impl Language {
    /// The word under which the database keeps it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// Reads a language tag, such as `fr-CA`; what is not known is English.
    #[must_use]
    pub fn of(tag: &str) -> Self {
        if tag.split(['-', '_']).next().is_some_and(|word| word.eq_ignore_ascii_case("fr")) {
            Self::Fr
        } else {
            Self::En
        }
    }
}

/// A mail to be sent.
#[derive(Clone, Serialize, Deserialize)]
pub struct Envelope {
    /// The address it goes to.
    pub to: String,
    /// Its language.
    pub language: Language,
    /// The registry, as people know it.
    pub host: String,
    /// What it is about.
    pub letter: Letter,
}

impl Envelope {
    /// The subject and the text.
    pub(super) fn write(&self) -> (String, String) {
        match self.language {
            Language::En => english::write(&self.letter, &self.host),
            Language::Fr => french::write(&self.letter, &self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Envelope, FactorNews, Language, Letter};

    #[test]
    fn what_happens_to_a_second_factor_is_told_in_both_languages() {
        use FactorNews::{Off, On, RecoveryCode, Reset, WrongCodes};
        let (mut subjects, mut texts) = (HashSet::new(), HashSet::new());
        for language in [Language::En, Language::Fr] {
            for news in [On, Off, Reset, RecoveryCode, WrongCodes] {
                let letter = Letter::SecondFactor { name: "alice".to_owned(), news };
                let (to, host) = ("alice@example.org".to_owned(), "registry.example.org".to_owned());
                let (subject, text) = Envelope { to, language, host, letter }.write();
                assert!(subject.contains("registry.example.org"), "{subject}");
                assert!(text.contains("alice") && !text.contains("  "), "{text}");
                subjects.insert(subject);
                texts.insert(text);
            }
        }
        assert_eq!((subjects.len(), texts.len()), (10, 10));
    }
}
