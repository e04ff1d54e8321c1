//! `sendfile(2)` under hyper.
//!
//! hyper knows only bytes in memory. So a body hands it *tokens*: `Bytes` whose addresses lie in a reservation of
//! address space that holds nothing and that nobody may touch. hyper queues them, counts them and passes their
//! addresses to the vectored write of the connection, which is a [`SendfileStream`]: it recognises such an address,
//! finds the file and the offset it stands for, and has the kernel copy the file to the socket.
//!
//! The reservation is one anonymous `PROT_NONE` mapping cut into slots of one window each, so an address leads to
//! its slot by arithmetic. It is not backed by the file: a file that shrinks cannot raise `SIGBUS`, and no memory is
//! used. If a token ever reached code that reads it, the process would fault at once rather than send wrong bytes;
//! what keeps that from happening:
//!
//! - [`Body::grant_sendfile`](super::body::Body) is called by the server alone, after every layer of the service,
//!   and only for HTTP/1 on a plain socket, where the writer is always a [`SendfileStream`];
//! - hyper flattens (copies) a body only if its writer is not vectored, and the server asks for queued writes
//!   explicitly; all its encodings, chunked included, chain buffers and never look into them.

#![expect(unsafe_code, reason = "reserves address space and asks the kernel for the length of a socket's queue")]

use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};
use rustix::net::{SendAncillaryBuffer, SendFlags};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::body::Source;

/// The most that one token stands for, in bytes.
pub const WINDOW_BYTES: usize = 4 * 1024 * 1024;
/// How many tokens may be alive at once. A connection has one at a time; when all are taken, further transfers go
/// through buffers. The reservation takes 16 GiB of address space and no memory.
const SLOTS: usize = 4096;
/// The most that one system call is asked to send, in bytes.
const PIECE_BYTES: usize = 1024 * 1024;
/// How much a connection may send before it lets the other tasks of its worker run, in bytes.
const TURN_BYTES: usize = 2 * 1024 * 1024;
/// What is copied at a time where the file system has no `sendfile`, in bytes.
const COPY_BYTES: usize = 64 * 1024;

/// Returns `len` bytes that stand for the content of `source` from `offset`, or nothing when every slot is taken or
/// the process may not reserve address space.
///
/// The bytes must never be read; see the description of this module.
pub(super) fn token(source: &Arc<Source>, offset: u64, len: usize) -> Option<Bytes> {
    let window = Window { source: Arc::clone(source), offset, len: len.min(WINDOW_BYTES) };
    let token = RESERVATION.as_ref()?.claim(window)?;
    Some(Bytes::from_owner(token))
}

static RESERVATION: LazyLock<Option<Reservation>> = LazyLock::new(|| match Reservation::new(SLOTS) {
    Ok(reservation) => Some(reservation),
    Err(error) => {
        tracing::warn!(%error, "address space for sendfile cannot be reserved: blobs are copied through buffers");
        None
    }
});

/// A stretch of a file that a token stands for.
#[derive(Debug, Clone)]
struct Window {
    source: Arc<Source>,
    offset: u64,
    len: usize,
}

impl Window {
    /// Returns what is left after the first `skip` bytes.
    fn skip(self, skip: usize) -> Option<Self> {
        let len = self.len.checked_sub(skip)?;
        Some(Self { offset: self.offset + skip as u64, len, ..self })
    }
}

/// Address space without memory, cut into slots.
#[derive(Debug)]
struct Reservation {
    base: usize,
    slots: Box<[Mutex<Option<Window>>]>,
    free: Mutex<Vec<usize>>,
}

