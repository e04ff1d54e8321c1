//! What surrounds the registry API: health, metrics, other transports.

mod certificates;
mod domains;
mod operations;
mod orders;
mod transport;
