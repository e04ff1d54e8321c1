//! `havre config`: shows, checks and documents the configuration.

use std::io;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::config::{Config, ConfigOption, Flags, Literal, Origin, Origins, options, reference};

/// Arguments of `havre config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print every option, its value and where it came from.
    Show {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        flags: Flags,
    },
    /// Check the configuration and say what is wrong with it.
    Check {
        #[command(flatten)]
        flags: Flags,
    },
    /// Print the reference of all options, as Markdown.
    Reference,
}

/// Runs `havre config`. Secrets are never written.
///
/// # Errors
///
/// Fails if the configuration cannot be used, or `out` cannot be written to.
pub fn run(args: ConfigArgs, out: &mut dyn io::Write) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Show { json, flags } => {
            let (config, origins) = flags.load()?;
            if json { show_json(&config, &origins, out)? } else { show_text(&config, &origins, out)? }
        }
        Command::Check { flags } => {
            let (_, origins) = flags.load()?;
            match origins.file() {
                Some(path) => writeln!(out, "The configuration is valid (read {}).", path.display())?,
                None => writeln!(out, "The configuration is valid (no file was read).")?,
            }
        }
        Command::Reference => out.write_all(reference().as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the options as TOML, each with its origin as a comment, so that the output is itself a configuration, but for
/// its secrets.
fn show_text(config: &Config, origins: &Origins, out: &mut dyn io::Write) -> io::Result<()> {
    let line = |option: &ConfigOption| format!("{} = {}", option.key, option.get(config));
    let lines: Vec<String> = options().iter().map(line).collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    for (line, option) in lines.iter().zip(options()) {
        writeln!(out, "{line:width$}  # {}", origins.get(option.key))?;
    }
    Ok(())
}

/// Writes one object: each key with its value and origin.
fn show_json(config: &Config, origins: &Origins, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let entry = |option: &ConfigOption| {
        let value: Literal = option.get(config);
        (option.key.to_owned(), json!({ "value": value, "origin": origin(origins.get(option.key)) }))
    };
    let all: Map<String, Value> = options().iter().map(entry).collect();
    serde_json::to_writer_pretty(&mut *out, &all)?;
    writeln!(out)?;
    Ok(())
}

fn origin(origin: &Origin) -> Value {
    match origin {
        Origin::Default => json!({ "kind": "default" }),
        Origin::File { path, line } => json!({ "kind": "file", "path": path.display().to_string(), "line": line }),
        Origin::Environment(name) => json!({ "kind": "environment", "name": name }),
        Origin::Flag(name) => json!({ "kind": "flag", "name": name }),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command as Clap, FromArgMatches as _};

    use super::*;

    /// Runs the command as the shell would and returns what it prints. The file is given, so that neither the working
    /// directory nor `/etc` has a say.
    fn output(file: &str, command: &str, more: &[&str]) -> anyhow::Result<String> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("havre.toml");
        std::fs::write(&path, file)?;
        let path = path.display().to_string();
        let clap = ConfigArgs::augment_args(Clap::new("config").no_binary_name(true));
        let arguments = [command, "--config", &path].into_iter().chain(more.iter().copied());
        let args = ConfigArgs::from_arg_matches(&clap.try_get_matches_from(arguments)?)?;
        let mut out = Vec::new();
        run(args, &mut out)?;
        Ok(String::from_utf8(out)?.replace(&path, "havre.toml"))
    }

    #[test]
    fn show_prints_values_and_origins() {
        let shown = output("[server]\nopen = true", "show", &["--data-dir", "/d"]).unwrap();
        assert_eq!(shown.lines().count(), options().len());
        let has = |start: &str, end: &str| shown.lines().any(|line| line.starts_with(start) && line.ends_with(end));
        assert!(has("data_dir = \"/d\" ", "  # flag --data-dir"), "{shown}");
        assert!(has("server.open = true ", "  # havre.toml:2"), "{shown}");
        assert!(has("storage.upload_expiry = \"24h\" ", "  # default"), "{shown}");
    }

    #[test]
    fn show_prints_json() {
        let shown = output("[server]\nopen = true", "show", &["--json"]).unwrap();
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["server.open"]["value"], true);
        assert_eq!(shown["server.open"]["origin"], json!({ "kind": "file", "path": "havre.toml", "line": 2 }));
        assert_eq!(shown["server.listen"]["value"], json!(["127.0.0.1:5000"]));
        assert_eq!(shown["server.listen"]["origin"], json!({ "kind": "default" }));
    }

    #[test]
    fn show_masks_secrets() {
        for json in [&[][..], &["--json"]] {
            let shown = output("database.url = 'postgres://u:hush@h/db'", "show", json).unwrap();
            assert!(shown.contains("postgres://u:********@h/db") && !shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn check_tells_what_is_wrong() {
        assert_eq!(output("", "check", &[]).unwrap(), "The configuration is valid (read havre.toml).\n");
        let error = output("nope = 1\nopen = 1", "check", &[]).unwrap_err().to_string();
        assert!(error.contains("havre.toml:1: unknown key `nope`") && error.contains("havre.toml:2:"), "{error}");
    }

    #[test]
    fn the_reference_needs_no_configuration() {
        let clap = ConfigArgs::augment_args(Clap::new("config").no_binary_name(true));
        let args = ConfigArgs::from_arg_matches(&clap.get_matches_from(["reference"])).unwrap();
        let mut out = Vec::new();
        run(args, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), reference());
    }
}
