//! The rules: what a push, a pull, a tag, a delete and a sweep mean. Knows neither HTTP nor a database engine.

pub mod access;
pub mod accounts;
pub mod audit;
pub mod blobs;
pub mod catalog;
pub mod certificates;
pub mod check;
mod context;
mod error;
pub mod explore;
pub mod images;
pub mod instance;
pub mod mails;
pub mod manifests;
pub mod referrers;
pub mod repositories;
pub mod search;
mod state;
pub mod summaries;
pub mod sweep;
pub mod tags;
pub mod uploads;
pub mod versions;

#[cfg(test)]
mod tests;

pub use context::{Account, Ctx, Event, Held, Identity};
pub use error::{Error, Trouble};
pub use state::{People, Registry};
