//! The file behind a body: reads that never block an async worker, and the one report that it is damaged.

use std::fmt;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use rustix::fs::Advice;
use rustix::io::{Errno, ReadWriteFlags};

/// The distance between the places of a window that are looked at to tell whether it is in memory, in bytes. The
/// kernel reads ahead in larger steps and evicts whole folios, so a window is rarely there only in part.
const PROBE_STEP: u64 = 512 * 1024;
/// The distance between the bytes that are read to bring a window into memory, in bytes. Each read waits for its
/// page, and those between came in with the same request to the disk.
const TOUCH_STEP: u64 = 64 * 1024;

/// Called when a file does not hold what was recorded of it.
pub(super) type OnCorrupt = Arc<dyn Fn() + Send + Sync>;

/// What an attempt to read without blocking found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Immediate {
    /// So many bytes were in memory and were read.
    Read(usize),
    /// The disk is needed, or the file system cannot tell.
    Cold,
    /// The file ends here.
    End,
}

/// Whether a stretch of a file can be sent at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// As far as can be told all of it is in memory.
    Warm,
    /// Some of it must come from the disk.
    Cold,
    /// The file ends within it.
    Short,
}

/// An open file that a body is read from.
pub(in crate::http) struct Source {
    file: Arc<File>,
    on_corrupt: Option<OnCorrupt>,
    reported: AtomicBool,
}

impl Source {
    pub(in crate::http) fn new(file: Arc<File>) -> Self {
        Self { file, on_corrupt: None, reported: AtomicBool::new(false) }
    }

    pub(super) fn set_on_corrupt(&mut self, hook: OnCorrupt) {
        self.on_corrupt = Some(hook);
    }

    /// Returns the open file.
    pub(in crate::http) fn file(&self) -> &File {
        &self.file
    }

    /// Reports, the first time it is called, that the file is shorter than what was recorded, and returns the error
    /// that ends the transfer.
    pub(in crate::http) fn truncated(&self) -> io::Error {
        if !self.reported.swap(true, Ordering::AcqRel)
            && let Some(hook) = &self.on_corrupt
        {
            hook();
        }
        io::Error::new(io::ErrorKind::UnexpectedEof, "the file of the blob is shorter than recorded")
    }

    /// Reads into `space` from `offset` what is in memory already.
    ///
    /// # Errors
    ///
    /// What `preadv2(2)` returns, but for `EAGAIN` and for file systems that do not know `RWF_NOWAIT`, which both
    /// read as [`Immediate::Cold`].
    pub(super) fn read_now(&self, space: &mut [u8], offset: u64) -> io::Result<Immediate> {
        loop {
            let mut space = [IoSliceMut::new(space)];
            match rustix::io::preadv2(&*self.file, &mut space, offset, ReadWriteFlags::NOWAIT) {
                Ok(0) => return Ok(Immediate::End),
                Ok(count) => return Ok(Immediate::Read(count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => return Ok(Immediate::Cold),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Fills `space` from `offset`; blocks on the disk.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof`, after the report, when the file ends before; else what `pread(2)` returns.
    pub(super) fn read_blocking(&self, space: &mut [u8], offset: u64) -> io::Result<()> {
        match self.file.read_exact_at(space, offset) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.truncated()),
            result => result,
        }
    }

    /// Tells whether the `len` bytes from `offset` are in memory, by reading single bytes of them without blocking.
    ///
    /// # Errors
    ///
    /// As [`Source::read_now`].
    pub(super) fn presence(&self, offset: u64, len: u64) -> io::Result<Presence> {
        for place in places(offset, len, PROBE_STEP) {
            match self.read_now(&mut [0], place)? {
                Immediate::Read(_) => {}
                Immediate::Cold => return Ok(Presence::Cold),
                Immediate::End => return Ok(Presence::Short),
            }
        }
        Ok(Presence::Warm)
    }

    /// Brings the `len` bytes from `offset` into memory; blocks on the disk.
    ///
    /// The bytes are sent to `/dev/null`, which reads the file as any reader does, with the readahead of the kernel,
    /// but copies nothing.
    ///
    /// # Errors
    ///
    /// As [`Source::read_blocking`].
    pub(super) fn warm(&self, offset: u64, len: u64) -> io::Result<()> {
        static NOWHERE: LazyLock<Option<File>> = LazyLock::new(|| File::options().write(true).open("/dev/null").ok());
        let end = offset.saturating_add(len);
        let mut position = offset;
        while let Some(nowhere) = &*NOWHERE
            && position < end
        {
            let count = usize::try_from(end - position).unwrap_or(usize::MAX);
            match rustix::fs::sendfile(nowhere, &*self.file, Some(&mut position), count) {
                Ok(0) => return Err(self.truncated()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        // Where the file cannot be sent, one byte of each stretch is read.
        places(position, end - position, TOUCH_STEP).try_for_each(|place| self.read_blocking(&mut [0], place))
    }

    /// Tells the kernel that the file is read from front to back, so that it reads further ahead.
    pub(super) fn expect_sequential(&self) {
        // Only advice: a file system that cannot take it reads as it would anyway.
        let _ = rustix::fs::fadvise(&*self.file, 0, None, Advice::Sequential);
    }
}

/// Returns the offsets of a stretch that stand for all of it: every `step` bytes, and its last byte.
fn places(offset: u64, len: u64, step: u64) -> impl Iterator<Item = u64> {
    let last = len.checked_sub(1);
    (0..len.div_ceil(step)).map(move |index| index * step).chain(last).map(move |within| offset + within)
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("file", &self.file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn source(content: &[u8]) -> Source {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        Source::new(Arc::new(file))
    }

    #[test]
    fn places_cover_both_ends() {
        assert_eq!(places(10, 0, 4).count(), 0);
        assert_eq!(places(10, 1, 4).collect::<Vec<_>>(), [10, 10]);
        assert_eq!(places(10, 9, 4).collect::<Vec<_>>(), [10, 14, 18, 18]);
    }

    #[test]
    fn end_of_file_is_told_from_cold() {
        let source = source(b"hello");
        assert_eq!(source.presence(5, 1).unwrap(), Presence::Short);
        assert_eq!(source.presence(0, 6).unwrap(), Presence::Short);
        let mut space = [0; 8];
        assert_eq!(source.read_now(&mut space, 3).unwrap(), Immediate::Read(2));
        assert_eq!(&space[..2], b"lo");
    }

    #[test]
    fn short_file_is_reported_once() {
        let calls = Arc::new(AtomicUsize::new(0));
        let mut source = source(b"hello");
        let counter = Arc::clone(&calls);
        source.set_on_corrupt(Arc::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        }));
        for _ in 0..2 {
            let error = source.read_blocking(&mut [0; 6], 0).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
        assert!(source.warm(0, 5).is_ok());
        assert!(source.warm(0, 6).is_err());
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }
}
