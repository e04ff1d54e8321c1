//! HTTP: one listener, one way through it for every request.

pub mod body;
pub mod exchange;
mod health;
pub mod router;
mod sendfile;
pub mod server;
mod token;
pub mod v2;
