//! Runs the `havre` binary.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use oci::Digest;
use tempfile::TempDir;

use crate::support::Client;

/// How a command ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Expects an exit code, and shows everything when it was another one.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn says(self, part: &str) -> Self {
        assert!(self.stdout.contains(part), "{part}\n---\n{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn complains(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "{part}\n---\n{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// A directory of its own in which commands run, with nothing in the environment.
pub struct Place {
    directory: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The data directory that every command works on, unless it names another.
    pub fn data(&self) -> PathBuf {
        self.path().join("havre-data")
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_havre"));
        command.args(args).env_clear().current_dir(self.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Outcome {
        outcome(&mut self.command(args))
    }

    /// Starts an open server on a free port and waits until it serves.
    pub fn serve(&self, args: &[&str]) -> Serving {
        self.serve_with(&[&["--open"], args].concat(), &[])
    }

    /// Starts a server with variables of its environment.
    pub fn serve_with(&self, args: &[&str], variables: &[(&str, &std::ffi::OsStr)]) -> Serving {
        let args = [&["--set", "log.access=false"], args].concat();
        self.serve_onto(&args, variables, Stdio::null())
    }

    /// Starts an open server whose access log goes to a file.
    pub fn serve_logging(&self, args: &[&str], access: std::fs::File) -> Serving {
        self.serve_onto(&[&["--open"], args].concat(), &[], access.into())
    }

    fn serve_onto(&self, args: &[&str], variables: &[(&str, &std::ffi::OsStr)], stdout: Stdio) -> Serving {
        let mut command = self.command(&[&["serve", "--listen", "127.0.0.1:0"], args].concat());
        command.envs(variables.iter().copied());
        let mut child = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let (address, mut seen) = await_address(&mut log);
        // Read on, so that the server never waits for a full pipe.
        let log = std::thread::spawn(move || {
            let _ = log.read_to_string(&mut seen);
            seen
        });
        Serving { child, address, log: Some(log) }
    }

    /// Starts a server whose log and access log go into pipes that nobody reads any more once it serves.
    pub fn serve_unheard(&self) -> Serving {
        let mut command = self.command(&["serve", "--open", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (address, _) = await_address(&mut BufReader::new(child.stderr.take().unwrap()));
        drop(child.stdout.take());
        Serving { child, address, log: None }
    }
}

/// Reads a server's log until it says where it serves; returns what was read beside it.
fn await_address(log: &mut impl BufRead) -> (SocketAddr, String) {
    let mut seen = String::new();
    loop {
        let start = seen.len();
        let read = log.read_line(&mut seen).unwrap();
        assert!(read > 0, "the server ended before it served: {seen}");
        // In JSON a quote follows it.
        let ends = |c: char| c.is_whitespace() || c == '"';
        let address = seen[start..].split_once("://").and_then(|(_, rest)| rest.split(ends).next()?.parse().ok());
        if let Some(address) = address {
            return (address, seen);
        }
    }
}

pub fn outcome(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The file of a blob.
pub fn file_of(place: &Place, digest: &Digest) -> PathBuf {
    let directory = place.data().join("store/blobs/sha256").join(&digest.hex()[..2]);
    let mut entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.to_str().unwrap().contains(&digest.hex())).expect("the blob's file")
}

/// A server as a process, killed when it is dropped.
pub struct Serving {
    child: Child,
    pub address: SocketAddr,
    /// Nothing, when its log is not read.
    log: Option<JoinHandle<String>>,
}

impl Serving {
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Asks it to end, as systemd and docker do.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for its end; returns how it ended and its log. Clients go on meanwhile: the server waits for them.
    pub async fn wait(mut self) -> (ExitStatus, String) {
        let wait =
            move || (self.child.wait().unwrap(), self.log.take().map(|log| log.join().unwrap()).unwrap_or_default());
        tokio::task::spawn_blocking(wait).await.unwrap()
    }

    pub async fn stop(self) -> String {
        self.terminate();
        let (status, log) = self.wait().await;
        assert!(status.success(), "{status}: {log}");
        log
    }

    /// Ends it as a crash does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
