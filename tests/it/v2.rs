//! The registry API; a file per route, and some for what all routes have in common.

mod base;
mod blobs;
mod catalog;
mod chunks;
mod concurrency;
mod damage;
mod delete;
mod errors;
mod events;
mod hostile;
mod manifests;
mod media_types;
mod mount;
mod names;
mod ranges;
mod references;
mod referrers;
mod refusals;
mod resume;
mod sweep;
mod tag_parameters;
mod tags;
mod uploads;
