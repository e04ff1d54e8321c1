//! The directories of a store: making them, naming what is in them, making it last.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use oci::Algorithm;
use rustix::io::Errno;

use crate::blobs::{Durability, Error, Location, UploadId};

/// Directory of the bytes that arrive.
pub(super) const UPLOADS: &str = "uploads";
/// Directory of the blobs.
pub(super) const BLOBS: &str = "blobs";
/// Directory of the blobs found damaged.
const QUARANTINE: &str = "quarantine";
/// Name of the file that is written to find out whether writing works; no upload or blob has it.
const PROBE: &str = ".probe";

/// Only the server reads the store: whoever could would get around every permission.
pub(super) const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;

/// The algorithms whose blobs are stored.
pub(super) const ALGORITHMS: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Sha512];
/// Number of directories per algorithm, one for each first byte of a hash.
const FAN_OUT: usize = 256;

/// The directories below the root.
#[derive(Debug)]
pub(super) struct Layout {
    root: PathBuf,
    durability: Durability,
    /// The directory of blobs, open, to look names up from.
    pub(super) blobs: File,
    /// Which directories of blobs surely exist, also after a power loss.
    prepared: Vec<AtomicBool>,
}

/// The path of an upload below the root.
pub(super) fn upload_name(id: UploadId) -> String {
    format!("{UPLOADS}/{id}")
}

/// The path of a blob below the root.
pub(super) fn blob_name(location: &Location) -> String {
    format!("{BLOBS}/{location}")
}

/// A name that no other probe of this or another process has at this moment.
fn probe_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{PROBE}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An error of the start, which names the whole path: the operator has just set it.
fn unusable(action: &'static str, path: &Path, source: io::Error) -> Error {
    let directory = path.parent().unwrap_or(path);
    Error::io(action, directory.display().to_string(), source)
}

impl Layout {
    /// Makes what is missing and finds out whether blobs can be written.
    pub(super) fn open(root: PathBuf, durability: Durability) -> Result<Self, Error> {
        let failed = |e| Error::io("use the directory", root.display().to_string(), e);
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(DIRECTORY_MODE);
        for name in [UPLOADS, QUARANTINE] {
            builder.create(root.join(name)).map_err(failed)?;
        }
        for algorithm in ALGORITHMS {
            let path = root.join(BLOBS).join(algorithm.as_str());
            builder.create(path).map_err(failed)?;
        }
        let layout = Self::open_existing(root, durability)?;
        match layout.check_writable() {
            // What is there can be served all the same, and room may come back.
            Err(error @ Error::Full(_)) => {
                tracing::warn!(%error, "the blob store has no room: it is served, not filled");
            }
            checked => checked?,
        }
        layout.sync_directories()?;
        Ok(layout)
    }

    /// Takes a layout as it is.
    pub(super) fn open_existing(root: PathBuf, durability: Durability) -> Result<Self, Error> {
        let blobs =
            File::open(root.join(BLOBS)).map_err(|e| Error::io("use the directory", root.display().to_string(), e))?;
        let prepared = (0..ALGORITHMS.len() * FAN_OUT).map(|_| AtomicBool::new(false));
        Ok(Self { blobs, prepared: prepared.collect(), durability, root })
    }

    /// Moves a file the way a blob goes.
    fn check_writable(&self) -> Result<(), Error> {
        let probe = probe_name();
        let [from, to, aside] = [UPLOADS, BLOBS, QUARANTINE].map(|d| self.root.join(d).join(&probe));
        let moved = self
            .write_probe(&from)
            .map_err(|e| unusable("write to", &from, e))
            .and_then(|()| fs::rename(&from, &to).map_err(|e| unusable("move a file to", &to, e)))
            .and_then(|()| fs::rename(&to, &aside).map_err(|e| unusable("move a file to", &aside, e)))
            .and_then(|()| fs::remove_file(&aside).map_err(|e| unusable("remove", &aside, e)));
        if moved.is_err() {
            for left in [from, to, aside] {
                let _ = fs::remove_file(left);
            }
        }
        moved
    }

    /// Makes the directories last, those that an earlier process had no more time for included, and notes
    /// which of the blobs' there are. Lists two small directories; blobs it does not look at.
    fn sync_directories(&self) -> Result<(), Error> {
        let mut found = Vec::new();
        for (index, algorithm) in ALGORITHMS.into_iter().enumerate() {
            let name = format!("{BLOBS}/{algorithm}");
            let entries = fs::read_dir(self.root.join(&name)).map_err(|e| Error::io("list", &*name, e))?;
            for entry in entries {
                let entry = entry.map_err(|e| Error::io("list", &*name, e))?;
                found.extend(first_byte(&entry.file_name()).map(|byte| index * FAN_OUT + byte));
            }
            self.sync_directory(&name)?;
        }
        for name in [BLOBS, UPLOADS, QUARANTINE, "."] {
            self.sync_directory(name)?;
        }
        // The root's own entry; the directory around it may be closed to this process.
        let _ = self.sync_directory("..");
        for slot in found {
            self.prepared[slot].store(true, Ordering::Release);
        }
        Ok(())
    }