impl Reservation {
    fn new(slots: usize) -> io::Result<Self> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: the kernel chooses the address, so no mapping that is in use is replaced.
        let base = unsafe {
            rustix::mm::mmap_anonymous(std::ptr::null_mut(), slots * WINDOW_BYTES, ProtFlags::empty(), flags)?
        };
        Ok(Self {
            base: base.expose_provenance(),
            slots: (0..slots).map(|_| Mutex::new(None)).collect(),
            free: Mutex::new((0..slots).rev().collect()),
        })
    }

    fn claim(&'static self, window: Window) -> Option<Token> {
        let slot = lock(&self.free).pop()?;
        let len = window.len;
        *lock(&self.slots[slot]) = Some(window);
        Some(Token { reservation: self, slot, len })
    }

    fn release(&self, slot: usize) {
        *lock(&self.slots[slot]) = None;
        lock(&self.free).push(slot);
    }

    /// Returns what a buffer stands for, if it lies in the reservation.
    fn find(&self, address: usize, len: usize) -> Option<io::Result<Window>> {
        let distance = address.checked_sub(self.base)?;
        let slot = self.slots.get(distance / WINDOW_BYTES)?;
        let window = lock(slot).clone().and_then(|window| window.skip(distance % WINDOW_BYTES));
        Some(match window {
            Some(window) if len <= window.len => Ok(Window { len, ..window }),
            // It cannot be, but to send it as memory would fault.
            _ => Err(io::Error::other("a buffer lies in a slot that stands for nothing")),
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a slot taken for as long as hyper holds the bytes.
struct Token {
    reservation: &'static Reservation,
    slot: usize,
    len: usize,
}

impl AsRef<[u8]> for Token {
    fn as_ref(&self) -> &[u8] {
        let address = self.reservation.base + self.slot * WINDOW_BYTES;
        // SAFETY: the addresses are mapped for as long as the process lives, belong to this slot alone, and nothing
        // ever writes to them. They are mapped without the right to read: whoever looks at the bytes gets SIGSEGV,
        // never another value. The compiler does not read ahead through a slice, whose length it does not know.
        unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(address), self.len) }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.reservation.release(self.slot);
    }
}

/// A TCP connection whose vectored write understands tokens.
#[derive(Debug)]
pub struct SendfileStream {
    tcp: TcpStream,
    /// What was sent by `sendfile` since this connection last let others run, in bytes.
    turn: usize,
}

impl SendfileStream {
    /// Wraps a connection.
    pub fn new(tcp: TcpStream) -> Self {
        Self { tcp, turn: 0 }
    }

    /// Returns the connection itself.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let (memory, window) = split(bufs)?;
        let Some(window) = window else {
            return Pin::new(&mut self.tcp).poll_write_vectored(cx, memory);
        };
        if self.turn >= TURN_BYTES {
            self.turn = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut head = 0;
        if !memory.is_empty() {
            head = ready!(self.poll_when_writable(cx, |tcp| send_more(tcp, memory)))?;
            if head < memory.iter().map(|buf| buf.len()).sum() {
                return Poll::Ready(Ok(head));
            }
        }
        let sent = match self.poll_when_writable(cx, |tcp| send_window(tcp, &window)) {
            Poll::Ready(Ok(sent)) => sent,
            // What was sent of the head must be told; the next call meets the same obstacle.
            Poll::Ready(Err(_)) | Poll::Pending if head > 0 => return Poll::Ready(Ok(head)),
            other => {
                self.turn = 0;
                return other;
            }
        };
        self.turn += sent;
        Poll::Ready(Ok(head + sent))
    }

    fn poll_when_writable(
        &self,
        cx: &mut Context<'_>,
        send: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.tcp.poll_write_ready(cx))?;
            match self.tcp.try_io(Interest::WRITABLE, || send(&self.tcp)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

/// Splits what is to be written into the buffers in memory at its front and the window of the token that follows.
fn split<'a, 'b>(bufs: &'b [IoSlice<'a>]) -> io::Result<(&'b [IoSlice<'a>], Option<Window>)> {
    let Some(reservation) = LazyLock::get(&RESERVATION).and_then(Option::as_ref) else {
        return Ok((bufs, None));
    };
    for (index, buf) in bufs.iter().enumerate().filter(|(_, buf)| !buf.is_empty()) {
        if let Some(window) = reservation.find(buf.as_ptr().addr(), buf.len()) {
            return Ok((&bufs[..index], Some(window?)));
        }
    }
    Ok((bufs, None))
}

/// Sends bytes from memory that a window follows: the kernel puts them into one packet.
fn send_more(tcp: &TcpStream, memory: &[IoSlice<'_>]) -> io::Result<usize> {
    let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
    Ok(rustix::net::sendmsg(tcp, memory, &mut SendAncillaryBuffer::default(), flags)?)
}

/// Has the kernel send a piece of a file.
fn send_window(tcp: &TcpStream, window: &Window) -> io::Result<usize> {
    let mut offset = window.offset;
    let count = window.len.min(PIECE_BYTES);
    match rustix::fs::sendfile(tcp, window.source.file(), Some(&mut offset), count) {
        Ok(0) => Err(window.source.truncated()),
        Ok(sent) => Ok(sent),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => copy_window(tcp, window),
        Err(error) => Err(error.into()),
    }
}

/// Sends a piece of a file that the kernel cannot send by itself, as on some network file systems.
fn copy_window(tcp: &TcpStream, window: &Window) -> io::Result<usize> {
    let mut piece = vec![0; window.len.min(COPY_BYTES)];
    match window.source.file().read_at(&mut piece, window.offset)? {
        0 => Err(window.source.truncated()),
        count => tcp.try_write(&piece[..count]),
    }
}

impl AsyncRead for SendfileStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for SendfileStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// Returns how many bytes wait in the send queue of a socket for the peer to acknowledge them.
///
/// # Errors
///
/// What `ioctl(SIOCOUTQ)` returns.
pub fn unacknowledged(socket: impl AsFd) -> io::Result<u64> {
    /// `SIOCOUTQ`, which is the same number as `TIOCOUTQ`.
    const OUTPUT_QUEUE: rustix::ioctl::Opcode = 0x5411;
    // SAFETY: for this operation the kernel writes one C int.
    let queued = unsafe {
        let ask = rustix::ioctl::Getter::<OUTPUT_QUEUE, std::ffi::c_int>::new();
        rustix::ioctl::ioctl(socket, ask)?
    };
    Ok(u64::try_from(queued).unwrap_or(0))
}

/// Tells whether a token for this very file is alive.
#[cfg(test)]
pub(super) fn sends(file: &std::fs::File) -> bool {
    use std::os::fd::AsRawFd;
    let same = |window: &Window| window.source.file().as_raw_fd() == file.as_raw_fd();
    let reservation = LazyLock::force(&RESERVATION).as_ref();
    reservation.is_some_and(|reservation| reservation.slots.iter().any(|slot| lock(slot).as_ref().is_some_and(same)))
}

#[cfg(test)]
mod tests;
