//! Secrets of tokens: what is read is the whole text, and `Debug` shows nothing of it.
#![no_main]

use havre_fuzz::secret::Secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(secret) = Secret::parse(text) {
        assert_eq!(secret.reveal(), text);
        assert!(text.starts_with(secret.kind().prefix()) && text.is_ascii());
        assert!(!format!("{secret:?}").contains(&text[secret.kind().prefix().len()..]));
    }
});
