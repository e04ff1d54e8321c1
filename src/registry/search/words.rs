//! The words of a text, as the database keeps them: letters and digits, small, without accents.

/// Longest query in bytes that is looked at.
pub const MAX_QUERY: usize = 200;
/// At most this many words of it.
const WORDS: usize = 8;
/// Of a word at most this many characters: the database keeps no more.
const CHARACTERS: usize = 64;

/// The words of a text.
pub(super) fn of(text: &str) -> Vec<String> {
    let cut = (0..=MAX_QUERY.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let text = text.get(..cut).unwrap_or_default();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words
        .take(WORDS)
        .map(|word| word.chars().flat_map(char::to_lowercase).map(plain).take(CHARACTERS).collect())
        .collect()
}

/// A letter without its accent.
fn plain(letter: char) -> char {
    match letter {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    }
}

/// What to look for within names where a word was not found: the word itself, and each of its halves that is long enough to
/// tell something.
pub(super) fn parts(word: &str) -> Vec<String> {
    let characters: Vec<char> = word.chars().collect();
    let (one, other) = characters.split_at(characters.len() / 2);
    let halves = [one, other].into_iter().filter(|half| half.len() >= 3).map(|half| half.iter().collect());
    std::iter::once(word.to_owned()).filter(|_| characters.len() >= 3).chain(halves).collect()
}

#[cfg(test)]
mod tests {
    use super::{MAX_QUERY, of, parts};

    #[test]
    fn words_are_letters_and_digits() {
        assert_eq!(of("Acme/Shop-API_v1.2"), ["acme", "shop", "api", "v1", "2"]);
        assert_eq!(of("«Déploiement» d’été"), ["deploiement", "d", "ete"]);
        assert_eq!(of("\" OR name : * ' & | ! ( ) :* %"), ["or", "name"]);
        assert!(of("").is_empty() && of(" /-*").is_empty());
        assert_eq!(of(&"é".repeat(MAX_QUERY)).concat().len(), 64);
        assert_eq!(of(&"a ".repeat(MAX_QUERY)).len(), 8);
    }

    #[test]
    fn halves_are_looked_for_where_they_tell_something() {
        assert_eq!(parts("kubernetes"), ["kubernetes", "kuber", "netes"]);
        assert_eq!(parts("nginx"), ["nginx", "inx"]);
        assert_eq!(parts("go"), Vec::<String>::new());
    }
}
