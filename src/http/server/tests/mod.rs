//! The server over real sockets.

mod limits;
mod shutdown;
mod support;
mod tls;
mod transfer;
