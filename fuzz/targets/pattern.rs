//! Patterns of repositories: what is read prints back, and matches nothing outside its own namespace.
#![no_main]

use havre_fuzz::pattern::Pattern;
use libfuzzer_sys::fuzz_target;
use oci::RepositoryName;

fuzz_target!(|texts: (&str, &str)| {
    let (text, name) = texts;
    let Some(pattern) = Pattern::parse(text) else { return };
    assert_eq!(Pattern::parse(&pattern.to_string()), Some(pattern.clone()));
    assert!(pattern.text().starts_with(&format!("{}/", pattern.namespace_name())));
    if let Ok(name) = RepositoryName::parse(name)
        && pattern.matches(&name)
    {
        assert_eq!(name.namespace(), pattern.namespace_name());
    }
});
