//! The config of an image: how it runs, and how it was made. Read loosely and within bounds, since whoever pushed it wrote
//! it: what is not as it should be is left out.

use oci::Platform;

use super::loose::{Members, elements, scalar, text as string};
use super::{history, secrets, text};

/// Most entries of a list that are kept: ports, labels and the like.
const LIST: usize = 100;
/// Most entries of the history that are kept.
const HISTORY: usize = 200;
/// Longest value that is kept, in characters.
const VALUE: usize = 1_000;
/// Longest name that is kept, in characters.
const NAME: usize = 200;
/// Longest word of a platform.
const WORD: usize = 40;

/// A list of which the first entries are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T> {
    /// The entries.
    pub shown: Vec<T>,
    /// How many more there are.
    pub more: usize,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { shown: Vec::new(), more: 0 }
    }
}

impl<T> List<T> {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.more == 0
    }
}

/// A value under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The value; nothing where it looks secret.
    pub value: Option<String>,
}

/// One step by which the image was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The instruction; empty where none is told.
    pub instruction: String,
    /// Whether it changed the configuration only, and made no layer.
    pub empty: bool,
}

/// What a config tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// What it runs on.
    pub platform: Platform,
    /// Version of the operating system, where it matters (Windows).
    pub os_version: Option<String>,
    /// When it was made, in microseconds since 1970.
    pub created: Option<i64>,
    /// By whom.
    pub author: Option<String>,
    /// What is started.
    pub entrypoint: List<String>,
    /// What is started, or what the entrypoint is given.
    pub command: List<String>,
    /// As whom.
    pub user: Option<String>,
    /// Where.
    pub working_directory: Option<String>,
    /// By what it is asked to stop.
    pub stop_signal: Option<String>,
    /// By what it is asked whether it is well.
    pub health: List<String>,
    /// On which ports it listens.
    pub ports: List<String>,
    /// Where its data belongs.
    pub volumes: List<String>,
    /// Its environment.
    pub environment: List<Named>,
    /// Its labels.
    pub labels: List<Named>,
    /// How it was made.
    pub history: List<Step>,
    /// Single values of a config that is none of an image, with the path that leads to each.
    pub facts: List<Named>,
}

impl Config {
    /// Reads what can be read.
    pub fn read(bytes: &[u8]) -> Self {
        let Ok(json) = std::str::from_utf8(bytes) else { return Self::default() };
        let top = Members::named(
            json,
            &["architecture", "os", "variant", "os.version", "created", "author", "config", "history"],
        );
        let run = top.get("config").unwrap_or_default();
        let run = Members::named(
            run,
            &[
                "Entrypoint",
                "Cmd",
                "User",
                "WorkingDir",
                "StopSignal",
                "Healthcheck",
                "ExposedPorts",
                "Volumes",
                "Env",
                "Labels",
            ],
        );
        let word = |name| top.text(name).map(|text| text::line(&text, WORD));
        let value = |text: Option<String>| text.map(|text| text::line(&text, VALUE));
        Self {
            platform: Platform { os: word("os"), architecture: word("architecture"), variant: word("variant") },
            os_version: word("os.version"),
            created: top.text("created").and_then(|text| moment(&text)),
            author: value(top.text("author")),
            entrypoint: words(run.get("Entrypoint")),
            command: words(run.get("Cmd")),
            user: value(run.text("User")),
            working_directory: value(run.text("WorkingDir")),
            stop_signal: value(run.text("StopSignal")),
            health: words(run.get("Healthcheck").and_then(|text| Members::named(text, &["Test"]).get("Test"))),
            ports: keys(run.get("ExposedPorts")),
            volumes: keys(run.get("Volumes")),
            environment: environment(run.get("Env")),
            labels: labels(run.get("Labels")),
            history: steps(top.get("history")),
            facts: facts(json),
        }
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let texts = [&self.entrypoint, &self.command, &self.health, &self.ports, &self.volumes];
        let texts: usize = texts.iter().flat_map(|list| &list.shown).map(|text| 24 + text.len()).sum();
        let named = [&self.environment, &self.labels, &self.facts];
        let named = named.iter().flat_map(|list| &list.shown);
        let named: usize = named.map(|one| 64 + one.name.len() + one.value.as_ref().map_or(0, String::len)).sum();
        let steps: usize = self.history.shown.iter().map(|step| 32 + step.instruction.len()).sum();
        1024 + texts + named + steps
    }
}

