//! The key under which secrets in the database are sealed.

use std::io::Write;
use std::path::Path;

use super::OpenError;
use crate::auth::seal::{KEY_LEN, MasterKey, random};
use crate::config::Config;
use crate::db::{self, Db, Tx, certificates, keys};

/// The file of the data directory that holds the key where the configuration names none.
const FILE: &str = "master-key";

/// Reads the key for a command beside a server; nothing where it cannot be had. What needs it says so.
pub(super) fn peek(config: &Config) -> Option<MasterKey> {
    find(config).inspect_err(|error| tracing::debug!(%error, "the master key cannot be read")).ok().flatten()
}

/// Reads the key: from the configuration, the file it names, or the data directory, where the first start makes one. Where
/// the database already holds what another key sealed, none is made: that one has to be found again.
pub(super) async fn load(config: &Config, db: &Db) -> Result<MasterKey, OpenError> {
    if let Some(key) = find(config)? {
        return Ok(key);
    }
    let path = config.data_dir.join(FILE);
    let sealed = |tx: &mut Tx<'_>| Ok::<_, db::Error>(!keys::list(tx)?.is_empty() || certificates::count(tx)? > 0);
    if db.scan(sealed).await? {
        return Err(OpenError::MasterKey(format!(
            "there is no master key in {}, and the database holds secrets that one has sealed; put it back there, or name \
             it with auth.master_key_file or HAVRE_MASTER_KEY; if it is lost for good, type: havre admin new-signing-keys",
            path.display()
        )));
    }
    make(&path)
}

/// Reads the key, or makes one where there is none, whatever the database holds.
pub fn master_key_or_new(config: &Config) -> Result<MasterKey, OpenError> {
    match find(config)? {
        Some(key) => Ok(key),
        None => make(&config.data_dir.join(FILE)),
    }
}

/// Reads the key; nothing when the configuration names none and the data directory has none.
fn find(config: &Config) -> Result<Option<MasterKey>, OpenError> {
    if let Some(key) = &config.auth.master_key {
        return parse(key.reveal(), "auth.master_key").map(Some);
    }
    if let Some(path) = &config.auth.master_key_file {
        return parse(&read(path)?, &path.display().to_string()).map(Some);
    }
    let path = config.data_dir.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text, &path.display().to_string()).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&path, &error)),
    }
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

/// Makes a key that only this user can read. What it seals can never be opened without it, so it is on the disk before
/// anything is sealed with it.
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

    use super::{FILE, load, master_key_or_new};
    use crate::config::{Config, Sources};
    use crate::db::{self, Db, Tx, keys};

    fn config(directory: &std::path::Path, more: &[(&str, &str)]) -> Config {
        let mut flags = vec![("data_dir".to_owned(), directory.display().to_string())];
        flags.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        Config::load(Sources { file: None, env: Vec::new(), flags }).unwrap().0
    }

    #[tokio::test]
    async fn the_first_start_makes_a_key_for_its_owner_alone_and_the_next_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path(), &[]);
        let db = Db::open_sqlite(&directory.path().join("havre.db"), true).unwrap();
        let sealed = load(&config, &db).await.unwrap().seal("x", b"secret");
        let mode = std::fs::metadata(directory.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(load(&config, &db).await.unwrap().open("x", &sealed).unwrap(), b"secret");
    }

    #[tokio::test]
    async fn where_something_was_sealed_no_other_key_is_made() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path(), &[]);
        let db = Db::open_sqlite(&directory.path().join("havre.db"), true).unwrap();
        db.write(|tx: &mut Tx<'_>| keys::insert(tx, "k", vec![1], 1)).await.map_err(|e: db::Error| e).unwrap();
        let error = load(&config, &db).await.unwrap_err().to_string();
        assert!(error.contains("havre admin new-signing-keys"), "{error}");
        assert!(!directory.path().join(FILE).exists());
        master_key_or_new(&config).unwrap();
        load(&config, &db).await.unwrap();
    }

    #[test]
    fn a_text_that_is_no_key_is_refused_and_not_shown() {
        let directory = tempfile::tempdir().unwrap();
        for wrong in ["abc", &"g".repeat(64), &"é".repeat(32)] {
            let error =
                master_key_or_new(&config(directory.path(), &[("auth.master_key", wrong)])).unwrap_err().to_string();
            assert!(error.contains("64 hexadecimal") && !error.contains(wrong), "{error}");
        }
        let missing = directory.path().join("none").display().to_string();
        assert!(master_key_or_new(&config(directory.path(), &[("auth.master_key_file", &missing)])).is_err());
        assert!(!directory.path().join(FILE).exists());
    }
}
