//! Reads options from environment variables.

use std::collections::HashMap;
use std::ffi::OsString;

use super::error::shorten;
use super::nearest::nearest;
use super::option::Setting;
use super::{CONFIG_VARIABLE, ConfigOption, Literal, Origin, Problem, options};

/// What every variable of ours begins with.
const PREFIX: &str = "HAVRE_";

/// Variables of the test suite.
const TEST_PREFIX: &str = "HAVRE_TEST_";

/// Kubernetes gives every container such variables for a service that is called `havre`; nobody typed them.
const SERVICE_LINKS: [&str; 3] = ["HAVRE_PORT", "HAVRE_SERVICE_HOST", "HAVRE_SERVICE_PORT"];

/// Reads what the variables set; what is wrong goes to `problems`. The result is in the order of the options, whatever
/// the order of the variables.
pub(super) fn read(variables: impl IntoIterator<Item = (String, String)>, problems: &mut Vec<Problem>) -> Vec<Setting> {
    let mut ours: HashMap<String, String> =
        variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX) && !is_foreign(name)).collect();
    let settings = options().iter().filter_map(|option| take(option, &mut ours, problems)).collect();

    let mut unknown: Vec<String> = ours.into_keys().collect();
    unknown.sort_unstable();
    let names = known_names();
    problems.extend(unknown.into_iter().map(|name| Problem::UnknownVariable {
        nearest: nearest(&name, '\0', names.iter().map(String::as_str)).map(str::to_owned),
        name: shorten(&name.escape_debug().to_string()),
    }));
    settings
}

/// Keeps the variables that begin with `HAVRE_`, as text. Those of others need not be text and are never looked at.
pub(super) fn ours(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut ours = Vec::new();
    for (name, value) in variables {
        let Ok(name) = name.into_string() else { continue };
        if !name.starts_with(PREFIX) {
            continue;
        }
        match value.into_string() {
            Ok(value) => ours.push((name, value)),
            Err(_) if is_foreign(&name) && name != CONFIG_VARIABLE => {}
            Err(_) => problems.push(Problem::NotUnicode { name: shorten(&name.escape_debug().to_string()) }),
        }
    }
    if problems.is_empty() { Ok(ours) } else { Err(problems) }
}

/// Whether a variable with our prefix is known to be no option.
fn is_foreign(name: &str) -> bool {
    let of = |link: &str| name.strip_prefix(link).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    name == CONFIG_VARIABLE || name.starts_with(TEST_PREFIX) || SERVICE_LINKS.iter().any(|link| of(link))
}

/// Takes the variable of an option out of `ours`.
fn take(
    option: &'static ConfigOption,
    ours: &mut HashMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Option<Setting> {
    let long = option.variable();
    let short = option.alias.and_then(|alias| Some((alias.to_owned(), ours.remove(alias)?)));
    let long = ours.remove_entry(&long);
    if let (Some((first, _)), Some((second, _))) = (&short, &long) {
        problems.push(Problem::TwoVariables { key: option.key, first: first.clone(), second: second.clone() });
    }
    let (name, value) = short.or(long)?;
    Some(Setting { option, literal: Literal::Text(value), origin: Origin::Environment(name) })
}

/// Returns the names of all variables.
fn known_names() -> Vec<String> {
    let of_options = options().iter().flat_map(|option| {
        let alias = option.alias.map(str::to_owned);
        std::iter::once(option.variable()).chain(alias)
    });
    of_options.chain([CONFIG_VARIABLE.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_option_hides_behind_a_foreign_name() {
        for option in options() {
            assert!(!is_foreign(&option.variable()), "{}", option.key);
            assert!(!option.alias.is_some_and(is_foreign), "{}", option.key);
        }
    }

    #[test]
    fn no_two_options_share_a_variable() {
        let mut names = known_names();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
