//! The log of the server, on standard error.

use std::io::{self, IsTerminal as _};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{MakeWriter, SubscriberBuilder};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat};

/// Sends every event that `log.level` lets pass to standard error, as text or JSON.
///
/// The fields of the spans an event stands in, such as the request's id, are part of it. The first call decides for the
/// whole process; later ones change nothing, so that tests may call it each.
pub fn init(log: &Log) {
    let colours = io::stderr().is_terminal();
    // It only fails when there is a subscriber already.
    let _ = subscriber(log, || Forgiving(io::stderr()), colours).try_init();
}

/// A log that cannot be written (a closed pipe, a full disk) is no reason to stop serving: the standard library's
/// fallback, printing the failure to the same stream, would panic.
struct Forgiving<W>(W);

impl<W: io::Write> io::Write for Forgiving<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // What could not be written is lost; there is nowhere else to say so.
        let _ = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// Builds what formats events and writes them to `writer`.
fn subscriber<W>(log: &Log, writer: W, colours: bool) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Well formed, because `LogFilter` parsed it with the same function.
    let filter = EnvFilter::try_new(log.level.as_str()).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = SubscriberBuilder::default()
        .with_env_filter(filter)
        .log_internal_errors(false)
        .with_writer(writer)
        .with_ansi(colours && log.format == LogFormat::Text);
    match log.format {
        LogFormat::Text => Box::new(builder.finish()),
        LogFormat::Json => {
            Box::new(builder.json().flatten_event(true).with_current_span(true).with_span_list(false).finish())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;
    use crate::config::LogFilter;

    /// A writer that keeps what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, level: &str) -> String {
        let log = Log { format, level: LogFilter::parse(level).unwrap(), access: true };
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = subscriber(&log, move || writer.clone(), false);
        tracing::subscriber::with_default(subscriber, || {
            let _span = tracing::info_span!("request", id = "r-1").entered();
            tracing::info!(repository = "a/b", "a manifest was pushed");
            tracing::debug!("something small");
        });
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn text_lines_carry_the_request_id() {
        let text = logged(LogFormat::Text, "info");
        assert_eq!(text.lines().count(), 1, "{text}");
        for part in ["INFO", "request{id=\"r-1\"}", "a manifest was pushed", "repository=\"a/b\""] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn json_lines_carry_the_request_id() {
        let line: Value = serde_json::from_str(&logged(LogFormat::Json, "info")).unwrap();
        assert_eq!(line["message"], "a manifest was pushed");
        assert_eq!(line["repository"], "a/b");
        assert_eq!(line["span"]["id"], "r-1");
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn the_level_decides() {
        assert_eq!(logged(LogFormat::Text, "debug").lines().count(), 2);
        assert_eq!(logged(LogFormat::Text, "warn"), "");
    }

    #[test]
    fn init_may_be_called_again() {
        init(&Log::default());
        init(&Log::default());
    }
}
