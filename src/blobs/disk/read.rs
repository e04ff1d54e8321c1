//! Reading what is stored: single blobs for requests, whole directories for checks.

use std::collections::BinaryHeap;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::SystemTime;

use oci::{Algorithm, Digest, Hasher};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::layout::{ALGORITHMS, BLOBS, Layout, UPLOADS, blob_name, upload_name};
use crate::blobs::pool::BUFFER_LEN;
use crate::blobs::{Error, Location, Reader, UploadId};

impl Layout {
    /// Opens a blob if that can be done without waiting for the disk; `None` when it cannot be known.
    pub(super) fn open_cached(&self, location: &Location) -> Option<Result<Reader, Error>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let path = location.as_str();
        match openat2(&self.blobs, path, flags, Mode::empty(), ResolveFlags::CACHED) {
            Ok(fd) => Some(reader(File::from(fd), location)),
            Err(Errno::NOENT) => Some(Err(Error::NotFound(blob_name(location)))),
            // Not in the kernel's cache, or a kernel before 5.12, or a sandbox that forbids the call.
            Err(_) => None,
        }
    }

    /// Opens a blob.
    pub(super) fn open_blob(&self, location: &Location) -> Result<Reader, Error> {
        let name = blob_name(location);
        let file = open_file(self, &name)?.ok_or(Error::NotFound(name))?;
        reader(file, location)
    }

    pub(super) fn blob_len(&self, location: &Location) -> Result<Option<u64>, Error> {
        self.len(&blob_name(location))
    }

    pub(super) fn upload_len(&self, id: UploadId) -> Result<Option<u64>, Error> {
        self.len(&upload_name(id))
    }

    fn len(&self, name: &str) -> Result<Option<u64>, Error> {
        match fs::metadata(self.path(name)) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("look at", name, e)),
            Ok(metadata) => file_len(&metadata, name).map(Some),
        }
    }

    pub(super) fn hash_upload(&self, id: UploadId, len: u64, algorithm: Algorithm) -> Result<Hasher, Error> {
        let name = upload_name(id);
        let mut hasher = Hasher::new(algorithm);
        let file = open_file(self, &name)?;
        let actual = file.map_or(Ok(0), |file| hash(&file, len, &mut hasher));
        match actual.map_err(|e| Error::io("read", name, e))? {
            actual if actual == len => Ok(hasher),
            actual => Err(Error::Short { expected: len, actual }),
        }
    }

    pub(super) fn verify(&self, location: &Location) -> Result<Digest, Error> {
        let name = blob_name(location);
        let Some(file) = open_file(self, &name)? else {
            return Err(Error::NotFound(name));
        };
        let mut hasher = Hasher::new(location.digest().algorithm());
        hash(&file, u64::MAX, &mut hasher).map_err(|e| Error::io("read", name, e))?;
        Ok(hasher.finish())
    }

    /// The blobs behind `after` in order. Reads one directory after the other until the page is full.
    pub(super) fn list(&self, after: Option<&Location>, limit: usize) -> Result<Vec<(Location, u64)>, Error> {
        let mut page = Vec::new();
        let from = after.and_then(|after| Some(after.as_str().rsplit_once('/')?.0));
        for algorithm in ALGORITHMS {
            let mut directories = self.names(&format!("{BLOBS}/{algorithm}"))?;
            directories.sort_unstable();
            for directory in directories.iter().filter_map(|name| name.to_str()) {
                if page.len() >= limit {
                    return Ok(page);
                }
                let directory = format!("{algorithm}/{directory}");
                if from.is_none_or(|from| *directory >= *from) {
                    self.list_directory(&directory, after, limit, &mut page)?;
                }
            }
        }
        Ok(page)
    }

    fn list_directory(
        &self,
        directory: &str,
        after: Option<&Location>,
        limit: usize,
        page: &mut Vec<(Location, u64)>,
    ) -> Result<(), Error> {
        let names = self.names(&format!("{BLOBS}/{directory}"))?;
        let names = names.iter().filter_map(|name| name.to_str());
        let mut found: Vec<_> = names
            .filter_map(|name| Location::parse(&format!("{directory}/{name}")))
            .filter(|location| after.is_none_or(|after| location > after))
            .collect();
        found.sort_unstable();
        for location in found {
            if page.len() >= limit {
                break;
            }
            // One that was deleted meanwhile is not listed.
            if let Some(len) = self.blob_len(&location)? {
                page.push((location, len));
            }
        }
        Ok(())
    }

    /// The oldest uploads. Reads the whole directory, which holds only what is being pushed or was broken off.
    pub(super) fn list_uploads(&self, limit: usize) -> Result<Vec<(UploadId, SystemTime, u64)>, Error> {
        let mut oldest = BinaryHeap::new();
        for name in self.names(UPLOADS)? {
            let Some(id) = name.to_str().and_then(UploadId::parse) else {
                continue;
            };
            let name = upload_name(id);
            let found = match fs::metadata(self.path(&name)) {
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                found => found.map_err(|e| Error::io("look at", &*name, e))?,
            };
            let modified = found.modified().map_err(|e| Error::io("look at", &*name, e))?;
            oldest.push((modified, id, found.len()));
            if oldest.len() > limit {
                oldest.pop();
            }
        }
        let oldest = oldest.into_sorted_vec().into_iter();
        Ok(oldest.map(|(modified, id, len)| (id, modified, len)).collect())
    }

    /// The names in a directory; none when it is not there.
    fn names(&self, name: &str) -> Result<Vec<OsString>, Error> {
        let failed = |e| Error::io("list", name, e);
        let entries = match fs::read_dir(self.path(name)) {
            // A directory that is none belongs to somebody else.
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            entries => entries.map_err(failed)?,
        };
        let names = entries.map(|entry| Ok(entry?.file_name()));
        names.collect::<io::Result<_>>().map_err(failed)
    }
}

/// Opens a file for reading, `None` when it is not there.
fn open_file(layout: &Layout, name: &str) -> Result<Option<File>, Error> {
    match File::open(layout.path(name)) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some).map_err(|e| Error::io("open", name, e)),
    }
}

fn reader(file: File, location: &Location) -> Result<Reader, Error> {
    let name = blob_name(location);
    let metadata = file.metadata().map_err(|e| Error::io("look at", &*name, e))?;
    let len = file_len(&metadata, &name)?;
    let file = Arc::new(file);
    Ok(Reader::File { file, len })
}

fn file_len(metadata: &Metadata, name: &str) -> Result<u64, Error> {
    if metadata.is_file() { Ok(metadata.len()) } else { Err(Error::Corrupt(format!("{name} is not a file"))) }
}

/// Hashes a file up to `len` bytes and returns how many it found.
fn hash(file: &File, len: u64, hasher: &mut Hasher) -> io::Result<u64> {
    use std::io::Read;

    let mut rest = file.take(len);
    let mut buffer = vec![0; BUFFER_LEN];
    let mut hashed = 0;
    loop {
        match rest.read(&mut buffer) {
            Ok(0) => return Ok(hashed),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                hashed += read as u64;
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}
