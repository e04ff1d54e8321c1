//! `havre config`, and what every command says of a configuration it cannot use.

use super::process::{Place, outcome};

#[test]
fn show_prints_every_option_with_its_origin() {
    let place = Place::new();
    std::fs::write(place.path().join("havre.toml"), "[registry]\nshared_cache = true\n").unwrap();
    let mut command = place.command(&["config", "show", "--data-dir", "elsewhere"]);
    let shown = outcome(command.env("HAVRE_STORAGE_UPLOAD_EXPIRY", "2h")).exits(0).stdout;
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{key}: {shown}"));
    assert!(line("registry.shared_cache = true").ends_with("# havre.toml:2"));
    assert!(line("storage.upload_expiry = \"2h\"").ends_with("# env HAVRE_STORAGE_UPLOAD_EXPIRY"));
    assert!(line("data_dir = \"elsewhere\"").ends_with("# flag --data-dir"));
    assert!(line("server.open = false").ends_with("# default"));
}

#[test]
fn show_prints_a_configuration_that_can_be_used() {
    let place = Place::new();
    let shown = place.run(&["config", "show"]).exits(0).stdout;
    std::fs::write(place.path().join("copy.toml"), &shown).unwrap();
    let again = place.run(&["config", "show", "--config", "copy.toml"]).exits(0).stdout;
    let values = |text: &str| {
        text.lines().map(|line| line.split(" #").next().unwrap().trim_end().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values(&again), values(&shown));
}

#[test]
fn an_unknown_key_is_refused_and_the_nearest_named() {
    let place = Place::new();
    std::fs::write(place.path().join("havre.toml"), "[registry]\nshared_cash = true\n").unwrap();
    for args in [&["serve"][..], &["check"], &["config", "show"], &["config", "check"]] {
        let outcome = place.run(args).exits(2);
        outcome.complains("havre.toml:2: unknown key `registry.shared_cash`; did you mean `registry.shared_cache`?");
    }
}

#[test]
fn an_unknown_variable_or_flag_is_refused() {
    let place = Place::new();
    let mut command = place.command(&["serve"]);
    let refused = outcome(command.env("HAVRE_STORAGE_UPLOAD_EXPIRI", "2h")).exits(2);
    refused.complains("HAVRE_STORAGE_UPLOAD_EXPIRI").complains("HAVRE_STORAGE_UPLOAD_EXPIRY");
    place.run(&["serve", "--set", "log.acess=false"]).exits(2).complains("did you mean `log.access`?");
    place.run(&["serve", "--opne"]).exits(2).complains("--open");
    place.run(&["serve", "--config", "nothing.toml"]).exits(2).complains("nothing.toml: cannot be read");
}

#[test]
fn every_problem_is_told_at_once() {
    let place = Place::new();
    let refused =
        place.run(&["serve", "--listen", "here", "--durability", "some", "--set", "log.format=loud"]).exits(2);
    refused.complains("--listen").complains("--durability").complains("log.format");
}

#[test]
fn the_reference_needs_no_configuration() {
    let place = Place::new();
    std::fs::write(place.path().join("havre.toml"), "nonsense").unwrap();
    place.run(&["config", "reference"]).exits(0).says("server.listen").says("HAVRE_LISTEN");
    place.run(&["--version"]).exits(0).says(env!("CARGO_PKG_VERSION"));
    place.run(&["--help"]).exits(0).says("serve").says("check").says("config");
    place.run(&[]).exits(2);
}
