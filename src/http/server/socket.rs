//! The socket of a connection: its timeouts, the bytes read ahead of it, and a close that loses no answer.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::activity::Activity;
use crate::http::sendfile::{self, SendfileStream};

/// How a client that speaks HTTP/2 without TLS begins (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How much is read at once to find out what the client speaks, in bytes.
const FIRST_READ_BYTES: usize = 4096;
/// How often the clock looks within the shorter timeout.
const TICKS: u32 = 4;
/// The shortest time between two looks.
const SHORTEST_PERIOD: Duration = Duration::from_millis(5);
/// How long a client that is still sending is listened to after the last answer.
const LINGER_TIME: Duration = Duration::from_secs(2);
/// How much a client may still send after the last answer, in bytes.
const LINGER_BYTES: usize = 1024 * 1024;

/// How long a connection may be silent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    /// With no byte in either direction.
    pub(super) idle: Duration,
    /// While the head of a request comes in.
    pub(super) header: Duration,
}

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// What carries the bytes of a connection.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// Returns the TCP connection underneath.
    fn tcp(&self) -> &TcpStream;
}

impl Transport for SendfileStream {
    fn tcp(&self) -> &TcpStream {
        self.tcp()
    }
}

impl Transport for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A connection whose silence is timed.
///
/// Only silence is: whatever moves, however slowly, may go on for ever. The clock ticks a few times per timeout and
/// looks whether anything moved since, so a byte costs one flag and no timer.
pub(super) struct Socket<T> {
    transport: T,
    /// Bytes that were read before it was known who would read them.
    early: Bytes,
    activity: Arc<Activity>,
    protocol: Protocol,
    clock: Clock,
    closing: Closing,
    peer_closed: bool,
}

enum Closing {
    Open,
    Linger { until: Pin<Box<Sleep>>, left: usize },
    Closed,
}

impl<T: Transport> Socket<T> {
    pub(super) fn new(transport: T, activity: Arc<Activity>, timeouts: Timeouts) -> Self {
        Self {
            transport,
            early: Bytes::new(),
            activity,
            protocol: Protocol::Http1,
            clock: Clock::new(timeouts),
            closing: Closing::Open,
            peer_closed: false,
        }
    }

    /// Waits for the first bytes and tells which protocol they begin; `None` when the client left without a word.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the header timeout passes first.
    pub(super) async fn protocol(&mut self) -> io::Result<Option<Protocol>> {
        let mut first = BytesMut::with_capacity(FIRST_READ_BYTES);
        while PREFACE.starts_with(&first) && first.len() < PREFACE.len() {
            if self.read_buf(&mut first).await? == 0 && first.is_empty() {
                return Ok(None);
            } else if self.peer_closed {
                break;
            }
        }
        self.protocol = if first.starts_with(PREFACE) { Protocol::Http2 } else { Protocol::Http1 };
        self.early = first.freeze();
        Ok(Some(self.protocol))
    }

    /// Lets the clock look if it is due; called whenever the connection waits for its peer.
    fn wait<R>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        while self.clock.poll_due(cx) {
            if let Err(error) = self.clock.look(&self.activity, self.protocol, self.transport.tcp()) {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Pending
    }

    fn note_written(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(_)) => self.clock.note_written(),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => return self.wait(cx),
        }
        written
    }

    /// Reads and forgets what the client still sends, so that closing does not reset the connection and take the
    /// answer away from a client that has not read it yet.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Closing::Linger { until, left } = &mut self.closing else {
            return Poll::Ready(());
        };
        let mut space = [0; 8192];
        loop {
            let mut space = ReadBuf::new(&mut space);
            match Pin::new(&mut self.transport).poll_read(cx, &mut space) {
                Poll::Ready(Ok(())) if !space.filled().is_empty() && space.filled().len() < *left => {
                    *left -= space.filled().len();
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return until.as_mut().poll(cx),
            }
        }
    }
}

impl<T: Transport> AsyncRead for Socket<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.early.has_remaining() {
            let count = this.early.len().min(buf.remaining());
            buf.put_slice(&this.early.split_to(count));
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        match Pin::new(&mut this.transport).poll_read(cx, buf) {
            Poll::Pending => this.wait(cx),
            Poll::Ready(Ok(())) if buf.filled().len() > before => {
                this.activity.note_read();
                this.clock.note_read(&this.activity, this.protocol);
                Poll::Ready(Ok(()))
            }
            ended => {
                this.peer_closed = buf.remaining() > 0;
                ended
            }
        }
    }
}

