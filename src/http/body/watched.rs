//! A body that reports how much of it was sent.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame};

use super::Body;

/// What became of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The bytes that were handed to the connection. When a transfer is cut, up to one window of them (4 MiB) may
    /// not have left the machine.
    pub bytes: u64,
    /// Whether the whole body was handed over.
    pub complete: bool,
}

type Report = Box<dyn FnOnce(Sent) + Send>;

/// A body together with the function that hears of its end.
pub struct Watched {
    body: Body,
    bytes: u64,
    report: Option<Report>,
}

impl Watched {
    pub(super) fn new(body: Body, report: Report) -> Self {
        Self { body, bytes: 0, report: Some(report) }
    }

    pub(super) fn remaining(&self) -> u64 {
        self.body.remaining()
    }

    pub(super) fn grant_sendfile(&mut self) {
        self.body.grant_sendfile();
    }

    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        Poll::Ready(frame)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let sent = Sent { bytes: self.bytes, complete: self.body.remaining() == 0 };
        if let Some(report) = self.report.take() {
            report(sent);
        }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("body", &self.body).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