    pub(super) const fn durability(&self) -> Durability {
        self.durability
    }

    pub(super) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn upload_path(&self, id: UploadId) -> PathBuf {
        self.path(upload_name(id))
    }

    /// Sees to it that the directory of a blob exists and lasts.
    pub(super) fn prepare(&self, location: &Location) -> Result<(), Error> {
        let prepared = self.slot(location);
        if prepared.load(Ordering::Acquire) {
            return Ok(());
        }
        let name = directory_name(location);
        match DirBuilder::new().mode(DIRECTORY_MODE).create(self.path(&name)) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            made => made.map_err(|e| Error::io("create", &*name, e))?,
        }
        self.sync_directory(&format!("{BLOBS}/{}", location.digest().algorithm()))?;
        prepared.store(true, Ordering::Release);
        Ok(())
    }

    /// Takes back that the directory of a blob exists.
    pub(super) fn forget(&self, location: &Location) {
        self.slot(location).store(false, Ordering::Release);
    }

    fn slot(&self, location: &Location) -> &AtomicBool {
        let digest = location.digest();
        let algorithm = match digest.algorithm() {
            Algorithm::Sha256 => 0,
            Algorithm::Sha512 => 1,
        };
        &self.prepared[algorithm * FAN_OUT + usize::from(digest.as_bytes()[0])]
    }

    pub(super) fn rename_upload(&self, id: UploadId, location: &Location) -> io::Result<()> {
        fs::rename(self.upload_path(id), self.path(blob_name(location)))
    }

    pub(super) fn remove_upload(&self, id: UploadId) -> Result<(), Error> {
        self.remove(&upload_name(id))
    }

    pub(super) fn remove_blob(&self, location: &Location) -> Result<(), Error> {
        self.remove(&blob_name(location))
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        match fs::remove_file(self.path(name)) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|e| Error::io("remove", name, e)),
        }
    }

    /// Makes the bytes of a blob and its name last.
    pub(super) fn sync_blob(&self, location: &Location) -> Result<(), Error> {
        if self.durability == Durability::Relaxed {
            return Ok(());
        }
        let name = blob_name(location);
        let file = File::open(self.path(&name)).map_err(|e| Error::io("open", &*name, e))?;
        file.sync_data().map_err(|e| Error::io("sync", &*name, e))?;
        self.sync_directory(&directory_name(location))
    }

    /// Moves a blob aside, or finds that it was.
    pub(super) fn quarantine(&self, location: &Location) -> Result<(), Error> {
        let (name, aside) = (blob_name(location), quarantine_name(location));
        match fs::rename(self.path(&name), self.path(&aside)) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let there = self.path(&aside).try_exists();
                if !there.map_err(|e| Error::io("look at", &*aside, e))? {
                    return Err(Error::NotFound(name));
                }
            }
            moved => moved.map_err(|e| Error::io("quarantine", &*name, e))?,
        }
        self.sync_directory(QUARANTINE)?;
        self.sync_directory(&directory_name(location))
    }

    /// Writes, syncs and removes a small file.
    pub(super) fn probe(&self) -> Result<(), Error> {
        let name = format!("{UPLOADS}/{}", probe_name());
        let path = self.path(&name);
        let written = self.write_probe(&path).map_err(|e| Error::io("write", &*name, e));
        // Also where it could not be written whole.
        let removed = self.remove(&name);
        written.and(removed)
    }

    fn write_probe(&self, path: &Path) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(FILE_MODE);
        let mut file = options.open(path)?;
        file.write_all(b"probe")?;
        file.sync_all()
    }

    /// Makes the entries of a directory last.
    fn sync_directory(&self, name: &str) -> Result<(), Error> {
        if self.durability == Durability::Relaxed {
            return Ok(());
        }
        let synced = File::open(self.path(name)).and_then(|directory| directory.sync_all());
        match synced {
            // Some file systems cannot sync a directory, and need not: they write entries at once.
            Err(e) if Errno::from_io_error(&e) == Some(Errno::INVAL) => Ok(()),
            synced => synced.map_err(|e| Error::io("sync", name, e)),
        }
    }
}

/// The path of a blob's directory below the root.
fn directory_name(location: &Location) -> String {
    let text = location.as_str();
    let directory = text.rsplit_once('/').map_or(text, |(directory, _)| directory);
    format!("{BLOBS}/{directory}")
}

fn quarantine_name(location: &Location) -> String {
    let digest = location.digest();
    let (algorithm, hex) = (digest.algorithm(), digest.hex());
    format!("{QUARANTINE}/{algorithm}-{hex}.{}", location.upload())
}

/// The byte that a directory of blobs stands for.
fn first_byte(name: &std::ffi::OsStr) -> Option<usize> {
    let name = name.to_str()?;
    let byte = u8::from_str_radix(name, 16).ok()?;
    (format!("{byte:02x}") == name).then_some(usize::from(byte))
}