/// A moment as RFC 3339 writes it; one before 1980 is none, but what builders write for the sake of equal digests.
fn moment(text: &str) -> Option<i64> {
    const FIRST: i64 = 10 * 365 * 24 * 3600 * 1_000_000;
    let at: jiff::Timestamp = text.get(..64).unwrap_or(text).parse().ok()?;
    Some(at.as_microsecond()).filter(|at| *at > FIRST)
}

/// The words of a command: a list, or a single text.
fn words(json: Option<&str>) -> List<String> {
    let Some(json) = json else { return List::default() };
    if let Some(one) = string(json) {
        return List { shown: vec![secrets::masked(&text::shown(&one, VALUE))], more: 0 };
    }
    let (found, more) = elements(json, LIST);
    let shown = found.into_iter().filter_map(string).map(|word| secrets::masked(&text::shown(&word, VALUE)));
    List { shown: shown.collect(), more }
}

fn keys(json: Option<&str>) -> List<String> {
    let members = json.and_then(|json| Members::read(json, LIST, |_| true)).unwrap_or_default();
    List { shown: members.found.into_iter().map(|(name, _)| text::line(&name, NAME)).collect(), more: members.more }
}

fn environment(json: Option<&str>) -> List<Named> {
    let (found, more) = json.map(|json| elements(json, LIST)).unwrap_or_default();
    let shown = found.into_iter().filter_map(string).map(|variable| {
        let (name, value) = variable.split_once('=').unwrap_or((&variable, ""));
        named(name, value)
    });
    List { shown: shown.collect(), more }
}

fn labels(json: Option<&str>) -> List<Named> {
    let members = json.and_then(|json| Members::read(json, LIST, |_| true)).unwrap_or_default();
    let shown = members.found.into_iter().filter_map(|(name, value)| Some(named(&name, &scalar(value)?)));
    List { shown: shown.collect(), more: members.more }
}

/// A value under its name, hidden where it looks secret.
pub(super) fn named(name: &str, value: &str) -> Named {
    let secret = secrets::is_secret(name, value);
    Named { name: text::line(name, NAME), value: (!secret).then(|| text::shown(value, VALUE)) }
}

/// A value under its name, which is meant to be read: an annotation.
pub(super) fn plain(name: &str, value: &str) -> Named {
    Named { name: text::line(name, NAME), value: Some(text::shown(value, VALUE)) }
}

fn steps(json: Option<&str>) -> List<Step> {
    let (found, more) = json.map(|json| elements(json, HISTORY)).unwrap_or_default();
    let shown = found.into_iter().map(|entry| {
        let entry = Members::named(entry, &["created_by", "comment", "empty_layer"]);
        let told = entry.text("created_by").or_else(|| entry.text("comment")).unwrap_or_default();
        Step { instruction: history::instruction(&told), empty: entry.get("empty_layer") == Some("true") }
    });
    List { shown: shown.collect(), more }
}

/// The single values of a document, two levels deep: what configs of models and modules consist of.
fn facts(json: &str) -> List<Named> {
    const MEMBERS: usize = 40;
    let mut list = List::default();
    // Lists of digests, which say nothing to people.
    let skipped = ["history", "rootfs", "layers"];
    let Some(top) = Members::read(json, MEMBERS, |_| true) else { return list };
    list.more = top.more;
    for (name, value) in &top.found {
        if let Some(value) = scalar(value) {
            list.shown.push(named(name, &value));
        } else if let Some(inner) =
            Members::read(value, MEMBERS, |_| true).filter(|_| !skipped.contains(&name.as_str()))
        {
            for (inner, value) in inner.found {
                if let Some(value) = scalar(value) {
                    list.shown.push(named(&format!("{name}.{inner}"), &value));
                }
            }
        }
    }
    list.more += list.shown.len().saturating_sub(LIST);
    list.shown.truncate(LIST);
    list
}
