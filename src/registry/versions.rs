//! What a tag says by its name alone: a version, a date, an environment, a commit. Pure, so that a table tests it.
//!
//! The order of a list of tags follows from it: what is newest first, variants beside what they vary.

use std::cmp::Ordering;

/// What a tag's name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A version, such as `1.4.2`, `v2`, `1.5.0-rc.1`, `3.13-slim`.
    Version,
    /// A day, such as `2024-11-05` or `nightly-20241105`.
    Date,
    /// What moves on: `latest`, an environment, a branch.
    Moving,
    /// Anything else.
    Other,
    /// A commit, such as `3f9c2ab` or `sha-3f9c2ab`.
    Commit,
    /// What belongs to another image: `sha256-….sig`.
    Attached,
}

impl Kind {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 6] = [Self::Version, Self::Date, Self::Moving, Self::Other, Self::Commit, Self::Attached];

    /// The word that stands for it in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Date => "date",
            Self::Moving => "moving",
            Self::Other => "other",
            Self::Commit => "commit",
            Self::Attached => "attached",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A piece of a name: names are compared piece by piece, so that 10 comes after 9.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Number(u64),
}

/// What a tag says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    kind: Kind,
    pre_release: bool,
    latest: bool,
    /// Of a version its levels, of a date year, month, day and time.
    numbers: Vec<u64>,
    /// How far a pre-release has come, and what follows that word.
    stage: Option<(u8, Vec<Piece>)>,
    /// What follows the version or the date, or the whole name.
    rest: Vec<Piece>,
}

/// Words of pre-releases, and how near each is to the release.
const STAGES: &[(&str, u8)] = &[
    ("dev", 0),
    ("snapshot", 0),
    ("nightly", 0),
    ("canary", 0),
    ("unstable", 0),
    ("edge", 0),
    ("alpha", 1),
    ("a", 1),
    ("beta", 2),
    ("b", 2),
    ("m", 3),
    ("milestone", 3),
    ("pre", 4),
    ("preview", 4),
    ("next", 4),
    ("rc", 5),
    ("cr", 5),
];

/// Words that move on, and whether what they lead to is meant to be tried only.
const MOVING: &[(&str, bool)] = &[
    ("latest", false),
    ("stable", false),
    ("lts", false),
    ("release", false),
    ("mainline", false),
    ("current", false),
    ("prod", false),
    ("production", false),
    ("live", false),
    ("staging", false),
    ("stage", false),
    ("preprod", false),
    ("test", false),
    ("testing", false),
    ("qa", false),
    ("uat", false),
    ("main", false),
    ("master", false),
    ("trunk", false),
    ("head", false),
    ("dev", true),
    ("develop", true),
    ("development", true),
    ("nightly", true),
    ("edge", true),
    ("canary", true),
    ("next", true),
    ("alpha", true),
    ("beta", true),
    ("rc", true),
    ("preview", true),
    ("snapshot", true),
    ("unstable", true),
];

/// Levels of a version that are looked at.
const LEVELS: usize = 8;

impl Version {
    /// Reads a tag's name; every name says something, if only itself.
    #[must_use]
    pub fn read(tag: &str) -> Self {
        let name = tag.to_ascii_lowercase();
        attached(&name)
            .or_else(|| dated(&name))
            .or_else(|| commit(&name))
            .or_else(|| version(&name))
            .or_else(|| dated_at_the_end(&name))
            .or_else(|| moving(&name))
            .unwrap_or_else(|| Self::of(Kind::Other, Vec::new(), &name))
    }

    fn of(kind: Kind, numbers: Vec<u64>, rest: &str) -> Self {
        Self { kind, pre_release: false, latest: false, numbers, stage: None, rest: pieces(rest) }
    }

    /// What it stands for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it is one to be tried only: a release candidate, a nightly build.
    #[must_use]
    pub fn is_pre_release(&self) -> bool {
        self.pre_release
    }

