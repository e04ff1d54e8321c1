//! The body of every response: nothing, bytes in memory, or a blob.
//!
//! A blob is streamed from its file in bounded windows. On a plain HTTP/1.1 connection the server lets the kernel
//! copy the file to the socket ([`sendfile`](super::sendfile)); everywhere else the bytes pass through recycled
//! buffers. The handler that builds the body need not know which: the server grants the short cut at the last
//! moment, when it knows what the connection can do.

mod blob;
mod buffers;
mod source;
mod watched;

pub use blob::BlobBody;
pub(super) use source::Source;
pub use watched::{Sent, Watched};

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// The body of a response.
///
/// Its length is always known, so every answer carries a `Content-Length` and a body that breaks off is seen by the
/// client as an error, never as a shorter body.
#[derive(Debug, Default)]
pub enum Body {
    /// No bytes at all.
    #[default]
    Empty,
    /// Bytes in memory.
    Full(Bytes),
    /// A blob, or a range of one.
    Blob(Box<BlobBody>),
    /// Another body whose end is reported; see [`Body::watch`].
    Watched(Box<Watched>),
}

impl Body {
    /// Reports to `report`, once, how much of the body was handed to the connection, when it ended or was dropped.
    ///
    /// The access log and the metrics count bytes with it without a second body type.
    #[must_use]
    pub fn watch(self, report: impl FnOnce(Sent) + Send + 'static) -> Self {
        Self::Watched(Box::new(Watched::new(self, Box::new(report))))
    }

    /// Returns the number of bytes that are still to come.
    pub fn remaining(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Full(bytes) => bytes.len() as u64,
            Self::Blob(blob) => blob.remaining(),
            Self::Watched(watched) => watched.remaining(),
        }
    }

    /// Lets a blob be sent by `sendfile`.
    ///
    /// Only the server calls this, and only for a connection whose writer understands the tokens: anything else that
    /// reads the bytes of such a body makes the process fault.
    pub(super) fn grant_sendfile(&mut self) {
        match self {
            Self::Empty | Self::Full(_) => {}
            Self::Blob(blob) => blob.grant_sendfile(),
            Self::Watched(watched) => watched.grant_sendfile(),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Self::Blob(blob) => blob.poll_data(cx).map(|next| next.map(|data| data.map(Frame::data))),
            Self::Watched(watched) => watched.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.remaining() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::Empty } else { Self::Full(bytes) }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl From<BlobBody> for Body {
    fn from(blob: BlobBody) -> Self {
        Self::Blob(Box::new(blob))
    }
}

impl From<()> for Body {
    fn from((): ()) -> Self {
        Self::Empty
    }
}
