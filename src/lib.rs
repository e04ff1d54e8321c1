//! Havre, a container image registry. `ARCHITECTURE.md` is the map.

pub mod app;
pub mod auth;
pub mod blobs;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod http;
pub mod mail;
pub mod pki;
pub mod registry;
pub mod telemetry;
