use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Instant, UNIX_EPOCH};

use serde_json::Value;

use super::*;

fn access() -> Access<'static> {
    Access {
        at: UNIX_EPOCH + Duration::from_millis(1_800_000_000_042),
        client: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
        method: "GET",
        path: "/v2/library/app/manifests/1.0",
        status: 200,
        bytes_sent: 1234,
        duration: Duration::from_micros(1_500_321),
        request_id: "r-1",
        user_agent: b"docker/28.0 (linux)",
    }
}

fn text_of(access: &Access<'_>) -> String {
    let mut line = Vec::new();
    line::write_text(&mut line, access);
    String::from_utf8(line).unwrap()
}

fn json_of(access: &Access<'_>) -> Value {
    let mut line = Vec::new();
    line::write_json(&mut line, access);
    assert_eq!(line.pop(), Some(b'\n'));
    assert!(!line.contains(&b'\n'));
    serde_json::from_slice(&line).unwrap()
}

/// A writer that sends each piece on, and waits until somebody takes it.
struct Pipe(SyncSender<String>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = String::from_utf8_lossy(bytes).into_owned();
        self.0.send(piece).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log(format: LogFormat) -> (AccessLog, Receiver<String>, Counter) {
    let (sender, receiver) = sync_channel(0);
    let dropped = Counter::default();
    let log = AccessLog::to(Pipe(sender), format, dropped.clone()).unwrap();
    (log, receiver, dropped)
}

#[test]
fn a_text_line_holds_everything() {
    let expected = "192.0.2.7 - - [15/Jan/2027:08:00:00 +0000] \"GET /v2/library/app/manifests/1.0\" 200 1234 \"-\" \
                    \"docker/28.0 (linux)\" 1.500321 r-1\n";
    assert_eq!(text_of(&access()), expected);
}

#[test]
fn a_json_line_holds_everything() {
    let expected = serde_json::json!({
        "time": "2027-01-15T08:00:00.042Z",
        "client": "192.0.2.7",
        "method": "GET",
        "path": "/v2/library/app/manifests/1.0",
        "status": 200,
        "bytes_sent": 1234,
        "duration": 1.500321,
        "request_id": "r-1",
        "user_agent": "docker/28.0 (linux)",
    });
    assert_eq!(json_of(&access()), expected);
}

#[test]
fn no_line_can_be_forged() {
    let forged = Access {
        path: "/a\" 200 0 \"-\"\n192.0.2.9 - -",
        user_agent: b"x\"\r\n\x1b]0;owned\x07\xff",
        request_id: "r 1\n",
        ..access()
    };
    let text = text_of(&forged);
    assert_eq!(text.lines().count(), 1);
    assert!(text.contains(r#""GET /a\"\x20200\x200\x20\"-\"\x0a192.0.2.9\x20-\x20-" 200"#), "{text}");
    assert!(text.contains(r#""x\"\x0d\x0a\x1b]0;owned\x07\xff""#), "{text}");
    let json = json_of(&forged);
    assert_eq!(json["path"], forged.path);
    assert_eq!(json["request_id"], forged.request_id);
}

#[test]
fn long_fields_are_cut() {
    let path = "/".repeat(line::MAX_PATH + 1);
    let agent = vec![b'a'; line::MAX_USER_AGENT + 1];
    let long = Access { path: &path, user_agent: &agent, ..access() };
    let json = json_of(&long);
    assert_eq!(json["path"], format!("{}...", &path[1..]));
    assert_eq!(json["user_agent"].as_str().unwrap().len(), line::MAX_USER_AGENT + 3);
}

#[test]
fn a_clock_that_was_never_set_is_no_reason_to_fail() {
    let early = Access { at: UNIX_EPOCH - Duration::from_secs(1), user_agent: b"", ..access() };
    assert!(text_of(&early).contains("[01/Jan/1970:00:00:00 +0000]"));
    assert!(text_of(&early).contains("\"-\" \"-\""));
}

#[test]
fn lines_are_written_in_their_order_and_together() {
    let (log, written, dropped) = log(LogFormat::Json);
    for status in [200, 201, 202] {
        log.record(&Access { status, ..access() });
    }
    let piece = written.recv().unwrap();
    let statuses: Vec<u64> =
        piece.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 201, 202]);
    assert_eq!(dropped.get(), 0);
}

#[test]
fn closing_writes_what_waits() {
    let (log, written, dropped) = log(LogFormat::Text);
    let reader = thread::spawn(move || written.iter().collect::<String>());
    log.record(&access());
    log.close();
    log.record(&access());
    assert_eq!(dropped.get(), 1);
    assert_eq!(reader.join().unwrap().lines().count(), 1);
}

#[test]
fn a_reader_that_does_not_read_costs_lines_and_never_time() {
    let (log, written, dropped) = log(LogFormat::Text);
    let path = "/".repeat(line::MAX_PATH);
    let long = Access { path: &path, ..access() };
    let lines = 3 * MAX_WAITING / text_of(&long).len();
    let started = Instant::now();
    for _ in 0..lines {
        log.record(&long);
    }
    assert!(started.elapsed() < Duration::from_secs(30));
    // One buffer may be on its way, one waits.
    assert!(dropped.get() > 0);
    let kept = lines as u64 - dropped.get();
    assert!(kept * (text_of(&long).len() as u64) <= 2 * MAX_WAITING as u64);
    log.close();
    drop(written);
}

#[test]
fn lines_for_a_closed_pipe_are_counted() {
    let (log, written, dropped) = log(LogFormat::Text);
    drop(written);
    log.record(&access());
    log.record(&access());
    log.close();
    assert_eq!(dropped.get(), 2);
}

#[test]
fn a_disabled_log_does_nothing() {
    let log = AccessLog::disabled();
    log.record(&access());
    log.close();
}
