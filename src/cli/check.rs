//! `havre check`: proves metadata and blobs against each other.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::operator::refuse_nothing;
use crate::app;
use crate::clock;
use crate::config::Flags;
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

pub(super) fn run(args: CheckArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    let (config, _) = args.flags.load()?;
    logging::init(&config.log);
    refuse_nothing(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let options = Options { deep: args.deep, repair: args.repair };
    let mut report = Printer::new(out, args.json);
    let checked = runtime.block_on(async {
        let registry = app::inspect(&config).await?;
        let checked = check::check(&registry, &Ctx::system(clock::now()), options, &mut report).await?;
        anyhow::Ok(checked)
    })?;
    report.end(&checked)?;
    Ok(ExitCode::from(u8::from(report.left > 0)))
}

/// Prints faults as they are found: a check may take hours, and end early.
struct Printer<'a> {
    out: &'a mut (dyn Write + Send),
    json: bool,
    found: usize,
    left: usize,
    failed: Option<io::Error>,
    /// When progress was shown last, where somebody looks on.
    shown: Option<Instant>,
}

impl<'a> Printer<'a> {
    fn new(out: &'a mut (dyn Write + Send), json: bool) -> Self {
        let shown = io::stderr().is_terminal().then(Instant::now);
        Self { out, json, found: 0, left: 0, failed: None, shown }
    }

    fn print(&mut self, fault: &Fault) -> io::Result<()> {
        self.clear();
        if self.json {
            writeln!(self.out, "{}", serde_json::to_string(fault)?)
        } else {
            writeln!(self.out, "{}", describe(fault))
        }
    }

    fn clear(&self) {
        if self.shown.is_some() {
            // Progress is a courtesy: a terminal that is gone does not stop the check.
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn end(&mut self, checked: &Checked) -> io::Result<()> {
        self.clear();
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let (found, left) = (self.found, self.left);
        if self.json {
            return writeln!(self.out, "{}", json!({ "checked": checked, "faults": found, "left": left }));
        }
        let Checked { blobs, bytes, manifests, stored } = checked;
        let counted = format!("{blobs} blobs ({bytes} bytes), {manifests} manifests, {stored} stored objects");
        match (found, left) {
            (0, _) => writeln!(self.out, "ok: {counted}, no fault"),
            (found, 0) => writeln!(self.out, "mended: {counted}, {found} faults found, all mended"),
            (found, left) => {
                writeln!(self.out, "damaged: {counted}, {found} faults found, {left} left")?;
                let hint = "push the images named above again to restore them; --repair mends what it can";
                writeln!(self.out, "hint: {hint}")
            }
        }
    }
}

impl Report for Printer<'_> {
    fn fault(&mut self, fault: Fault) -> ControlFlow<()> {
        self.found += 1;
        self.left += usize::from(!fault.is_mended());
        match self.print(&fault) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
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

fn describe(fault: &Fault) -> String {
    match fault {
        Fault::BlobMissing(blob) => blob_line("is gone from the store", blob),
        Fault::BlobLength(blob) => blob_line("has another length than when it was stored", blob),
        Fault::BlobCorrupt(blob) => blob_line("does not hash to its digest", blob),
        Fault::BlobUnreadable(blob) => blob_line("cannot be read", blob),
        Fault::BlobQuarantined(blob) if blob.mended => {
            format!("blob {} was out of service; its bytes are whole: back in service", blob.digest)
        }
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
