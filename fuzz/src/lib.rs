//! The parsers of `src/auth`, from their own files: as a dependency, all of Havre would be built and instrumented for them.

#[path = "../../src/auth/pattern.rs"]
pub mod pattern;
#[path = "../../src/auth/permission.rs"]
pub mod permission;
#[path = "../../src/auth/presented.rs"]
pub mod presented;
#[path = "../../src/auth/scope.rs"]
pub mod scope;
#[path = "../../src/auth/secret.rs"]
pub mod secret;

pub use permission::Permissions;
