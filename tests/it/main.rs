//! Havre from the outside: the registry API over real connections, the command line as a process, and the rules of the
//! source tree. Needs no service and no network; with `HAVRE_TEST_POSTGRES_URL` every test of the API runs on
//! PostgreSQL as well.

#![expect(clippy::unwrap_used, reason = "a test that unwraps says where it failed")]

mod access;
mod api;
mod architecture;
mod cli;
mod server;
mod support;
mod v2;
mod web;
