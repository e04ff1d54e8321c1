//! The words of the OCI distribution protocol, pure: no I/O, no clock, no async.
//!
//! Everything here turns hostile text into a typed value or refuses it. A parser never panics, never
//! allocates beyond a small multiple of its input, and what it accepts prints back as it was read.
//! Server, client, command line and fuzzers share these types, so that a rule is written once.

pub mod content_range;
pub mod descriptor;
pub mod digest;
pub mod error;
pub mod error_code;
pub mod hasher;
mod json;
pub mod manifest;
pub mod media_type;
pub mod name;
pub mod query;
pub mod range;
pub mod reference;
mod serde_text;
pub mod tag;

pub use content_range::ContentRange;
pub use descriptor::{Descriptor, Platform};
pub use digest::{Algorithm, Digest};
pub use error::ParseError;
pub use error_code::ErrorCode;
pub use hasher::Hasher;
pub use manifest::{Kind, Manifest, ManifestError, ReferenceKind};
pub use media_type::MediaType;
pub use name::{MAX_NAME_LEN, RepositoryName};
pub use query::{Query, encode_component};
pub use range::{RangeOutcome, parse_range};
pub use reference::Reference;
pub use tag::Tag;
