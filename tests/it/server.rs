//! What surrounds the registry API: health, metrics, other transports.

mod certificates;
mod operations;
mod transport;
