//! What surrounds the registry API: health, metrics, other transports.

mod operations;
mod transport;
