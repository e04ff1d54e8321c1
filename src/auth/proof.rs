//! What a request has proved: who it is, by which credential, and how far that credential reaches.

use std::sync::Arc;

use super::scope::Bound;

/// Whom a request acts for, by an id that outlives a change of name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// Somebody unknown.
    Anonymous,
    /// A user, by the public id.
    User(Arc<str>),
    /// A robot, by the public id.
    Robot(Arc<str>),
}

/// By what it was proved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Credential {
    /// By nothing.
    None,
    /// By the password that was in force at this version.
    Password {
        /// Grows with every change of the password.
        version: i64,
    },
    /// By a token, by its public id.
    Token(Arc<str>),
    /// By the session of a browser, by its public id.
    Session(Arc<str>),
}

/// What a request has proved. What the principal may do is looked up anew for every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Whom it acts for.
    pub principal: Principal,
    /// By what that was proved.
    pub credential: Credential,
    /// How far it reaches at most.
    pub bound: Bound,
    /// Until when it holds, in microseconds since 1970; `i64::MAX` when the credential itself tells.
    pub until: i64,
    /// Principal and credential as one text, to remember by.
    key: Arc<str>,
}

impl Proof {
    /// Puts a proof together.
    #[must_use]
    pub fn new(principal: Principal, credential: Credential, bound: Bound, until: i64) -> Self {
        let key = format!("{} {}", principal_text(&principal), credential_text(&credential)).into();
        Self { principal, credential, bound, until, key }
    }

    /// The proof of who has shown nothing.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(Principal::Anonymous, Credential::None, Bound::Unbounded, i64::MAX)
    }

    /// Principal and credential as one text. Two proofs with the same key differ in their bound at most.
    #[must_use]
    pub fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// Whether nobody was named.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.principal == Principal::Anonymous
    }
}

/// Writes a principal as tokens and events hold it: `user:ID`, `robot:ID`, `anonymous`.
#[must_use]
pub fn principal_text(principal: &Principal) -> String {
    match principal {
        Principal::Anonymous => "anonymous".to_owned(),
        Principal::User(id) => format!("user:{id}"),
        Principal::Robot(id) => format!("robot:{id}"),
    }
}

/// Reads what [`principal_text`] writes.
#[must_use]
pub fn parse_principal(text: &str) -> Option<Principal> {
    match text.split_once(':') {
        Some(("user", id)) => Some(Principal::User(id.into())),
        Some(("robot", id)) => Some(Principal::Robot(id.into())),
        None if text == "anonymous" => Some(Principal::Anonymous),
        _ => None,
    }
}

/// Writes a credential as tokens and events hold it: `password:VERSION`, `token:ID`, `session:ID`, or nothing.
#[must_use]
pub fn credential_text(credential: &Credential) -> String {
    match credential {
        Credential::None => String::new(),
        Credential::Password { version } => format!("password:{version}"),
        Credential::Token(id) => format!("token:{id}"),
        Credential::Session(id) => format!("session:{id}"),
    }
}

/// Reads what [`credential_text`] writes, but for sessions: no token is made of one.
#[must_use]
pub fn parse_credential(text: &str) -> Option<Credential> {
    match text.split_once(':') {
        Some(("password", version)) => Some(Credential::Password { version: version.parse().ok()? }),
        Some(("token", id)) => Some(Credential::Token(id.into())),
        None if text.is_empty() => Some(Credential::None),
        _ => None,
    }
}
