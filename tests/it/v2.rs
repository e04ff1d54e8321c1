//! The registry API; a file per route.

mod base;
mod blobs;
