//! The body of a request: taken by the handler that wants it, drained when none did.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header;
use http::request::Parts;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::http::server::{Busy, ConnInfo};
use crate::registry;

/// At most this many bytes of a refused body are read.
const DRAIN_BYTES: usize = 1024 * 1024;
/// A refused body is read for at most this long.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// How long a manifest waits for room in memory.
const MEMORY_TIME: Duration = Duration::from_secs(10);

/// The body of a request that may be refused before it is read.
pub(super) struct Upload {
    incoming: Incoming,
    received: Counter,
    connection: Option<ConnInfo>,
    /// Held from the end of the body to that of the answer: making a large blob durable is not the client's silence.
    busy: Option<Busy>,
    /// Whether the client waits for `100 Continue` before it sends anything.
    awaits_continue: bool,
    touched: bool,
}

impl Upload {
    /// `received` counts the bytes that are read.
    pub(super) fn new(incoming: Incoming, parts: &Parts, received: Counter) -> Self {
        let awaits_continue = parts.headers.contains_key(header::EXPECT);
        let connection = parts.extensions.get::<ConnInfo>().cloned();
        Self { incoming, received, connection, busy: None, awaits_continue, touched: false }
    }

    /// The bytes, for a handler that streams them.
    pub(super) fn stream(&mut self) -> Stream<'_> {
        Stream(self)
    }

    /// The length that the client announced.
    pub(super) fn length(&self) -> Option<u64> {
        self.incoming.size_hint().exact()
    }

    /// All bytes, at most `limit`; `memory` bounds those of all requests together, in KiB.
    pub(super) async fn collect(&mut self, limit: u64, memory: &Semaphore) -> Result<Bytes, registry::Error> {
        if self.length().is_some_and(|length| length > limit) {
            return Err(registry::Error::ManifestTooLarge { limit });
        }
        let mut stream = self.stream();
        let (mut bytes, mut held) = (BytesMut::new(), None::<SemaphorePermit<'_>>);
        while let Some(frame) = stream.frame().await {
            let frame = frame.map_err(|error| registry::Error::BodyBroken(error.to_string()))?;
            let Ok(data) = frame.into_data() else { continue };
            if (bytes.len() + data.len()) as u64 > limit {
                return Err(registry::Error::ManifestTooLarge { limit });
            }
            bytes.extend_from_slice(&data);
            let wanted = bytes.len() / 1024 + 1;
            let more = wanted.saturating_sub(held.as_ref().map_or(0, SemaphorePermit::num_permits));
            let permit = memory.acquire_many(u32::try_from(more).unwrap_or(u32::MAX));
            // Clients that hold room and do not move must not keep the others waiting for ever.
            match (tokio::time::timeout(MEMORY_TIME, permit).await, &mut held) {
                (Ok(Ok(permit)), Some(held)) => held.merge(permit),
                (Ok(Ok(permit)), none) => *none = Some(permit),
                _ => return Err(registry::Error::Crowded),
            }
        }
        Ok(bytes.freeze())
    }

    /// Reads what a refused client still sends, within bounds, so that it comes to read the answer.
    pub(super) async fn drain(mut self) {
        // Reading would ask a waiting client to send what nobody wants.
        if self.incoming.is_end_stream() || (self.awaits_continue && !self.touched) {
            return;
        }
        let drain = async {
            let mut left = DRAIN_BYTES;
            while let Some(Ok(frame)) = self.incoming.frame().await {
                let read = frame.data_ref().map_or(0, Bytes::len);
                left = left.saturating_sub(read);
                if left == 0 {
                    break;
                }
            }
        };
        // Out of time is out of patience, not an error.
        let _ = tokio::time::timeout(DRAIN_TIME, drain).await;
    }
}

/// The bytes of a request, counted as they are read.
pub(super) struct Stream<'a>(&'a mut Upload);

impl http_body::Body for Stream<'_> {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        // From here on a client that waits has been told to send.
        let upload = &mut *self.0;
        upload.touched = true;
        let polled = Pin::new(&mut upload.incoming).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            upload.received.inc_by(frame.data_ref().map_or(0, |data| data.len() as u64));
        }
        if upload.busy.is_none() && (upload.incoming.is_end_stream() || matches!(polled, Poll::Ready(None))) {
            upload.busy = upload.connection.as_ref().map(ConnInfo::busy);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.0.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.incoming.size_hint()
    }
}
