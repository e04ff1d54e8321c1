//! Reads options from the command line.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

use super::error::shorten;
use super::nearest::nearest;
use super::option::Setting;
use super::{
    CONFIG_VARIABLE, Config, ConfigOption, Error, Literal, Origin, Origins, Problem, Sources, choose_file, environment,
    find, options,
};

/// The identifiers of the two flags that belong to no single option.
const CONFIG: &str = "config";
const SET: &str = "set";

/// The heading under which `--help` lists the flags.
const HEADING: &str = "Configuration";

/// The flags with which every command that reads the configuration can override it.
///
/// The flags of single options follow from the table of options, so this is written by hand and not derived.
#[derive(Clone, Default)]
pub struct Flags {
    config: Option<PathBuf>,
    settings: Vec<(String, String)>,
}

impl Flags {
    /// Reads the configuration with these flags and the environment of this process.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    pub fn load(self) -> Result<(Config, Origins), Error> {
        self.load_with(env::vars_os(), Path::exists)
    }

    /// Reads the configuration with these flags and the world that is given.
    pub(super) fn load_with(
        self,
        variables: impl Iterator<Item = (OsString, OsString)>,
        exists: impl Fn(&Path) -> bool,
    ) -> Result<(Config, Origins), Error> {
        let variables = environment::ours(variables).map_err(Error::new)?;
        let named = variables.iter().find(|(name, _)| name == CONFIG_VARIABLE).map(|(_, path)| path);
        // An empty variable is how a compose file spells an unset one.
        let named = named.filter(|path| !path.is_empty()).map(PathBuf::from);
        let file = choose_file(self.config.or(named), exists);
        Config::load(Sources { file, env: variables, flags: self.settings })
    }
}

/// Shows the keys alone, for a value may be a secret.
impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.settings.iter().map(|(key, _)| key.as_str()).collect();
        f.debug_struct("Flags").field("config", &self.config).field("settings", &keys).finish()
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new(CONFIG)
            .long(CONFIG)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("The configuration file [default: havre.toml, else /etc/havre/havre.toml, if it exists]");
        let set = Arg::new(SET)
            .long(SET)
            .value_name("KEY=VALUE")
            .action(ArgAction::Append)
            .value_parser(split_assignment)
            .help("Set any option, such as `--set storage.upload_expiry=2h`; may be repeated");
        let of_options = options().iter().filter_map(flag_of);
        let all = std::iter::once(config).chain(of_options).chain([set]);
        command.args(all.map(|arg| arg.help_heading(HEADING)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        if let Some(path) = matches.get_one::<PathBuf>(CONFIG) {
            self.config = Some(path.clone());
        }
        for option in options().iter().filter(|option| option.flag.is_some()) {
            let values = matches.get_many::<String>(option.key).unwrap_or_default();
            self.settings.extend(values.map(|value| (option.key.to_owned(), value.clone())));
        }
        self.settings.extend(matches.get_many::<(String, String)>(SET).unwrap_or_default().cloned());
        Ok(())
    }
}

/// Builds the flag of an option that has one of its own.
fn flag_of(option: &'static ConfigOption) -> Option<Arg> {
    let name = option.flag?.trim_start_matches('-');
    let doc = option.doc();
    let summary = doc.split_once(". ").map_or(doc.as_str(), |(first, _)| first);
    let arg =
        Arg::new(option.key).long(name).value_name(option.placeholder).help(summary.trim_end_matches('.').to_owned());
    Some(if option.default == Literal::Boolean(false) {
        arg.num_args(0..=1).require_equals(true).default_missing_value("true")
    } else if option.list {
        arg.action(ArgAction::Append)
    } else {
        arg
    })
}

/// Divides `KEY=VALUE`.
fn split_assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.trim().to_owned(), value.to_owned())),
        None => Err("expected KEY=VALUE, such as log.access=false".to_owned()),
    }
}

/// Reads what the flags set; what is wrong goes to `problems`.
pub(super) fn read(flags: Vec<(String, String)>, problems: &mut Vec<Problem>) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for (key, value) in flags {
        match find(&key) {
            Some(option) => add(&mut settings, option, value),
            None => problems.push(unknown(&key)),
        }
    }
    settings
}

/// Adds a value. The values of a list make one list, for a later source replaces a list and does not add to it.
fn add(settings: &mut Vec<Setting>, option: &'static ConfigOption, value: String) {
    let earlier = settings.iter_mut().find(|setting| setting.option.key == option.key);
    if let Some(Setting { literal: Literal::Text(text), .. }) = earlier {
        if option.list {
            text.push(',');
            text.push_str(&value);
        } else {
            *text = value;
        }
        return;
    }
    let flag = option.flag.map_or_else(|| format!("--set {}", option.key), str::to_owned);
    settings.push(Setting { option, literal: Literal::Text(value), origin: Origin::Flag(flag) });
}

fn unknown(key: &str) -> Problem {
    let known = options().iter().map(|option| option.key);
    Problem::UnknownKey {
        origin: Origin::Flag("--set".to_owned()),
        nearest: nearest(key, '.', known).map(str::to_owned),
        key: shorten(&key.escape_debug().to_string()),
    }
}
