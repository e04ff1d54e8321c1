//! The table of all options.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use super::value::Value;
use super::{Acme, Audit, Auth, Config, Database, Literal, Log, Mail, Origin, Problem, Registry, Server, Storage};

/// One option: its names, what it takes, and the field it fills.
pub struct ConfigOption {
    /// The key, with its section: `server.listen`.
    pub key: &'static str,
    /// What is expected, such as "a duration with its unit".
    pub kind: &'static str,
    /// The name of the value in `--help`.
    pub placeholder: &'static str,
    /// The flag, with its dashes, if there is one of its own.
    pub flag: Option<&'static str>,
    /// A second, shorter environment variable.
    pub alias: Option<&'static str>,
    /// Whether the value must not be shown.
    pub secret: bool,
    /// Whether several flags make one value.
    pub list: bool,
    /// The smallest and the largest value, if there are limits.
    pub limits: Option<(Literal, Literal)>,
    /// A value that is accepted.
    pub example: Literal,
    /// The value when no source names the option.
    pub default: Literal,
    doc: &'static str,
    set: Set,
    get: Get,
}

/// Fills the field of an option; `false` if the option does not take the value.
type Set = Box<dyn Fn(&mut Config, &Literal) -> bool + Send + Sync>;

/// Returns the value of an option's field.
type Get = Box<dyn Fn(&Config) -> Literal + Send + Sync>;

/// What a declaration may say beyond key, type, default and documentation.
pub(super) struct Details<T> {
    /// The flag, with its dashes.
    pub(super) flag: Option<&'static str>,
    /// A second, shorter environment variable.
    pub(super) alias: Option<&'static str>,
    /// A value as it would stand in the environment; else the type has one.
    pub(super) example: Option<&'static str>,
    /// The limits, both included.
    pub(super) within: Option<Limits<T>>,
}

/// The smallest and the largest value. A type of its own because most types of options have no order.
pub(super) struct Limits<T> {
    least: T,
    most: T,
    contain: fn(&Self, &T) -> bool,
}

impl<T: PartialOrd> From<RangeInclusive<T>> for Limits<T> {
    fn from(range: RangeInclusive<T>) -> Self {
        let (least, most) = range.into_inner();
        Self { least, most, contain: |limits, value| (&limits.least..=&limits.most).contains(&value) }
    }
}

impl<T> Details<T> {
    /// Nothing to add.
    pub(super) const NONE: Self = Self { flag: None, alias: None, example: None, within: None };
}

impl ConfigOption {
    /// Declares an option. `concern!` is the usual way to call it.
    pub(super) fn new<T>(
        key: &'static str,
        doc: &'static str,
        details: Details<T>,
        get: fn(&Config) -> &T,
        set: fn(&mut Config, T),
    ) -> Self
    where
        T: Value + Send + Sync + 'static,
    {
        let example = Literal::from(details.example.unwrap_or(T::EXAMPLE));
        let limits = details.within.as_ref().map(|limits| (limits.least.literal(), limits.most.literal()));
        let accepts = move |value: &T| details.within.as_ref().is_none_or(|limits| (limits.contain)(limits, value));
        Self {
            key,
            kind: T::KIND,
            placeholder: T::PLACEHOLDER,
            flag: details.flag,
            alias: details.alias,
            secret: T::SECRET,
            list: T::LIST,
            limits,
            // Read and printed again, a list is shown as a list and not as its form in the
            // environment.
            example: T::parse(&example).filter(|_| !T::SECRET).map_or(example, |value| value.literal()),
            default: get(&Config::default()).literal(),
            doc,
            set: Box::new(move |config, literal| match T::parse(literal).filter(&accepts) {
                Some(value) => {
                    set(config, value);
                    true
                }
                None => false,
            }),
            get: Box::new(move |config| get(config).literal()),
        }
    }

    /// Returns the environment variable of the option: `HAVRE_SERVER_LISTEN` for `server.listen`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("HAVRE_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }

    /// Returns the section, empty for an option that stands in none.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.key.split_once('.').map_or("", |(section, _)| section)
    }

    /// Returns the key within its section.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.key.split_once('.').map_or(self.key, |(_, name)| name)
    }

    /// Returns the documentation, as Markdown in one paragraph.
    #[must_use]
    pub fn doc(&self) -> String {
        self.doc.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Returns what is expected, with the limits.
    #[must_use]
    pub fn expected(&self) -> String {
        match &self.limits {
            Some((least, most)) => format!("{} from {} to {}", self.kind, bare(least), bare(most)),
            None => self.kind.to_owned(),
        }
    }

    /// Returns the option's value in `config`, a secret masked.
    #[must_use]
    pub fn get(&self, config: &Config) -> Literal {
        (self.get)(config)
    }

    /// Fills the option's field; `false`, and no change, if the value is not one it takes.
    pub(super) fn set(&self, config: &mut Config, literal: &Literal) -> bool {
        (self.set)(config, literal)
    }
}

/// Writes a value for prose, a text without its quotation marks.
fn bare(literal: &Literal) -> String {
    literal.text().map_or_else(|| literal.to_string(), str::to_owned)
}

impl fmt::Debug for ConfigOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigOption").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A value that a source gave to an option. Not `Debug`, because it may be a secret.
pub(super) struct Setting {
    pub(super) option: &'static ConfigOption,
    pub(super) literal: Literal,
    pub(super) origin: Origin,
}

impl Setting {
    /// Describes why the option does not take the value.
    pub(super) fn refusal(self) -> Problem {
        Problem::Invalid {
            origin: self.origin,
            key: self.option.key,
            given: (!self.option.secret).then_some(self.literal),
            expected: self.option.expected(),
            example: self.option.example.clone(),
        }
    }
}

/// Returns every option, section by section.
#[must_use]
pub fn options() -> &'static [ConfigOption] {
    static OPTIONS: LazyLock<Vec<ConfigOption>> = LazyLock::new(|| {
        let sections = [
            Database::options(),
            Server::options(),
            Acme::options(),
            Auth::options(),
            super::Limits::options(),
            Mail::options(),
            Registry::options(),
            Storage::options(),
            Audit::options(),
            Log::options(),
        ];
        Config::top_level_options().into_iter().chain(sections.into_iter().flatten()).collect()
    });
    &OPTIONS
}

/// Returns the option of that key.
#[must_use]
pub fn find(key: &str) -> Option<&'static ConfigOption> {
    options().iter().find(|option| option.key == key)
}