impl<T: Transport> AsyncWrite for Socket<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.transport).poll_write(cx, buf);
        self.note_written(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.transport).poll_write_vectored(cx, bufs);
        self.note_written(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.transport).poll_flush(cx) {
            Poll::Pending => self.wait(cx),
            flushed => flushed,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Closing::Open = self.closing {
            match Pin::new(&mut self.transport).poll_shutdown(cx) {
                Poll::Pending => return self.wait(cx),
                shut => ready!(shut)?,
            }
            let linger = self.protocol == Protocol::Http1 && self.activity.may_be_unread() && !self.peer_closed;
            self.closing = if linger {
                Closing::Linger { until: Box::pin(tokio::time::sleep(LINGER_TIME)), left: LINGER_BYTES }
            } else {
                Closing::Closed
            };
        }
        ready!(self.poll_linger(cx));
        self.closing = Closing::Closed;
        Poll::Ready(Ok(()))
    }
}

/// Tells how long nothing moved, in ticks.
struct Clock {
    timeouts: Timeouts,
    period: Duration,
    due: Pin<Box<Sleep>>,
    /// Whether a byte moved since the last look.
    moved: bool,
    /// How many looks in a row saw nothing move.
    still: u32,
    /// What the peer had not acknowledged at the last look, in bytes.
    unacknowledged: u64,
    /// When the head of the request that is coming in began.
    head_since: Option<Instant>,
    /// How many requests there were at the last look.
    seen: usize,
}

impl Clock {
    fn new(timeouts: Timeouts) -> Self {
        let period = (timeouts.idle.min(timeouts.header) / TICKS).max(SHORTEST_PERIOD);
        Self {
            timeouts,
            period,
            due: Box::pin(tokio::time::sleep(period)),
            moved: false,
            still: 0,
            unacknowledged: 0,
            // A connection that was opened ahead of need is idle, not late: its head begins with its first byte.
            head_since: None,
            seen: 0,
        }
    }

    /// Whether it is time to look; winds itself up again when it is.
    fn poll_due(&mut self, cx: &mut Context<'_>) -> bool {
        let due = self.due.as_mut().poll(cx).is_ready();
        if due {
            let next = Instant::now() + self.period;
            self.due.as_mut().reset(next);
        }
        due
    }

    fn note_read(&mut self, activity: &Activity, protocol: Protocol) {
        self.moved = true;
        // Over HTTP/2 anything may come in between requests; the idle timeout alone holds there.
        if self.head_since.is_none() && protocol == Protocol::Http1 && activity.open() == 0 {
            self.head_since = Some(Instant::now());
        }
    }

    fn note_written(&mut self) {
        self.moved = true;
        // An answer is on its way: what came in meanwhile is not late yet.
        self.head_since = None;
    }

    fn look(&mut self, activity: &Activity, protocol: Protocol, tcp: &TcpStream) -> io::Result<()> {
        self.look_at_queue(tcp);
        if self.moved || activity.is_busy() {
            self.still = 0;
        } else {
            self.still += 1;
        }
        self.moved = false;
        let seen = activity.seen();
        if seen != self.seen || (protocol == Protocol::Http2 && seen > 0) {
            self.head_since = None;
        }
        self.seen = seen;
        if self.head_since.is_some_and(|since| since.elapsed() >= self.timeouts.header) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the head of the request did not come in time"));
        }
        if self.period * self.still >= self.timeouts.idle {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "nothing moved on the connection for too long"));
        }
        Ok(())
    }

    /// Counts what the peer took from the socket's own queue as movement: that queue holds megabytes, and to a slow
    /// reader it may take longer than the timeout until there is room for more.
    fn look_at_queue(&mut self, tcp: &TcpStream) {
        let unacknowledged = sendfile::unacknowledged(tcp).unwrap_or(0);
        self.moved |= unacknowledged < self.unacknowledged;
        self.unacknowledged = unacknowledged;
    }
}
