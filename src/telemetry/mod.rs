//! What the server tells about itself: the log, the access log and the metrics.

pub mod access;
mod escape;
mod histogram;
pub mod logging;
pub mod metrics;
mod process;
mod requests;
