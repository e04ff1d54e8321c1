//! `havre audit`: proves, searches and exports what was written down.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::operator::{Common, Operator, PAGE, time};
use crate::auth::chain::parse_head;
use crate::config::parse_duration;
use crate::registry::audit::{self, Broken, Entry, Fault, Filter, Verified};

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prove that nothing was changed, taken away or put in; exits with 1 when something was
    Verify(VerifyArgs),
    /// Show the end of the chain: kept elsewhere, it proves later that nothing up to there was taken away
    Head(HeadArgs),
    /// Show events, the newest first
    Query(QueryArgs),
    /// Write out events, the newest first, for other programs
    Export(ExportArgs),
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// An end of the chain that was kept elsewhere, as `havre audit head` shows it
    #[arg(long, value_name = "SEQ:HASH")]
    head: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct HeadArgs {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Wanted {
    /// From then on: a time such as 2026-05-01T00:00:00Z, or how long ago, such as 24h or 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Until then
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// By a user or robot, or a principal such as user:ID, anonymous, system
    #[arg(long)]
    actor: Option<String>,
    /// A kind of event such as tag.move, or what kinds begin with, such as tag.
    #[arg(long, value_name = "KIND")]
    action: Option<String>,
    /// In a repository
    #[arg(long)]
    repository: Option<String>,
}

#[derive(Debug, Args)]
struct QueryArgs {
    #[command(flatten)]
    wanted: Wanted,
    /// At most this many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct ExportArgs {
    #[command(flatten)]
    wanted: Wanted,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// At most this many [default: all]
    #[arg(long)]
    limit: Option<usize>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values (RFC 4180) with a header
    Csv,
}

pub(super) fn run(args: AuditArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Verify(args) => return verify(args, out),
        Command::Head(args) => head(args, out)?,
        Command::Query(args) => query(args, out)?,
        Command::Export(args) => export(args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn verify(args: VerifyArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    let kept = args.head.as_deref().map(|text| {
        parse_head(text).with_context(|| format!("--head {text:?}: write SEQ:HASH, as `havre audit head` shows it"))
    });
    let kept = kept.transpose()?;
    let operator = Operator::open(args.common)?;
    anyhow::ensure!(
        operator.registry.audit.has_key(),
        "the chain is proved with the master key, which is not at hand; give auth.master_key or auth.master_key_file as \
         the server has it, and run this as the server's user"
    );
    let shown = io::stderr().is_terminal();
    let progress = move |seq: i64| {
        if shown {
            // Progress is a courtesy: a terminal that is gone does not stop the proof.
            let _ = write!(io::stderr(), "\rproved up to {seq}\x1b[K");
        }
    };
    // What the server beside wrote down of the end, when none is given.
    let known = kept.or_else(|| operator.registry.audit.kept());
    let verified = operator.run(audit::verify(&operator.registry, known, progress))?;
    if shown {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    anyhow::ensure!(
        kept.is_none_or(|(seq, _)| seq >= verified.from),
        "the head that was kept is older than the events that are left, which begin behind {}; give a later one",
        verified.from
    );
    let value = json!({
        "whole": verified.broken.is_none(),
        "from": verified.from,
        "seq": verified.seq,
        "hash": hex(&verified.hash),
        "erased": verified.erased,
        "broken": verified.broken.map(|broken| json!({
            "seq": broken.seq,
            "event": broken.event,
            "fault": describe(broken.fault),
        })),
        "unchained": verified.unchained,
        "unchained_since": verified.unchained_since.map(time),
    });
    operator.say(out, &value, &text(&verified))?;
    Ok(ExitCode::from(u8::from(verified.broken.is_some())))
}

fn text(verified: &Verified) -> String {
    let Verified { from, seq, erased, unchained, .. } = verified;
    let proved = seq - from;
    let mut text = match &verified.broken {
        None => format!("ok: {proved} events proved, from {} to {seq}", from + 1),
        Some(Broken { seq: at, event, fault }) => {
            let event = event.map(|id| format!(" (event {id})")).unwrap_or_default();
            format!("broken at {at}{event}: {}; {proved} events before it are proved", describe(*fault))
        }
    };
    if *erased > 0 {
        text.push_str(&format!("; of {erased} the personal fields were erased"));
    }
    if let Some(since) = verified.unchained_since {
        text.push_str(&format!("\nnot chained yet: {unchained}, the oldest of {}", time(since)));
    }
    text.push_str(&format!("\nhead: {seq}:{}", hex(&verified.hash)));
    text
}

fn describe(fault: Fault) -> &'static str {
    match fault {
        Fault::Changed => "the event was changed",
        Fault::Personal => "what the event tells about a person was changed or added",
        Fault::Missing => "an event is missing",
        Fault::Inserted => "an event was put in",
        Fault::Moved => "the order was changed",
        Fault::Cut => "the last events are missing",
        Fault::Head => "the record of the chain's end was altered, or sealed with another master key",
        Fault::Checkpoint => "the record of the chain's beginning was altered, or sealed with another master key",
        Fault::Other => "it is not the chain whose head was kept",
    }
}

fn head(args: HeadArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let head = operator.run(audit::head(&operator.registry))?;
    anyhow::ensure!(head.sealed != Some(false), "the chain's end was altered; `havre audit verify` tells more");
    let hash = hex(&head.hash);
    let value = json!({ "seq": head.seq, "hash": hash });
    operator.say(out, &value, &format!("{}:{hash}", head.seq))?;
    Ok(())
}

fn filter(operator: &Operator, wanted: Wanted) -> anyhow::Result<Filter> {
    let now = operator.ctx.now;
    Ok(Filter {
        since: wanted.since.as_deref().map(|text| moment(text, now)).transpose()?,
        until: wanted.until.as_deref().map(|text| moment(text, now)).transpose()?,
        actor: wanted.actor,
        action: wanted.action,
        repository: wanted.repository,
    })
}

/// Reads a time, or how long ago it was.
fn moment(text: &str, now: i64) -> anyhow::Result<i64> {
    if let Ok(ago) = parse_duration(text) {
        return Ok(now.saturating_sub(i64::try_from(ago.as_micros()).unwrap_or(i64::MAX)));
    }
    let time: jiff::Timestamp = text
        .parse()
        .ok()
        .with_context(|| format!("{text:?}: write a time such as 2026-05-01T00:00:00Z, or 24h, 7d"))?;
    Ok(time.as_microsecond())
}

/// Hands over events page by page.
fn each(
    operator: &Operator,
    filter: &Filter,
    limit: usize,
    mut take: impl FnMut(&Entry) -> io::Result<()>,
) -> anyhow::Result<()> {
    let (mut left, mut after) = (limit, None);
    while left > 0 {
        let page = left.min(PAGE);
        let entries = operator.run(audit::query(&operator.registry, filter, after, page))?;
        for entry in &entries {
            take(entry)?;
        }
        left -= entries.len();
        after = entries.last().map(Entry::cursor);
        if entries.len() < page {
            break;
        }
    }
    Ok(())
}

fn query(args: QueryArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let filter = filter(&operator, args.wanted)?;
    each(&operator, &filter, args.limit, |entry| operator.say(out, &value(entry), &line(entry)))
}

fn export(args: ExportArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(args.common)?;
    let filter = filter(&operator, args.wanted)?;
    let mut out = io::BufWriter::new(out);
    if matches!(args.format, Format::Csv) {
        writeln!(out, "{}\r", COLUMNS.join(","))?;
    }
    each(&operator, &filter, args.limit.unwrap_or(usize::MAX), |entry| match args.format {
        Format::Jsonl => writeln!(out, "{}", value(entry)),
        Format::Csv => {
            let value = value(entry);
            let cells: Vec<String> = COLUMNS.iter().map(|column| cell(&value[column])).collect();
            writeln!(out, "{}\r", cells.join(","))
        }
    })?;
    out.flush()?;
    Ok(())
}

const COLUMNS: [&str; 16] = [
    "seq",
    "id",
    "at",
    "kind",
    "result",
    "actor",
    "actor_name",
    "credential",
    "repository",
    "tag",
    "digest",
    "address",
    "user_agent",
    "name",
    "request_id",
    "detail",
];

fn value(entry: &Entry) -> Value {
    let event = &entry.event;
    let personal = event.personal.as_ref();
    let detail = event.detail.as_deref().map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
    let at = jiff::Timestamp::from_microsecond(event.at).map_or_else(|_| event.at.to_string(), |at| at.to_string());
    json!({
        "seq": event.seq,
        "id": event.id,
        "at": at,
        "kind": event.kind,
        "result": event.result,
        "actor": event.actor,
        "actor_name": entry.actor_name,
        "credential": event.credential,
        "repository": event.repository,
        "tag": event.tag,
        "digest": event.digest().map(|digest| digest.to_string()),
        "address": personal.and_then(|personal| personal.address.as_deref()),
        "user_agent": personal.and_then(|personal| personal.user_agent.as_deref()),
        "name": personal.and_then(|personal| personal.name.as_deref()),
        "request_id": event.request_id,
        "detail": detail,
    })
}

fn line(entry: &Entry) -> String {
    let event = &entry.event;
    let who = entry.actor_name.as_deref().unwrap_or(&event.actor);
    let mut line = format!("{}\t{}\t{who}", time(event.at), event.kind);
    if event.result != "ok" {
        line.push_str(&format!("\t{}", event.result));
    }
    let reference = event.digest().map(|digest| digest.to_string());
    let address = event.personal.as_ref().and_then(|personal| personal.address.clone());
    for (before, text) in
        [("", &event.repository), (":", &event.tag), ("", &reference), ("from ", &address), ("", &event.detail)]
    {
        if let Some(text) = text {
            line.push_str(&format!("\t{before}{text}"));
        }
    }
    line
}

/// Writes a cell. A text that a spreadsheet would take for a formula gets an apostrophe before it.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::Number(number) => return number.to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text = if formula { format!("'{text}") } else { text };
    if text.contains([',', '"', '\n', '\r', '\'']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{cell, moment, parse_head};

    #[test]
    fn no_cell_is_a_formula_or_breaks_out_of_its_place() {
        for (given, written) in [
            (json!("a"), "a"),
            (json!("=1+1"), "\"'=1+1\""),
            (json!("@x"), "\"'@x\""),
            (json!("a,\"b\"\n"), "\"a,\"\"b\"\"\n\""),
            (json!(-3), "-3"),
            (Value::Null, ""),
        ] {
            assert_eq!(cell(&given), written);
        }
    }

    #[test]
    fn a_time_is_given_or_how_long_ago() {
        let now = 1_700_000_000_000_000;
        assert_eq!(moment("24h", now).unwrap(), now - 24 * 3600 * 1_000_000);
        assert_eq!(moment("1970-01-01T00:00:01Z", now).unwrap(), 1_000_000);
        assert!(moment("yesterday", now).is_err());
    }

    #[test]
    fn a_kept_head_is_read() {
        assert_eq!(parse_head(&format!("7:{}", "0f".repeat(32))), Some((7, [15; 32])));
        for wrong in ["7", "7:00", &format!("x:{}", "0f".repeat(32)), &format!("7:{}", "é".repeat(32))] {
            assert_eq!(parse_head(wrong), None);
        }
    }
}
