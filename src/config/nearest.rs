//! Finds the known name that an unknown one was probably meant to be.

use strsim::normalized_damerau_levenshtein as likeness;

/// How alike two names must be, from 0 (nothing in common) to 1 (equal), to be worth naming.
const ENOUGH: f64 = 0.5;

/// How much a likeness of the last parts alone counts: `listen` was meant to be `server.listen`, even if all of
/// another, shorter key looks much like it.
const LAST_PART: f64 = 0.95;

/// A longer text is no mistyped name, and comparing costs its length times that of each name.
const MAX_LENGTH: usize = 100;

/// Returns the one of `known` that looks most like `given`, if any does. `separator` divides the parts of a name.
pub(super) fn nearest<'a>(given: &str, separator: char, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if given.len() > MAX_LENGTH {
        return None;
    }
    let given = given.to_ascii_lowercase().replace('-', "_");
    let likeness_of = |name: &str| {
        let name = name.to_ascii_lowercase();
        let whole = likeness(&given, &name);
        let last = likeness(last_part(&given, separator), last_part(&name, separator));
        whole.max(last * LAST_PART)
    };
    let best = known.map(|name| (likeness_of(name), name)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness >= ENOUGH).map(|(_, name)| name)
}

fn last_part(name: &str, separator: char) -> &str {
    name.rsplit_once(separator).map_or(name, |(_, last)| last)
}
