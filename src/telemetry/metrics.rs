//! The numbers for Prometheus, all under the prefix `havre_`, in base units.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::histogram::{Histogram, STEP_BOUNDS};
use super::process::Process;
use super::requests::Requests;

/// The media type of what [`Metrics::encode`] returns.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a request can ask for, in the order of the indices that [`Metrics::request`] takes.
pub const ACTIONS: [&str; 23] = [
    "base",
    "catalog",
    "discover",
    "tags",
    "manifest_get",
    "manifest_head",
    "manifest_put",
    "manifest_delete",
    "blob_get",
    "blob_head",
    "blob_delete",
    "upload_start",
    "upload_status",
    "upload_patch",
    "upload_put",
    "upload_cancel",
    "referrers",
    "health",
    "metrics",
    "token",
    "api",
    "pages",
    "other",
];

/// Returns the index of an action in [`ACTIONS`]. Meant for constants, where an unknown name does not compile.
///
/// # Panics
///
/// Panics if there is no such action.
#[must_use]
pub const fn action(name: &str) -> usize {
    let mut index = 0;
    while index < ACTIONS.len() {
        if is_same(ACTIONS[index].as_bytes(), name.as_bytes()) {
            return index;
        }
        index += 1;
    }
    panic!("no such action")
}

/// Compares in constants, where `==` cannot.
const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut index = 0;
    while index < a.len() && index < b.len() && a[index] == b[index] {
        index += 1;
    }
    index == a.len() && index == b.len()
}

/// The two ways into the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A reading transaction or a single look-up.
    Read,
    /// A writing transaction, with the wait for its turn and its commit.
    Write,
}

/// What is done with the bytes of blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreOperation {
    /// An upload is opened for writing.
    Append,
    /// An upload becomes a blob; with full durability, this includes the synchronisation.
    Finish,
    /// An upload is thrown away.
    Abort,
    /// A blob is opened for reading.
    Open,
    /// A blob's size is asked for.
    Stat,
    /// A blob is removed.
    Delete,
}

/// The labels of the doors, in the order of [`Door`].
const DOORS: [&str; 2] = ["read", "write"];

/// The labels of the operations, in the order of [`StoreOperation`].
const OPERATIONS: [&str; 6] = ["append", "finish", "abort", "open", "stat", "delete"];

/// What the sweeper has removed.
#[derive(Debug, Default)]
pub struct SweeperMetrics {
    /// Blobs without a reference that were removed.
    pub blobs_removed: Counter,
    /// Their bytes.
    pub bytes_freed: Counter,
    /// Uploads that were abandoned and removed.
    pub uploads_expired: Counter,
}

