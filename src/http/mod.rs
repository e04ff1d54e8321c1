//! HTTP: one listener, one way through it for every request.

mod api;
pub mod body;
mod cookie;
pub mod exchange;
mod health;
mod limits;
pub mod plain;
pub mod router;
mod sendfile;
pub mod server;
mod token;
mod v1;
pub mod v2;
mod web;
