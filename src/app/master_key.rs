//! The key under which secrets in the database are sealed.

use std::io::Write;
use std::path::Path;

use super::OpenError;
use crate::auth::seal::{KEY_LEN, MasterKey, random};
use crate::config::Config;

/// The file of the data directory that holds the key where the configuration names none.
const FILE: &str = "master-key";

/// Reads the key: from the configuration, the file it names, or the data directory, where the first start makes one.
pub(super) fn load(config: &Config) -> Result<MasterKey, OpenError> {
    if let Some(key) = &config.auth.master_key {
        return parse(key.reveal(), "auth.master_key");
    }
    if let Some(path) = &config.auth.master_key_file {
        return parse(&read(path)?, &path.display().to_string());
    }
    let path = config.data_dir.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text, &path.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(&path),
        Err(error) => Err(unreadable(&path, &error)),
    }
}

/// Reads the key where there is one that can be read: for commands beside a server, which do without it mostly.
pub(super) fn existing(config: &Config) -> Option<MasterKey> {
    let named = config.auth.master_key.is_some() || config.auth.master_key_file.is_some();
    (named || config.data_dir.join(FILE).is_file()).then(|| load(config).ok()).flatten()
}

fn read(path: &Path) -> Result<String, OpenError> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError::MasterKey(format!("cannot read the master key {}: {error}", path.display()))
}

fn parse(text: &str, origin: &str) -> Result<MasterKey, OpenError> {
    let wrong = || OpenError::MasterKey(format!("{origin} does not hold a master key: 64 hexadecimal digits"));
    let text = text.trim();
    if text.len() != 2 * KEY_LEN || !text.is_ascii() {
        return Err(wrong());
    }
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| wrong());
    let bytes: Vec<u8> = (0..text.len()).step_by(2).map(byte).collect::<Result<_, _>>()?;
    MasterKey::new(&bytes).ok_or_else(wrong)
}

/// Makes a key that only this user can read. Losing it means that sealed secrets are made anew, so it is on the disk
/// before anything is sealed with it.
fn make(path: &Path) -> Result<MasterKey, OpenError> {
    let text: String = random::<KEY_LEN>().iter().map(|byte| format!("{byte:02x}")).collect();
    write_private(path, &text)
        .map_err(|error| OpenError::MasterKey(format!("cannot write the master key {}: {error}", path.display())))?;
    parse(&text, &path.display().to_string())
}

/// Writes a new file that only this user can read, and has it on the disk.
pub(super) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), |directory| std::fs::File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{FILE, load};
    use crate::config::{Config, Sources};

    fn config(directory: &std::path::Path, more: &[(&str, &str)]) -> Config {
        let mut flags = vec![("data_dir".to_owned(), directory.display().to_string())];
        flags.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        Config::load(Sources { file: None, env: Vec::new(), flags }).unwrap().0
    }

    #[test]
    fn the_first_start_makes_a_key_for_its_owner_alone_and_the_next_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path(), &[]);
        let sealed = load(&config).unwrap().seal("x", b"secret");
        let mode = std::fs::metadata(directory.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(load(&config).unwrap().open("x", &sealed).unwrap(), b"secret");
    }

    #[test]
    fn a_text_that_is_no_key_is_refused_and_not_shown() {
        let directory = tempfile::tempdir().unwrap();
        for wrong in ["abc", &"g".repeat(64), &"é".repeat(32)] {
            let error = load(&config(directory.path(), &[("auth.master_key", wrong)])).unwrap_err().to_string();
            assert!(error.contains("64 hexadecimal") && !error.contains(wrong), "{error}");
        }
        let missing = directory.path().join("none").display().to_string();
        assert!(load(&config(directory.path(), &[("auth.master_key_file", &missing)])).is_err());
        assert!(!directory.path().join(FILE).exists());
    }
}