/// Every number the server keeps. Counting takes no lock.
#[derive(Debug)]
pub struct Metrics {
    /// Bytes of request bodies that were received.
    pub bytes_received: Counter,
    /// Bytes of response bodies that were sent.
    pub bytes_sent: Counter,
    /// Upload sessions that are open.
    pub uploads_open: Gauge,
    /// Connections that are open.
    pub connections_open: Gauge,
    /// Lines for which the access log had no room.
    pub access_log_dropped: Counter,
    /// Pulls and refused sign-ins that were not written down one by one, because there were too many at once.
    pub audit_dropped: Counter,
    /// What the sweeper has removed.
    pub sweeper: SweeperMetrics,
    rate_limited: Family<[(&'static str, &'static str); 1], Counter>,
    certificates: Family<[(&'static str, String); 1], Gauge>,
    requests: Arc<Requests>,
    database: Arc<Steps<2>>,
    store: Arc<Steps<6>>,
    registry: Registry,
}

impl Metrics {
    /// Returns fresh numbers for a server whose database is `engine`: `sqlite` or `postgres`. To be called when the
    /// process starts, for that is the start time it reports.
    #[must_use]
    pub fn new(engine: &'static str) -> Self {
        let metrics = Self {
            bytes_received: Counter::default(),
            bytes_sent: Counter::default(),
            uploads_open: Gauge::default(),
            connections_open: Gauge::default(),
            access_log_dropped: Counter::default(),
            audit_dropped: Counter::default(),
            sweeper: SweeperMetrics::default(),
            rate_limited: Family::default(),
            certificates: Family::default(),
            requests: Arc::new(Requests::new()),
            database: Arc::new(Steps::database(engine)),
            store: Arc::new(Steps::store()),
            registry: Registry::with_prefix("havre"),
        };
        metrics.registered(engine)
    }

    fn registered(mut self, engine: &'static str) -> Self {
        let registry = &mut self.registry;
        registry.register_collector(Box::new(Arc::clone(&self.requests)));
        let (received, sent) = (self.bytes_received.clone(), self.bytes_sent.clone());
        registry.register_with_unit("received", "Bytes of request bodies received", Unit::Bytes, received);
        registry.register_with_unit("sent", "Bytes of response bodies sent", Unit::Bytes, sent);
        registry.register("connections_open", "Connections that are open", self.connections_open.clone());
        registry.register("uploads_open", "Upload sessions that are open", self.uploads_open.clone());
        registry.register_collector(Box::new(Arc::clone(&self.database)));
        registry.register_collector(Box::new(Arc::clone(&self.store)));
        self.sweeper.register(registry);
        registry.register("rate_limited", "Requests that a rate limit refused", self.rate_limited.clone());
        let (ends, certificates) =
            ("When a domain's certificate ends; 0 before there is one", self.certificates.clone());
        registry.register_with_unit("certificate_end_time", ends, Unit::Seconds, certificates);
        let dropped = self.access_log_dropped.clone();
        registry.register("access_log_dropped_lines", "Access log lines there was no room for", dropped);
        let dropped = self.audit_dropped.clone();
        registry.register("audit_dropped_events", "Pulls and refusals too many to be written down each", dropped);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION")), ("engine", engine)]);
        registry.register("build", "The version that runs and its database", build);
        registry.register_collector(Box::new(Process::starting_now()));
        self
    }

    /// Counts a request that was answered. `action` is an index into [`ACTIONS`]; one beyond counts as `other`.
    pub fn request(&self, action: usize, status: u16, duration: Duration) {
        self.requests.observe(action, status, duration);
    }

    /// Counts a request that a rate limit refused. `class` is one of a few words.
    pub fn rate_limited(&self, class: &'static str) {
        self.rate_limited.get_or_create(&[("class", class)]).inc();
    }

    /// Notes when the certificate of a configured domain ends, in seconds since 1970; 0 for none.
    pub fn certificate(&self, domain: &str, ends: i64) {
        self.certificates.get_or_create(&[("domain", domain.to_owned())]).set(ends);
    }

    /// Counts a use of the database.
    pub fn database(&self, door: Door, duration: Duration) {
        self.database.histograms[door as usize].observe(duration);
    }

    /// Counts a use of the blob store.
    pub fn store(&self, operation: StoreOperation, duration: Duration) {
        self.store.histograms[operation as usize].observe(duration);
    }

    /// Returns all numbers as OpenMetrics text, to be sent as [`CONTENT_TYPE`].
    #[must_use]
    pub fn encode(&self) -> String {
        let mut page = String::new();
        // Only a writer can fail, and a string does not.
        let _ = text::encode(&mut page, &self.registry);
        page
    }
}

impl SweeperMetrics {
    fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("sweeper");
        registry.register("blobs_removed", "Unreferenced blobs removed", self.blobs_removed.clone());
        let freed = self.bytes_freed.clone();
        registry.register_with_unit("freed", "Bytes of unreferenced blobs removed", Unit::Bytes, freed);
        registry.register("uploads_expired", "Abandoned uploads removed", self.uploads_expired.clone());
    }
}

/// How long the steps of one kind took, each label with a histogram.
#[derive(Debug)]
struct Steps<const N: usize> {
    name: &'static str,
    help: &'static str,
    /// A label that all have in common.
    common: Option<(&'static str, &'static str)>,
    key: &'static str,
    values: [&'static str; N],
    histograms: [Histogram; N],
}

impl Steps<2> {
    fn database(engine: &'static str) -> Self {
        Self {
            name: "database_duration",
            help: "Time of one use of the database, waiting for a connection included.",
            common: Some(("engine", engine)),
            key: "door",
            values: DOORS,
            histograms: std::array::from_fn(|_| Histogram::new(&STEP_BOUNDS)),
        }
    }
}

impl Steps<6> {
    fn store() -> Self {
        Self {
            name: "store_duration",
            help: "Time of one operation of the blob store.",
            common: None,
            key: "operation",
            values: OPERATIONS,
            histograms: std::array::from_fn(|_| Histogram::new(&STEP_BOUNDS)),
        }
    }
}

impl<const N: usize> Collector for Steps<N> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let unit = Some(&Unit::Seconds);
        let mut metric = encoder.encode_descriptor(self.name, self.help, unit, MetricType::Histogram)?;
        for (value, histogram) in self.values.iter().zip(&self.histograms) {
            let labels: Vec<_> = self.common.into_iter().chain([(self.key, *value)]).collect();
            histogram.encode(&mut metric, &labels)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn lines(metrics: &Metrics) -> Vec<String> {
        metrics.encode().lines().map(str::to_owned).collect()
    }

    #[track_caller]
    fn assert_has(metrics: &Metrics, expected: &[&str]) {
        let lines = lines(metrics);
        for line in expected {
            assert!(lines.iter().any(|found| found == line), "{line} is missing");
        }
    }

    #[test]
    fn requests_are_counted_by_action_and_status() {
        let metrics = Metrics::new("sqlite");
        metrics.request(action("blob_get"), 200, Duration::from_millis(3));
        metrics.request(action("blob_get"), 200, Duration::from_secs(90));
        metrics.request(action("blob_get"), 404, Duration::from_millis(1));
        metrics.request(usize::MAX, 418, Duration::ZERO);
        assert_has(
            &metrics,
            &[
                "# TYPE havre_requests counter",
                "havre_requests_total{action=\"blob_get\",status=\"200\"} 2",
                "havre_requests_total{action=\"blob_get\",status=\"404\"} 1",
                "havre_requests_total{action=\"other\",status=\"4xx\"} 1",
                "# UNIT havre_request_duration_seconds seconds",
                "havre_request_duration_seconds_count{action=\"blob_get\"} 3",
                "havre_request_duration_seconds_sum{action=\"blob_get\"} 90.004",
                "havre_request_duration_seconds_bucket{le=\"0.001\",action=\"blob_get\"} 1",
                "havre_request_duration_seconds_bucket{le=\"0.005\",action=\"blob_get\"} 2",
                "havre_request_duration_seconds_bucket{le=\"60.0\",action=\"blob_get\"} 2",
                "havre_request_duration_seconds_bucket{le=\"+Inf\",action=\"blob_get\"} 3",
                "havre_request_duration_seconds_count{action=\"base\"} 0",
            ],
        );
    }

    #[test]
    fn steps_are_counted_by_their_kind() {
        let metrics = Metrics::new("postgres");
        metrics.database(Door::Write, Duration::from_micros(50));
        metrics.store(StoreOperation::Finish, Duration::from_micros(7));
        assert_has(
            &metrics,
            &[
                "havre_database_duration_seconds_count{engine=\"postgres\",door=\"write\"} 1",
                "havre_database_duration_seconds_bucket{le=\"0.000025\",engine=\"postgres\",door=\"write\"} 0",
                "havre_database_duration_seconds_bucket{le=\"0.00005\",engine=\"postgres\",door=\"write\"} 1",
                "havre_store_duration_seconds_count{operation=\"finish\"} 1",
                "havre_store_duration_seconds_count{operation=\"open\"} 0",
            ],
        );
    }

    #[test]
    fn every_other_number_has_its_name_and_unit() {
        let metrics = Metrics::new("sqlite");
        metrics.bytes_received.inc_by(10);
        metrics.bytes_sent.inc_by(20);
        metrics.uploads_open.set(3);
        metrics.connections_open.inc();
        metrics.access_log_dropped.inc();
        metrics.sweeper.blobs_removed.inc();
        metrics.sweeper.bytes_freed.inc_by(4096);
        metrics.sweeper.uploads_expired.inc();
        let build = format!("havre_build_info{{version=\"{}\",engine=\"sqlite\"}} 1", env!("CARGO_PKG_VERSION"));
        assert_has(
            &metrics,
            &[
                "havre_received_bytes_total 10",
                "havre_sent_bytes_total 20",
                "havre_uploads_open 3",
                "havre_connections_open 1",
                "havre_access_log_dropped_lines_total 1",
                "havre_sweeper_blobs_removed_total 1",
                "havre_sweeper_freed_bytes_total 4096",
                "havre_sweeper_uploads_expired_total 1",
                &build,
                "# UNIT havre_process_start_time_seconds seconds",
                "# EOF",
            ],
        );
    }

    #[test]
    fn the_process_tells_its_memory() {
        let lines = lines(&Metrics::new("sqlite"));
        let line = lines.iter().find_map(|line| line.strip_prefix("havre_process_resident_memory_bytes "));
        if cfg!(target_os = "linux") {
            assert!(line.unwrap().parse::<u64>().unwrap() > 1 << 20);
        }
    }

    #[test]
    fn every_line_is_under_our_prefix_and_every_family_named_once() {
        let lines = lines(&Metrics::new("sqlite"));
        let mut families = Vec::new();
        for line in &lines {
            match line.strip_prefix("# TYPE ") {
                Some(family) => families.push(family.split(' ').next().unwrap().to_owned()),
                None => assert!(line.starts_with("havre_") || line.starts_with("# "), "{line}"),
            }
        }
        let count = families.len();
        families.sort_unstable();
        families.dedup();
        assert_eq!(families.len(), count);
    }

    #[test]
    fn no_count_is_lost_between_threads() {
        let metrics = Metrics::new("sqlite");
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        metrics.request(action("base"), 401, Duration::from_millis(1));
                    }
                });
            }
        });
        assert_has(&metrics, &["havre_requests_total{action=\"base\",status=\"401\"} 4000"]);
    }

    #[test]
    fn actions_are_found_by_their_name() {
        assert_eq!(action("base"), 0);
        assert_eq!(action("other"), ACTIONS.len() - 1);
        for (index, name) in ACTIONS.iter().enumerate() {
            assert_eq!(action(name), index);
        }
    }
}
