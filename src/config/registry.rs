//! What may be pushed and how it is handed out.

use super::ByteSize;
use super::concern::{choice, concern};

concern! {
    /// What may be pushed and how it is handed out.
    pub struct Registry in registry {
        /// Largest manifest that may be pushed. Every registry must take at least 4 MiB.
        max_manifest_size: ByteSize = ByteSize::mib(4),
            within = ByteSize::mib(4)..=ByteSize::mib(64), example = "8 MiB";
        /// What to do with a manifest that references what its repository does not hold: `refuse` it, `allow-children`
        /// that are missing from an index (a sparse index), or `allow` any missing reference.
        missing_references: MissingReferences = MissingReferences::Refuse;
        /// Whether shared caches, such as a CDN, may keep blobs. Only right where everything is public.
        shared_cache: bool = false;
        /// Largest blob that may be pushed; 0 stands for no limit.
        max_blob_size: Option<ByteSize> = None, example = "10 GiB";
    }
}

choice! {
    /// What happens to a manifest that references what its repository does not hold.
    pub enum MissingReferences {
        /// It is refused, and the missing digest named.
        Refuse = "refuse",
        /// An index may lack some of its children; anything else must be there.
        AllowChildren = "allow-children",
        /// Anything may be missing.
        Allow = "allow",
    }
}
