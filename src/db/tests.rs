pub(crate) mod interleave;
pub(crate) mod invariants;
pub(crate) mod support;

mod blobs;
mod doors;
mod lists;
mod manifests;
mod postgres;
mod races;
mod schema;
mod sqlite;
mod statements;
mod uploads;