    /// Whether it is the version of a release.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        self.kind == Kind::Version && !self.pre_release
    }

    /// Whether it has something beside its version, such as `-alpine`.
    #[must_use]
    pub fn is_variant(&self) -> bool {
        !self.rest.is_empty()
    }

    /// How exactly it names a version: 3 for `1.4.2`.
    #[must_use]
    pub fn levels(&self) -> usize {
        if self.kind == Kind::Version { self.numbers.len() } else { 0 }
    }

    /// Which of two tags a list shows first: the newest.
    #[must_use]
    pub fn newest_first(&self, other: &Self) -> Ordering {
        other
            .latest
            .cmp(&self.latest)
            .then_with(|| self.kind.cmp(&other.kind))
            .then_with(|| levels(&other.numbers, &self.numbers))
            .then_with(|| stages(self.stage.as_ref(), other.stage.as_ref()))
            .then_with(|| names(&self.rest, &other.rest))
    }

    /// Which of two tags of one image stands first: what names it most exactly.
    #[must_use]
    pub fn most_exact_first(&self, other: &Self) -> Ordering {
        let rank = |one: &Self| (one.kind, one.latest);
        other
            .levels()
            .cmp(&self.levels())
            .then_with(|| rank(self).cmp(&rank(other)))
            .then_with(|| self.newest_first(other))
    }
}

/// `1.4` leads to the newest of its patch versions, so what is missing counts as more than any number.
fn levels(one: &[u64], other: &[u64]) -> Ordering {
    let at = |numbers: &[u64], level| numbers.get(level).copied().unwrap_or(u64::MAX);
    let mut levels = (0..one.len().max(other.len())).map(|level| at(one, level).cmp(&at(other, level)));
    levels.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// A release before what led to it.
fn stages(one: Option<&(u8, Vec<Piece>)>, other: Option<&(u8, Vec<Piece>)>) -> Ordering {
    match (one, other) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some((one, pieces)), Some((other, others))) => other.cmp(one).then_with(|| names(pieces, others)),
    }
}

/// Words as in a dictionary, numbers from the highest down, the shorter name first.
fn names(one: &[Piece], other: &[Piece]) -> Ordering {
    for (one, other) in one.iter().zip(other) {
        let order = match (one, other) {
            (Piece::Text(one), Piece::Text(other)) => one.cmp(other),
            (Piece::Number(one), Piece::Number(other)) => other.cmp(one),
            (Piece::Number(_), Piece::Text(_)) => Ordering::Less,
            (Piece::Text(_), Piece::Number(_)) => Ordering::Greater,
        };
        if order.is_ne() {
            return order;
        }
    }
    one.len().cmp(&other.len())
}

fn pieces(name: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = name.trim_start_matches(['-', '_', '.']);
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        // Numbers beyond any count are texts.
        pieces.push(match piece.parse() {
            Ok(number) if digits => Piece::Number(number),
            _ => Piece::Text(piece.to_owned()),
        });
        rest = behind;
    }
    pieces
}

fn attached(name: &str) -> Option<Version> {
    let rest = name.strip_prefix("sha256-").or_else(|| name.strip_prefix("sha512-"))?;
    let hex = rest.split('.').next().unwrap_or_default();
    (hex.len() >= 64 && is_hex(hex)).then(|| Version::of(Kind::Attached, Vec::new(), name))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn commit(name: &str) -> Option<Version> {
    let prefixes = ["sha-", "git-", "commit-", "rev-"];
    let marked = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
    let hex = marked.unwrap_or(name).split(['-', '.', '_']).next().unwrap_or_default();
    let mixed = hex.bytes().any(|byte| byte.is_ascii_digit()) && hex.bytes().any(|byte| byte.is_ascii_alphabetic());
    let fits = (7..=64).contains(&hex.len()) && is_hex(hex) && (mixed || marked.is_some());
    fits.then(|| Version::of(Kind::Commit, Vec::new(), name))
}

/// A date, and what follows it.
fn date(text: &str) -> Option<(Vec<u64>, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day, time, end) = match digits {
        8 => (number(0, 4)?, number(4, 6)?, number(6, 8)?, 0, 8),
        12 => (number(0, 4)?, number(4, 6)?, number(6, 8)?, number(8, 12)?.checked_mul(100)?, 12),
        14 => (number(0, 4)?, number(4, 6)?, number(6, 8)?, number(8, 14)?, 14),
        4 => {
            let between = [text.as_bytes().get(4)?, text.as_bytes().get(7)?];
            if !matches!(between, [b'-', b'-'] | [b'_', b'_']) {
                return None;
            }
            (number(0, 4)?, number(5, 7)?, number(8, 10)?, 0, 10)
        }
        _ => return None,
    };
    let rest = text.get(end..)?;
    let ends = !rest.starts_with(|c: char| c.is_ascii_alphanumeric() && c != 't' && c != 'z');
    let is_date = (1990..=2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day) && ends;
    is_date.then_some((vec![year, month, day, time], rest))
}

