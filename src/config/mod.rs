//! What an operator can decide: one struct per concern, read from a TOML file, `HAVRE_*` environment variables and
//! command-line flags, each source overriding the one before.
//!
//! Every option is declared once, in the file of its concern, with the macro `concern!`: the field, its type, its
//! default and its documentation. Reading, `havre config show` and `havre config reference` follow from it. Adding an
//! option is adding a field there.
//!
//! An option that no source may name (a typing mistake, a key of a newer version) is an error, never ignored: a
//! registry that runs with another limit than the one its operator believes in is worse than one that does not start.

mod acme;
mod audit;
mod auth;
mod concern;
mod database;
mod duration;
mod environment;
mod error;
mod file;
mod flags;
mod limits;
mod literal;
mod log;
mod mail;
mod nearest;
mod option;
mod origin;
mod reference;
mod registry;
mod server;
mod size;
mod storage;
mod value;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use acme::{Acme, ChallengeChoice, Contact, DomainName, is_for_trials};
pub use audit::{Audit, AuditPulls};
pub use auth::{Auth, Hidden, SignUp};
pub use database::{Database, DatabaseUrl, PostgresUrl};
pub use duration::{InvalidDuration, format_duration, parse_duration};
pub use error::{Error, Problem};
pub use flags::Flags;
pub use limits::Limits;
pub use literal::Literal;
pub use log::{Log, LogFilter, LogFormat};
pub use mail::{Mail, MailSecurity, MailTransport};
pub use option::{ConfigOption, find, options};
pub use origin::{Origin, Origins};
pub use reference::reference;
pub use registry::{MissingReferences, Registry};
pub use server::Server;
pub use size::{ByteSize, InvalidSize};
pub use storage::{Durability, Storage};

use option::Details;

/// The file name of the embedded database within the data directory.
pub const SQLITE_FILE: &str = "havre.db";

/// The environment variable that names the configuration file; it is not an option.
pub const CONFIG_VARIABLE: &str = "HAVRE_CONFIG";

/// The files that are read when none is named, first come first served.
pub const DEFAULT_FILES: [&str; 2] = ["havre.toml", "/etc/havre/havre.toml"];

/// The whole configuration, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The directory that holds the blobs and, unless another database is named, the metadata.
    pub data_dir: PathBuf,
    /// The metadata database.
    pub database: Database,
    /// How clients reach the server.
    pub server: Server,
    /// Certificates that the server obtains by itself.
    pub acme: Acme,
    /// Accounts and the credentials that prove them.
    pub auth: Auth,
    /// How much each may ask for in a while.
    pub limits: Limits,
    /// How mails leave the server.
    pub mail: Mail,
    /// What may be pushed and how it is handed out.
    pub registry: Registry,
    /// How blobs are stored and when they are removed.
    pub storage: Storage,
    /// What is written down of who did what.
    pub audit: Audit,
    /// What is written to the logs.
    pub log: Log,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("havre-data"),
            database: Database::default(),
            server: Server::default(),
            acme: Acme::default(),
            auth: Auth::default(),
            limits: Limits::default(),
            mail: Mail::default(),
            registry: Registry::default(),
            storage: Storage::default(),
            audit: Audit::default(),
            log: Log::default(),
        }
    }
}

/// Where a configuration is read from. Nothing else is looked at, so that a test can pass its own world. Not
/// `Debug`, because it holds secrets.
pub struct Sources<E> {
    /// The TOML file, if there is one. It must exist.
    pub file: Option<PathBuf>,
    /// Environment variables; those that do not begin with `HAVRE_` are passed over.
    pub env: E,
    /// Key and value of each flag. A list may be given in several entries, any other option's last entry counts.
    pub flags: Vec<(String, String)>,
}

