//! The end of the audit's chain, in a file of the data directory: outside the database that it proves.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::auth::chain::{LEN, head_text, parse_head};

const FILE: &str = "audit-head";

/// Reads it; nothing where there is none, or it is not one.
pub(super) fn read(data_dir: &Path) -> Option<(i64, [u8; LEN])> {
    parse_head(&std::fs::read_to_string(data_dir.join(FILE)).ok()?)
}

/// Writes it over the one before. A crash may take the last one back: an earlier one proves less, and nothing wrong.
pub(super) fn write(data_dir: &Path, (seq, hash): (i64, [u8; LEN])) -> std::io::Result<()> {
    let new = data_dir.join("audit-head.new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    writeln!(file, "{}", head_text(seq, &hash))?;
    std::fs::rename(new, data_dir.join(FILE))
}
