//! What people read on the pages is in the files of `locales/`, in every language, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::source;

const LANGUAGES: [&str; 2] = ["en", "fr"];

/// What keys begin with that are put together while the program runs, and where.
const PUT_TOGETHER: &[(&str, &str)] = &[
    ("time-", "src/http/web/figures.rs"),
    ("month-", "src/http/web/figures.rs"),
    ("error-", "src/http/web/failure.rs"),
    ("done-", "src/http/web/visit.rs"),
    ("scope-", "src/http/web/account/tokens.rs"),
    ("permission-", "src/http/web/namespace/roles.rs"),
    ("role-", "src/http/web/namespace/roles.rs"),
    ("action-", "src/http/web/repository_settings.rs"),
    ("event-", "src/http/web/sentence.rs"),
    ("activity-kind-", "src/http/web/activity.rs"),
    ("tab-", "src/http/web/frame.rs"),
    ("admin-tab-", "src/http/web/admin.rs"),
    ("tags-kind-", "src/http/web/repository/tags.rs"),
];

/// Words that are the same in every language.
const NAMES: &[&str] = &[];

fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|found| found == extension) {
                let name = path.strip_prefix(source::root()).unwrap().display().to_string();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&source::root().join(folder), extension, &mut found);
    assert!(!found.is_empty(), "{folder} has no file *.{extension}");
    found.sort();
    found
}

/// The messages of a language: the variables of each.
fn messages(texts: &[(String, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in texts {
        let mut key = None;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once('=').filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
            {
                let name = name.trim().to_owned();
                assert!(found.insert(name.clone(), BTreeSet::new()).is_none(), "{file}: {name} is there twice");
                key = Some(name);
            }
            let Some(variables) = key.as_ref().and_then(|key| found.get_mut(key)) else { continue };
            for rest in line.split('$').skip(1) {
                variables.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            }
        }
    }
    found
}

fn all_messages() -> BTreeMap<&'static str, BTreeMap<String, BTreeSet<String>>> {
    LANGUAGES.into_iter().map(|language| (language, messages(&files(&format!("locales/{language}"), "ftl")))).collect()
}

#[test]
fn every_text_is_there_in_every_language() {
    let all = all_messages();
    for (key, variables) in &all["en"] {
        let Some(others) = all["fr"].get(key) else { panic!("{key} is not there in French") };
        assert_eq!(variables, others, "{key} has other variables in French");
    }
    let missing: Vec<_> = all["fr"].keys().filter(|key| !all["en"].contains_key(*key)).collect();
    assert!(missing.is_empty(), "not there in English: {missing:?}");
}

/// The keys that templates and sources name: the first text within `t(`, `ta(`, `tn(` and `tx(`.
fn named(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for call in [".t(\"", ".ta(\"", ".tn(\"", ".tx(\"", ".th(\""] {
        for rest in text.split(call).skip(1) {
            found.extend(rest.split('"').next().map(str::to_owned));
        }
    }
    found
}

#[test]
fn what_pages_name_is_there_and_what_is_there_is_named() {
    let all = all_messages();
    let mut used = BTreeSet::new();
    let mut everything = String::new();
    for (file, text) in files("templates", "html").into_iter().chain(files("src/http/web", "rs")) {
        for key in named(&text) {
            assert!(all["en"].contains_key(&key), "{file} names {key:?}, which no file of locales/en has");
            used.insert(key);
        }
        everything.push_str(&text);
    }
    for key in all["en"].keys() {
        let made = PUT_TOGETHER.iter().any(|(prefix, _)| key.starts_with(prefix));
        let somewhere = made || used.contains(key) || everything.contains(&format!("\"{key}\""));
        assert!(somewhere, "nothing names {key}");
    }
}

/// What is left of a template that a reader sees as it stands there.
fn visible(template: &str) -> String {
    let mut text = template.to_owned();
    for (begin, end) in [("{#", "#}"), ("{{", "}}"), ("{%", "%}"), ("<!--", "-->")] {
        while let Some(from) = text.find(begin) {
            let to = text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
            text.replace_range(from..to, "\u{1}");
        }
    }
    let mut seen = String::new();
    let mut rest = text.as_str();
    while let Some(from) = rest.find('<') {
        seen.push_str(&rest[..from]);
        let tag = &rest[from..rest[from..].find('>').map_or(rest.len(), |at| from + at + 1)];
        for attribute in ["title=\"", "aria-label=\"", "placeholder=\"", "alt=\"", "label=\""] {
            for value in tag.split(&format!(" {attribute}")).skip(1) {
                seen.extend([" ", value.split('"').next().unwrap_or_default()]);
            }
        }
        rest = &rest[from + tag.len()..];
        if tag.starts_with("<style") || tag.starts_with("<script") && !tag.contains("src=") {
            seen.push_str(" script");
        }
    }
    seen + rest
}

fn words(template: &str) -> Vec<String> {
    let entities = ["&middot;", "&nbsp;", "&amp;", "&lt;", "&gt;", "&times;", "&rarr;", "&larr;", "&hellip;"];
    let text = entities.iter().fold(visible(template), |text, entity| text.replace(entity, " "));
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty() && !NAMES.contains(word));
    words.map(str::to_owned).collect()
}

#[test]
fn templates_hold_no_text() {
    for (file, text) in files("templates", "html") {
        assert_eq!(words(&text), Vec::<String>::new(), "{file} holds text; move it to locales/");
    }
}

#[test]
fn a_text_in_a_template_is_seen() {
    assert_eq!(
        words("<p class=\"a\">{{ v.t(\"x\") }} · 12</p>{# note #}{% if a %}<br>{% endif %}"),
        Vec::<String>::new()
    );
    assert_eq!(words("<p title=\"Hello\">{{ x }} you</p>"), ["Hello", "you"]);
    assert_eq!(named("v.t(\"a-b\") v.tn(\"c\", 1)"), BTreeSet::from(["a-b".to_owned(), "c".to_owned()]));
}
