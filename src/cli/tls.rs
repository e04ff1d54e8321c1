//! `havre tls`: a certificate for a machine that no public authority vouches for, and how the others are doing.

mod renew;
mod status;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::operator::Common;
use crate::clock;
use crate::config::Flags;
use crate::pki::authority::Authority;

#[derive(Debug, Args)]
pub(super) struct TlsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a local authority and a certificate, and tell how clients trust it; again, to renew the certificate
    Init(InitArgs),
    /// Tell until when the certificates hold that the server obtains by itself, and what keeps them from being renewed
    Status(Common),
    /// Have the server obtain another certificate now, due or not, and without waiting after a failure
    Renew(Common),
}

#[derive(Debug, Args)]
struct InitArgs {
    /// Name or address that clients use; may be repeated [default: this machine's name, or those of the last time]
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Directory for the files [default: `tls` in the data directory]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Answer in JSON: one object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(args: TlsArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Init(args) => init(args, out)?,
        Command::Status(common) => status::run(common, out)?,
        Command::Renew(common) => renew::run(common, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The files, all in one directory.
struct Files {
    directory: PathBuf,
}

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

fn init(args: InitArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let (config, _) = args.flags.load()?;
    let files = Files { directory: args.out.unwrap_or_else(|| config.data_dir.join("tls")) };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&files.directory)
        .with_context(|| format!("cannot make {}; choose another with --out", files.directory.display()))?;
    let (authority, made) = authority(&files)?;
    let hosts = hosts(args.hosts, &files);
    let signed = authority
        .sign(&hosts, clock::now())
        .with_context(|| format!("cannot make a certificate for {}: give names or addresses", hosts.join(", ")))?;
    replace(&files.path("server.key"), &signed.key, 0o600)?;
    replace(&files.path("server.crt"), &signed.certificate, 0o644)?;
    replace(&files.path("hosts"), &(hosts.join("\n") + "\n"), 0o644)?;
    let port = config.server.listen.first().map_or(5000, std::net::SocketAddr::port);
    let absolute = fs::canonicalize(&files.directory)?;
    let at = |name: &str| absolute.join(name).display().to_string();
    if args.json {
        let value = json!({
            "ca_cert": at("ca.crt"), "ca_key": at("ca.key"), "ca_made": made,
            "cert": at("server.crt"), "key": at("server.key"), "hosts": hosts, "port": port,
        });
        writeln!(out, "{value}")?;
    } else {
        out.write_all(told(&hosts, port, made, &at).as_bytes())?;
    }
    Ok(())
}

/// Takes up the authority of an earlier run, or makes one. One that is there is never overwritten: clients trust it.
fn authority(files: &Files) -> anyhow::Result<(Authority, bool)> {
    let (certificate, key) = (files.path("ca.crt"), files.path("ca.key"));
    match (certificate.exists(), key.exists()) {
        (true, true) => {
            let read =
                |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
            let authority = Authority::read(&read(&certificate)?, &read(&key)?)
                .with_context(|| format!("cannot use the authority in {}", files.directory.display()))?;
            Ok((authority, false))
        }
        (false, false) if !files.path("server.crt").exists() && !files.path("server.key").exists() => {
            let made = Authority::make(clock::now())?;
            create(&key, &made.key(), 0o600)?;
            create(&certificate, made.certificate(), 0o644)?;
            Ok((made, true))
        }
        _ => bail!(
            "{} holds a certificate, but not both of ca.crt and ca.key: nothing was changed; choose another with --out",
            files.directory.display()
        ),
    }
}

/// The names of the certificate, the one that clients use first. This machine's own always work, for trials on it.
fn hosts(given: Vec<String>, files: &Files) -> Vec<String> {
    let earlier = || fs::read_to_string(files.path("hosts")).ok();
    let mut hosts = given;
    if hosts.is_empty() {
        hosts = earlier().map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default();
    }
    if hosts.is_empty() {
        hosts.push(rustix::system::uname().nodename().to_string_lossy().into_owned());
    }
    hosts.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    let mut seen = BTreeSet::new();
    hosts.retain(|host| !host.is_empty() && seen.insert(host.clone()));
    hosts
}

fn create(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    write(path, text, mode).with_context(|| format!("cannot write {}", path.display()))
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Puts a file in place at once: a server that follows it never reads half of one.
fn replace(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    create(&new, text, mode)?;
    fs::rename(&new, path).with_context(|| format!("cannot write {}", path.display()))
}

fn told(hosts: &[String], port: u16, made: bool, at: &dyn Fn(&str) -> String) -> String {
    let host = hosts.first().map_or("localhost", String::as_str);
    let all = hosts.join(", ");
    let (ca, cert, key) = (at("ca.crt"), at("server.crt"), at("server.key"));
    let name = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let did = if made { "made an authority and a certificate" } else { "renewed the certificate" };
    format!(
        "{did} for {all}\n\n\
         Start the server:\n  havre serve --listen 0.0.0.0:{port} --tls-cert {cert} --tls-key {key}\n\n\
         Copy {ca} to each client, and have it trusted there.\n\n\
         docker:\n  mkdir -p /etc/docker/certs.d/{name}\n  cp ca.crt /etc/docker/certs.d/{name}/ca.crt\n\n\
         podman, buildah, skopeo:\n  mkdir -p /etc/containers/certs.d/{name}\n  \
         cp ca.crt /etc/containers/certs.d/{name}/ca.crt\n\n\
         containerd, in /etc/containerd/certs.d/{name}/hosts.toml, with ca.crt beside it:\n  \
         server = \"https://{name}\"\n  [host.\"https://{name}\"]\n    \
         ca = \"/etc/containerd/certs.d/{name}/ca.crt\"\n\n\
         everything on a machine (Debian, Ubuntu):\n  cp ca.crt /usr/local/share/ca-certificates/havre.crt\n  \
         update-ca-certificates\n\n\
         Keep ca.key secret: whoever has it is trusted as any server.\n"
    )
}