impl Config {
    /// Reads and checks the configuration, and tells where each value came from.
    ///
    /// # Errors
    ///
    /// Returns every problem that was found, not only the first: unknown keys and variables, values of the wrong kind
    /// or out of bounds, an unreadable file, options that contradict each other.
    pub fn load<E>(sources: Sources<E>) -> Result<(Self, Origins), Error>
    where
        E: IntoIterator<Item = (String, String)>,
    {
        let mut problems = Vec::new();
        let mut settings = Vec::new();
        if let Some(path) = &sources.file {
            settings.extend(file::read(path, &mut problems));
        }
        settings.extend(environment::read(sources.env, &mut problems));
        settings.extend(flags::read(sources.flags, &mut problems));

        let mut config = Self::default();
        let mut origins = Origins::new(sources.file);
        for setting in settings {
            if setting.option.set(&mut config, &setting.literal) {
                origins.record(setting.option.key, setting.origin);
            } else {
                problems.push(setting.refusal());
            }
        }
        config.check_pairs(&origins, &mut problems);
        config.check_acme(&origins, &mut problems);
        if !config.acme.domains.is_empty() && *origins.get("server.listen") == Origin::Default {
            config.server.listen = acme::anywhere(acme::HTTPS_PORT);
        }
        if problems.is_empty() { Ok((config, origins)) } else { Err(Error::new(problems)) }
    }

    /// Returns the path of the embedded database, used when `database.url` names no other.
    #[must_use]
    pub fn sqlite_path(&self) -> PathBuf {
        self.data_dir.join(SQLITE_FILE)
    }

    /// Whether the server itself speaks TLS.
    #[must_use]
    pub fn speaks_tls(&self) -> bool {
        self.server.tls_cert.is_some() || !self.acme.domains.is_empty()
    }

    /// The URL under which clients see the server, without a slash at its end, where it is known: `server.public_url`,
    /// else the first domain.
    #[must_use]
    pub fn public_base(&self) -> Option<String> {
        let given = self.server.public_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
        given.or_else(|| self.acme_host().map(|host| format!("https://{host}")))
    }

    /// The same for a client that called the server by `host`, which may be one of several domains.
    #[must_use]
    pub fn public_base_at(&self, host: &str) -> Option<String> {
        let given = self.server.public_url.is_some();
        let domain = self.acme.domains.iter().find(|domain| !given && domain.is(host));
        domain.map(|domain| format!("https://{}", self.with_port(domain))).or_else(|| self.public_base())
    }

    /// The host of that URL, as it stands in the names of images.
    #[must_use]
    pub fn public_host(&self) -> Option<String> {
        self.server.public_host().or_else(|| self.acme_host())
    }

    /// Refuses options that only make sense together.
    fn check_pairs(&self, origins: &Origins, problems: &mut Vec<Problem>) {
        let (given, missing) = match (&self.server.tls_cert, &self.server.tls_key) {
            (Some(_), None) => ("server.tls_cert", "server.tls_key"),
            (None, Some(_)) => ("server.tls_key", "server.tls_cert"),
            _ => return,
        };
        // When the other one was refused for what it is, that message says enough.
        if !problems.iter().any(|problem| problem.key() == Some(missing)) {
            let origin = origins.get(given).clone();
            problems.push(Problem::Alone { origin, given, missing });
        }
    }

    /// Returns the options that stand in no section.
    fn top_level_options() -> Vec<ConfigOption> {
        vec![ConfigOption::new(
            "data_dir",
            "Directory for blobs, uploads and the embedded database. It is created at the first start and belongs to \
             one running server at a time. A relative path is relative to the working directory.",
            Details { flag: Some("--data-dir"), example: Some("/var/lib/havre"), ..Details::NONE },
            |config| &config.data_dir,
            |config, value| config.data_dir = value,
        )]
    }
}

/// Returns the configuration file to read: the one that is named, else the first default that exists.
///
/// A file that was named is returned without a look at it: that it cannot be read is then an error, not a reason to
/// start with another configuration.
fn choose_file(named: Option<PathBuf>, exists: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    named.or_else(|| DEFAULT_FILES.iter().map(PathBuf::from).find(|path| exists(path)))
}