fn dated(name: &str) -> Option<Version> {
    let (numbers, rest) = date(name)?;
    Some(Version::of(Kind::Date, numbers, rest))
}

fn dated_at_the_end(name: &str) -> Option<Version> {
    let mut starts = name.char_indices().filter(|(_, c)| matches!(c, '-' | '_' | '.')).map(|(at, _)| at + 1);
    let (at, numbers) =
        starts.find_map(|at| Some((at, date(name.get(at..)?).filter(|(_, rest)| rest.is_empty())?.0)))?;
    let before = name.get(..at)?.trim_end_matches(['-', '_', '.']);
    let pre_release = word_of(before, MOVING).is_some_and(|(_, pre)| pre);
    Some(Version { pre_release, ..Version::of(Kind::Date, numbers, before) })
}

fn moving(name: &str) -> Option<Version> {
    let (word, pre_release) = word_of(name, MOVING)?;
    Some(Version {
        pre_release,
        latest: word == name && word == "latest",
        ..Version::of(Kind::Moving, Vec::new(), name)
    })
}

/// The word of a table that a name is, or begins with.
fn word_of<T: Copy>(name: &str, table: &[(&'static str, T)]) -> Option<(&'static str, T)> {
    let first = name.split(['-', '_', '.']).next().unwrap_or_default();
    table.iter().copied().find(|(word, _)| *word == first)
}

fn version(name: &str) -> Option<Version> {
    let prefixes = ["release-", "rel-", "version-", "ver-", "v"];
    let name = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    let name = name.strip_prefix('v').unwrap_or(name);
    let mut numbers = Vec::new();
    let mut rest = name;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        numbers.push(number.parse().ok()?);
        rest = behind;
        let next = rest.strip_prefix('.').filter(|next| next.starts_with(|c: char| c.is_ascii_digit()));
        match next {
            Some(next) if numbers.len() < LEVELS => rest = next,
            _ => break,
        }
    }
    // `1.2.x` is `1.2`.
    let ends = |behind: &&str| !behind.starts_with(|c: char| c.is_ascii_alphanumeric());
    let rest = rest.strip_prefix(".x").filter(ends).unwrap_or(rest);
    let joined = rest.starts_with(|c: char| c.is_ascii_alphabetic());
    let mut segments = rest.trim_start_matches(['-', '_', '.']).split(['-', '_']).peekable();
    let stage = segments.peek().and_then(|segment| stage(segment, joined));
    let mut version = Version::of(Kind::Version, numbers, "");
    if let Some((word, mut more)) = stage {
        segments.next();
        while let Some(number) = segments.next_if(|segment| !segment.is_empty() && is_number(segment)) {
            more.extend(pieces(number));
        }
        version.stage = Some((word, more));
    }
    let rest: Vec<&str> = segments.collect();
    version.rest = pieces(&rest.join("-"));
    version.pre_release = version.stage.is_some() || is_description(&rest);
    Some(version)
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The word of a pre-release that a segment begins with. One letter counts only where it is joined to the version and a number
/// follows it (`3.13.0b2`), or stands for a milestone (`-M1`).
fn stage(segment: &str, joined: bool) -> Option<(u8, Vec<Piece>)> {
    let end = segment.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(segment.len());
    let (word, more) = segment.split_at(end);
    let (_, stage) = STAGES.iter().find(|(known, _)| *known == word)?;
    let numbered = more.starts_with(|c: char| c.is_ascii_digit());
    let counts = match word {
        "a" | "b" => joined && numbered,
        "m" => numbered,
        _ => true,
    };
    counts.then(|| (*stage, pieces(more)))
}

/// What `git describe` writes of a state behind a release: `5-g3f9c2ab`.
fn is_description(rest: &[&str]) -> bool {
    matches!(rest, [count, hash, ..] if is_number(count)
        && hash.strip_prefix('g').is_some_and(|hex| hex.len() >= 7 && is_hex(hex)))
}

#[cfg(test)]
mod tests {
    use super::{Kind, Version};

    #[test]
    fn a_name_tells_what_it_stands_for() {
        for (name, kind, pre_release) in [
            ("1", Kind::Version, false),
            ("1.4", Kind::Version, false),
            ("v1.4.2", Kind::Version, false),
            ("V2", Kind::Version, false),
            ("release-1.2", Kind::Version, false),
            ("1.4.2-alpine", Kind::Version, false),
            ("1.4.x", Kind::Version, false),
            ("8u402-jdk", Kind::Version, false),
            ("22.04", Kind::Version, false),
            ("1.5.0-rc.1", Kind::Version, true),
            ("1.5.0-RC1-alpine", Kind::Version, true),
            ("3.13.0b2", Kind::Version, true),
            ("3.2.0-M1", Kind::Version, true),
            ("2.0-beta", Kind::Version, true),
            ("1.0.0-SNAPSHOT", Kind::Version, true),
            ("v1.2.3-5-g3f9c2ab", Kind::Version, true),
            ("1.1.1w", Kind::Version, false),
            ("2024-11-05", Kind::Date, false),
            ("20241105", Kind::Date, false),
            ("20241105123000", Kind::Date, false),
            ("20241105-2", Kind::Date, false),
            ("2024-11-05T1200", Kind::Date, false),
            ("noble-20241011", Kind::Date, false),
            ("nightly-2024-11-05", Kind::Date, true),
            ("20241399", Kind::Version, false),
            ("latest", Kind::Moving, false),
            ("prod", Kind::Moving, false),
            ("staging-eu", Kind::Moving, false),
            ("main", Kind::Moving, false),
            ("nightly", Kind::Moving, true),
            ("3f9c2ab", Kind::Commit, false),
            ("sha-3f9c2ab", Kind::Commit, false),
            ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4", Kind::Commit, false),
            ("git-1234567", Kind::Commit, false),
            ("alpine", Kind::Other, false),
            ("feature_x", Kind::Other, false),
            ("deadbeef", Kind::Other, false),
            ("_", Kind::Other, false),
            ("99999999999999999999999999", Kind::Other, false),
        ] {
            let version = Version::read(name);
            assert_eq!((version.kind(), version.is_pre_release()), (kind, pre_release), "{name}");
        }
        let signature = format!("sha256-{}.sig", "ab".repeat(32));
        assert_eq!(Version::read(&signature).kind(), Kind::Attached);
    }

    #[test]
    fn what_is_newest_comes_first() {
        let expected = [
            "latest",
            "2",
            "2.0.0-rc.2",
            "2.0.0-rc.1",
            "2.0.0-beta",
            "2.0.0-alpha.10",
            "2.0.0-alpha.9",
            "1",
            "1-alpine",
            "1.10",
            "1.10.0",
            "1.10.0-alpine3.20",
            "1.10.0-alpine3.19",
            "1.10.0-slim",
            "v1.9.12",
            "1.9.2",
            "1.9.2-r10",
            "1.9.2-r9",
            "1.9.2-rc1",
            "1.9.2-rc1-alpine",
            "2024-11-05",
            "20241104",
            "nightly-20241103",
            "main",
            "prod",
            "alpine3.20",
            "alpine3.9",
            "other",
            "3f9c2ab",
        ];
        let mut names = expected;
        names.reverse();
        names.sort_by(|one, other| Version::read(one).newest_first(&Version::read(other)));
        assert_eq!(names, expected);
    }

    #[test]
    fn of_the_tags_of_one_image_the_most_exact_stands_first() {
        let mut names = ["latest", "1", "stable", "1.4.2", "v1.4.2", "1.4", "3f9c2ab", "20241105"];
        names.sort_by(|one, other| Version::read(one).most_exact_first(&Version::read(other)));
        assert_eq!(names, ["1.4.2", "v1.4.2", "1.4", "1", "20241105", "stable", "latest", "3f9c2ab"]);
    }
}
