//! `havre check`: proves metadata and blobs against each other.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::app;
use crate::clock;
use crate::config::{Config, DatabaseUrl, Flags};
use crate::db::inventory::Totals;
use crate::registry::Ctx;
use crate::registry::check::{self, Checked, Fault, Options, Report};
use crate::telemetry::logging;

/// How often progress is shown.
const PROGRESS: Duration = Duration::from_secs(1);

/// Safe beside a running server. Exits with 0 when all is well or was mended, 1 when faults remain, 2 when the check
/// could not be made.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Read every blob and hash it again
    #[arg(long)]
    deep: bool,
    /// Remove bytes that nothing accounts for, and take damaged blobs out of service until they are pushed again
    #[arg(long)]
    repair: bool,
    /// One JSON object a fault, and a last one with the totals
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(args: CheckArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let (config, _) = args.flags.load()?;
    logging::init(&config.log);
    refuse_nothing(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let options = Options { deep: args.deep, repair: args.repair };
    let mut faults = Vec::new();
    let checked = runtime.block_on(async {
        let registry = app::registry(&config, None).await?;
        let mut report = Collect::new(&mut faults);
        let checked = check::check(&registry, &Ctx::system(clock::now()), options, &mut report).await?;
        report.end();
        anyhow::Ok(checked)
    })?;
    let left = faults.iter().filter(|fault| !fault.is_mended()).count();
    if args.json { print_json(out, &faults, &checked, left)? } else { print_text(out, &faults, &checked, left)? }
    Ok(ExitCode::from(u8::from(left > 0)))
}

/// A check of a directory that was named by mistake would make an empty registry there and find it well.
fn refuse_nothing(config: &Config) -> anyhow::Result<()> {
    let embedded = config.database.url == DatabaseUrl::Embedded;
    let found = if embedded { config.sqlite_path().is_file() } else { config.data_dir.is_dir() };
    anyhow::ensure!(found, "there is no registry in {}; name its directory with --data-dir", config.data_dir.display());
    Ok(())
}

struct Collect<'a> {
    faults: &'a mut Vec<Fault>,
    shown: Option<Instant>,
}

impl<'a> Collect<'a> {
    fn new(faults: &'a mut Vec<Fault>) -> Self {
        Self { faults, shown: io::stderr().is_terminal().then(Instant::now) }
    }

    fn end(&self) {
        if self.shown.is_some() {
            // Progress is a courtesy: a terminal that is gone does not stop the check.
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Report for Collect<'_> {
    fn fault(&mut self, fault: Fault) -> ControlFlow<()> {
        self.faults.push(fault);
        ControlFlow::Continue(())
    }

    fn progress(&mut self, done: &Checked, totals: &Totals) {
        let Some(shown) = self.shown.as_mut().filter(|shown| shown.elapsed() >= PROGRESS) else { return };
        *shown = Instant::now();
        let (blobs, manifests) = (totals.blobs, totals.manifests);
        let Checked { blobs: b, manifests: m, stored: s, .. } = done;
        let _ = write!(
            io::stderr(),
            "\r\x1b[Kchecked {b} of {blobs} blobs, {m} of {manifests} manifests, {s} stored objects"
        );
    }
}

fn print_json(out: &mut dyn Write, faults: &[Fault], checked: &Checked, left: usize) -> io::Result<()> {
    for fault in faults {
        writeln!(out, "{}", serde_json::to_string(fault)?)?;
    }
    writeln!(out, "{}", json!({ "checked": checked, "faults": faults.len(), "left": left }))
}

fn print_text(out: &mut dyn Write, faults: &[Fault], checked: &Checked, left: usize) -> io::Result<()> {
    for fault in faults {
        writeln!(out, "{}", describe(fault))?;
    }
    let Checked { blobs, bytes, manifests, stored } = checked;
    let counted = format!("{blobs} blobs ({bytes} bytes), {manifests} manifests, {stored} stored objects");
    match (faults.len(), left) {
        (0, _) => writeln!(out, "ok: {counted}, no fault"),
        (found, 0) => writeln!(out, "mended: {counted}, {found} faults found, all mended"),
        (found, left) => {
            writeln!(out, "damaged: {counted}, {found} faults found, {left} left")?;
            writeln!(out, "hint: push the images named above again to restore them; --repair mends what it can")
        }
    }
}

fn describe(fault: &Fault) -> String {
    match fault {
        Fault::BlobMissing(blob) => blob_line("is gone from the store", blob),
        Fault::BlobLength(blob) => blob_line("has another length than when it was stored", blob),
        Fault::BlobCorrupt(blob) => blob_line("does not hash to its digest", blob),
        Fault::BlobQuarantined(blob) => blob_line("is out of service since it was found damaged", blob),
        Fault::Orphan { location, size, mended } => {
            let done = if *mended { "removed" } else { "takes room only" };
            format!("nothing accounts for {location} ({size} bytes): {done}")
        }
        Fault::ManifestCorrupt(manifest) => {
            format!("manifest {} of {} does not hash to its digest", manifest.digest, manifest.repository)
        }
        Fault::ManifestEdges(manifest) => {
            format!("manifest {} of {} is linked to other content than it names", manifest.digest, manifest.repository)
        }
    }
}

fn blob_line(what: &str, blob: &check::BlobFault) -> String {
    let done = if blob.mended { "; taken out of service" } else { "" };
    let holders = if blob.repositories.is_empty() { "no repository".to_owned() } else { blob.repositories.join(", ") };
    format!("blob {} {what}{done} (held by {holders})", blob.digest)
}
