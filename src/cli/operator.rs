//! What the commands for accounts share: opening the registry, reading a password, printing an answer.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::app;
use crate::clock;
use crate::config::{Config, DatabaseUrl, Flags, parse_duration};
use crate::registry::access;
use crate::registry::accounts::users;
use crate::registry::{Ctx, Error, Registry};
use crate::telemetry::logging;

/// Longest password that is read, in bytes.
const LONGEST_PASSWORD: usize = 1024;

/// How many rows of a list are asked for at once.
pub(super) const PAGE: usize = 500;

// Not a doc comment: clap would show it as the help of every command that has these flags.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// Answer in JSON: one object, or one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

/// An operator at work on a registry, maybe beside its running server.
pub(super) struct Operator {
    /// What the rules work with.
    pub registry: Registry,
    /// In whose name and when.
    pub ctx: Ctx,
    config: Config,
    json: bool,
    runtime: Runtime,
}

impl Operator {
    /// Opens the registry that the configuration names.
    pub fn open(common: Common) -> anyhow::Result<Self> {
        let (config, _) = common.flags.load()?;
        logging::init(&config.log);
        refuse_nothing(&config)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let registry = runtime.block_on(app::inspect(&config))?;
        Ok(Self { registry, ctx: Ctx::system(clock::now()), config, json: common.json, runtime })
    }

    /// Runs a rule to its end.
    pub fn run<T>(&self, rule: impl Future<Output = Result<T, Error>>) -> anyhow::Result<T> {
        Ok(self.runtime.block_on(rule)?)
    }

    /// What the operator has configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Waits for what is no rule.
    pub fn wait<T, E>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.runtime.block_on(work)
    }

    /// Prints an answer: the value where JSON was asked for, else the text.
    pub fn say(&self, out: &mut (dyn Write + Send), value: &Value, text: &str) -> io::Result<()> {
        if self.json { writeln!(out, "{value}") } else { writeln!(out, "{text}") }
    }

    /// Prints what to do next, where people read it.
    pub fn hint(&self, out: &mut (dyn Write + Send), text: &str) -> io::Result<()> {
        if self.json { Ok(()) } else { writeln!(out, "hint: {text}") }
    }

    /// Returns the command with which a client signs in; it asks for the password or secret.
    pub fn docker_login(&self, name: &str) -> String {
        let listened = || self.config.server.listen.first().map(reachable);
        let host = self.config.public_host().or_else(listened).unwrap_or_default();
        format!("docker login {host} --username {name}")
    }

    /// Makes a new key to sign tokens with in place of all there are, sealed with the present master key, which is made
    /// where there is none; returns what it replaces, and what is lost.
    pub fn new_signing_keys(&self) -> anyhow::Result<access::Replaced> {
        let master = app::master_key_or_new(&self.config)?;
        self.run(access::replace_keys(&self.registry, &self.ctx, &master))
    }

    /// Changes a password, and removes the file with the generated one, which holds no longer.
    pub fn set_password(&self, name: &str, password: String) -> anyhow::Result<()> {
        self.run(users::set_password(&self.registry, &self.ctx, name, password))?;
        if name == users::FIRST {
            app::forget_initial_password(&self.config.data_dir);
        }
        Ok(())
    }

    /// Reads how long something is to hold, such as `30d`, as the time when it ends, in microseconds since 1970.
    pub fn expiry(&self, text: Option<&str>) -> anyhow::Result<Option<i64>> {
        let Some(text) = text else { return Ok(None) };
        let lasts = parse_duration(text).with_context(|| format!("--expires {text:?}"))?;
        anyhow::ensure!(lasts > Duration::ZERO, "--expires {text:?}: it would have ended before it began");
        let lasts = i64::try_from(lasts.as_micros()).unwrap_or(i64::MAX);
        Ok(Some(self.ctx.now.saturating_add(lasts)))
    }
}

/// A directory that was named by mistake would get an empty registry.
pub(super) fn refuse_nothing(config: &Config) -> anyhow::Result<()> {
    let embedded = config.database.url == DatabaseUrl::Embedded;
    let found = if embedded { config.sqlite_path().is_file() } else { config.data_dir.is_dir() };
    let directory = config.data_dir.display();
    anyhow::ensure!(
        found,
        "there is no registry in {directory}; start `havre serve` once, or name its directory with --data-dir"
    );
    Ok(())
}

/// An address that a client on this machine can use: nobody connects to 0.0.0.0.
pub(super) fn reachable(address: &SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}

/// Reads the password from standard input, when that was asked for.
pub(super) fn given_password(stdin: bool) -> anyhow::Result<Option<String>> {
    if stdin { read_password(io::stdin().lock()).map(Some) } else { Ok(None) }
}

/// Reads the password, which comes from standard input only: an argument is seen by every process of the machine.
pub(super) fn needed_password(stdin: bool) -> anyhow::Result<String> {
    let given = given_password(stdin)?;
    given.context("the password is read from standard input only; pipe it in and add --password-stdin")
}

fn read_password(from: impl Read) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    // A newline behind the longest one is no part of it.
    from.take(LONGEST_PASSWORD as u64 + 3).read_to_end(&mut bytes).context("cannot read standard input")?;
    let text = String::from_utf8(bytes).ok().context("the password on standard input is not UTF-8")?;
    let line = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
    anyhow::ensure!(!line.is_empty(), "there is no password on standard input");
    anyhow::ensure!(line.len() <= LONGEST_PASSWORD, "the password on standard input has over {LONGEST_PASSWORD} bytes");
    Ok(line.to_owned())
}

/// Splits `acme/ops` into an organisation and its team.
pub(super) fn split_team(text: &str) -> anyhow::Result<(&str, &str)> {
    text.split_once('/').with_context(|| format!("{text:?} names no team; write ORGANISATION/TEAM, such as acme/ops"))
}

/// Writes a time, in microseconds since 1970, to the second.
pub(super) fn time(at: i64) -> String {
    jiff::Timestamp::from_second(at.div_euclid(1_000_000)).map_or_else(|_| at.to_string(), |time| time.to_string())
}

/// Writes a time that may never come.
pub(super) fn time_or_never(at: Option<i64>) -> String {
    at.map_or_else(|| "never".to_owned(), time)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_PASSWORD, read_password, split_team};

    #[test]
    fn one_newline_behind_a_password_is_no_part_of_it() {
        for (given, read) in [("a b", "a b"), ("ab\n", "ab"), ("ab\r\n", "ab"), ("ab\n\n", "ab\n"), (" ab ", " ab ")] {
            assert_eq!(read_password(given.as_bytes()).unwrap(), read, "{given:?}");
        }
    }

    #[test]
    fn what_is_no_password_is_refused() {
        let longest = "a".repeat(LONGEST_PASSWORD);
        assert_eq!(read_password(format!("{longest}\r\n").as_bytes()).unwrap(), longest);
        for given in [b"".as_slice(), b"\n", b"\xff\xfe", format!("{longest}a").as_bytes()] {
            assert!(read_password(given).is_err());
        }
    }

    #[test]
    fn a_team_is_named_with_its_organisation() {
        assert_eq!(split_team("acme/ops").unwrap(), ("acme", "ops"));
        assert!(split_team("ops").is_err());
    }
}
