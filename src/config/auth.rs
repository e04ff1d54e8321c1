//! Accounts and the credentials that prove them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::Literal;
use super::concern::{choice, concern};
use super::value::Value;

concern! {
    /// Accounts and the credentials that prove them.
    pub struct Auth in auth {
        /// Password of the account `admin`, used once: when the first start makes it. Without it, one is generated.
        admin_password: Option<Hidden> = None, alias = "HAVRE_ADMIN_PASSWORD";
        /// Key under which secrets in the database are sealed: 32 bytes, as 64 hexadecimal digits. All nodes of an
        /// instance have the same. Without it and `auth.master_key_file`, the first start makes one in the data
        /// directory.
        master_key: Option<Hidden> = None, alias = "HAVRE_MASTER_KEY";
        /// File that holds `auth.master_key`.
        master_key_file: Option<PathBuf> = None, example = "/etc/havre/master-key";
        /// How long a token that `docker login` fetches is valid. What it may do is decided anew at every request, so
        /// a short time gains little.
        token_lifetime: Duration = Duration::from_mins(5),
            within = Duration::from_mins(5)..=Duration::from_hours(24), example = "15m";
        /// Who makes an account without an operator: nobody (`off`), who was invited (`invite`), or anyone (`open`).
        /// Needs `mail.transport`.
        sign_up: SignUp = SignUp::Off;
        /// How long a sign-in of a browser holds while nobody uses it.
        session_idle: Duration = Duration::from_hours(24),
            within = Duration::from_mins(5)..=Duration::from_hours(24 * 90), example = "8h";
        /// How long a sign-in of a browser holds at the longest.
        session_lifetime: Duration = Duration::from_hours(24 * 14),
            within = Duration::from_hours(1)..=Duration::from_hours(24 * 365), example = "30d";
        /// Whether every user has to have a second factor. Who has none can do nothing but set one up; robots need none.
        require_second_factor: bool = false;
        /// Hosts of the e-mail addresses that may sign up while `auth.sign_up` is `open`; none stands for all.
        sign_up_domains: Vec<String> = Vec::new(), example = "example.org, example.com";
    }
}

choice! {
    /// Who makes an account without an operator.
    pub enum SignUp {
        /// Nobody.
        Off = "off",
        /// Who was invited.
        Invite = "invite",
        /// Anyone.
        Open = "open",
    }
}

/// A text that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// The text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}

/// An empty text stands for none.
impl Value for Option<Hidden> {
    const KIND: &'static str = "a secret text";
    const EXAMPLE: &'static str = "…";
    const PLACEHOLDER: &'static str = "SECRET";
    const SECRET: bool = true;

    fn parse(literal: &Literal) -> Option<Self> {
        literal.text().map(|text| (!text.is_empty()).then(|| Hidden(text.to_owned())))
    }

    fn literal(&self) -> Literal {
        Literal::Text(if self.is_some() { "***".to_owned() } else { String::new() })
    }
}
