//! Who may do what: the words and the decision, pure. No database, no HTTP, no clock.
//!
//! A request proves who it is ([`Proof`]); the rules look up what that principal holds ([`policy::Facts`]); and
//! [`policy::check`] alone decides.

pub mod account_name;
pub mod bearer;
pub mod chain;
pub mod csrf;
pub mod limit;
pub mod password;
pub mod pattern;
pub mod permission;
pub mod policy;
pub mod presented;
pub mod proof;
pub mod rate;
pub mod recovery_code;
pub mod role;
pub mod scope;
pub mod seal;
pub mod secret;
pub mod surface;
pub mod totp;
pub mod visibility;

pub use pattern::Pattern;
pub use permission::Permissions;
pub use presented::Presented;
pub use proof::{Credential, Principal, Proof};
pub use secret::{Secret, SecretKind};
pub use visibility::Visibility;
