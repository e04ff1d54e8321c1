//! What surrounds the registry API.
