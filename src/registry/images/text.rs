//! What strangers wrote, made fit to be shown: of bounded length, and without characters that hide or turn others.

/// Cuts a text after `limit` characters, and puts a mark in the place of each character that nobody would see: control
/// characters, and those that change the direction of what stands around them.
pub fn shown(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    for (count, c) in text.chars().enumerate() {
        if count == limit {
            out.push('…');
            break;
        }
        out.push(match c {
            '\n' => '\n',
            '\t' => ' ',
            c if is_unseen(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        });
    }
    out
}

/// The same on one line.
pub fn line(text: &str, limit: usize) -> String {
    shown(text, limit).replace('\n', " ")
}

/// Joiners are let through, since writing and emoji need them.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{61c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{line, shown};

    #[test]
    fn what_hides_or_turns_is_marked_and_what_is_long_is_cut() {
        for (text, limit, expected) in [
            ("plain é 日本", 20, "plain é 日本"),
            ("a\u{202e}b\u{0}c\u{feff}", 20, "a\u{fffd}b\u{fffd}c\u{fffd}"),
            ("one\ttwo\nthree", 20, "one two\nthree"),
            ("abcdef", 3, "abc…"),
            ("abc", 3, "abc"),
            ("", 3, ""),
        ] {
            assert_eq!(shown(text, limit), expected, "{text:?}");
        }
        assert_eq!(line("a\nb", 9), "a b");
        assert_eq!(shown(&"é".repeat(1_000_000), 10).chars().count(), 11);
    }
}
