//! Scopes of tokens: few and short, and the same behind a token, and behind their own text, as before.
#![no_main]

use havre_fuzz::scope::{Access, MAX_SCOPES, Scope, parse_all};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(scopes) = parse_all(text.split('&')) else { return };
    assert!(scopes.len() <= MAX_SCOPES);
    let through: Vec<Scope> = scopes.iter().filter_map(|scope| Access::from(scope).scope()).collect();
    assert_eq!(through, scopes);
    for scope in scopes {
        let repository = matches!(scope.target, havre_fuzz::scope::Target::Repository(_));
        let again = scope.to_string();
        // One that is canonical may be longer than what was sent.
        if let (true, Ok(read)) = (repository, parse_all([&*again].into_iter())) {
            assert_eq!(read, [scope]);
        }
    }
});
