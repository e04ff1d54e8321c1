//! The texts of the pages, in the reader's language.

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader, langid};
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

use crate::registry::accounts::Language;

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "en",
        // Names that could turn the direction of what is beside them are isolated where they are shown.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

const ENGLISH: LanguageIdentifier = langid!("en");
const FRENCH: LanguageIdentifier = langid!("fr");

/// The values of a text's variables.
pub(super) type Arguments<'a> = HashMap<Cow<'static, str>, FluentValue<'a>>;

/// The text of a key; the key itself where there is none, which a test rules out.
pub(super) fn text(language: Language, key: &str, arguments: Option<&Arguments<'_>>) -> String {
    find(language, key, arguments).unwrap_or_else(|| key.to_owned())
}

/// The text of a key that may not be there.
pub(super) fn find(language: Language, key: &str, arguments: Option<&Arguments<'_>>) -> Option<String> {
    let language = match language {
        Language::En => &ENGLISH,
        Language::Fr => &FRENCH,
    };
    LOCALES.try_lookup_complete(language, key, arguments)
}

/// The language of a word such as `fr`, or `fr-CA`.
pub(super) fn language(word: &str) -> Option<Language> {
    match word.trim().split('-').next().unwrap_or_default() {
        main if main.eq_ignore_ascii_case("en") => Some(Language::En),
        main if main.eq_ignore_ascii_case("fr") => Some(Language::Fr),
        _ => None,
    }
}

/// What a browser would like best of what there is (RFC 9110, 12.5.4).
pub(super) fn preferred(headers: &HeaderMap) -> Option<Language> {
    let wanted = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut best: Option<(Language, f32)> = None;
    for part in wanted.split(',').take(32) {
        let (range, quality) = part.split_once(';').unwrap_or((part, ""));
        let quality = quality.trim().strip_prefix("q=").map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
        let Some(language) = language(range) else { continue };
        if quality > 0.0 && best.is_none_or(|(_, before)| quality > before) {
            best = Some((language, quality));
        }
    }
    best.map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::{ACCEPT_LANGUAGE, HeaderValue};

    use super::preferred;
    use crate::registry::accounts::Language;

    #[test]
    fn a_browser_gets_the_language_that_it_likes_best() {
        for (wanted, expected) in [
            ("fr", Some(Language::Fr)),
            ("fr-CA,fr;q=0.9,en;q=0.8", Some(Language::Fr)),
            ("de,en;q=0.5,fr;q=0.7", Some(Language::Fr)),
            ("de, en-GB", Some(Language::En)),
            ("fr;q=0, en;q=0.1", Some(Language::En)),
            ("fr;q=x", None),
            ("de", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(wanted));
            assert_eq!(preferred(&headers), expected, "{wanted}");
        }
        assert_eq!(preferred(&HeaderMap::new()), None);
    }
}
