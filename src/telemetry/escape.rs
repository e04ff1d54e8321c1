//! Writes text that clients chose into a log line, so that it can neither end the line nor act on a terminal.

/// The hexadecimal digits.
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Stands behind a text that was cut.
const CUT: &[u8] = b"...";

/// Appends at most `limit` bytes of `text` for a quoted field of a text line: only printable ASCII stands as it is,
/// everything else as `\xHH`; quotation marks and backslashes are escaped.
pub(super) fn quoted(line: &mut Vec<u8>, text: &[u8], limit: usize) {
    escape(line, text, limit, is_plain);
}

/// Appends at most `limit` bytes of `text` for a field that spaces end: as [`quoted`], and spaces are escaped too. An
/// empty text is written as `-`.
pub(super) fn word(line: &mut Vec<u8>, text: &[u8], limit: usize) {
    if text.is_empty() {
        line.push(b'-');
    }
    escape(line, text, limit, |byte| is_plain(byte) && byte != b' ');
}

/// Appends at most `limit` bytes of `text` as a JSON string, in ASCII. Bytes that are not UTF-8 become U+FFFD.
pub(super) fn json(line: &mut Vec<u8>, text: &[u8], limit: usize) {
    line.push(b'"');
    let cut = &text[..text.len().min(limit)];
    if cut.iter().copied().all(is_plain) {
        line.extend_from_slice(cut);
    } else {
        for c in String::from_utf8_lossy(cut).chars() {
            match c {
                '"' | '\\' => line.extend_from_slice(&[b'\\', c as u8]),
                ' '..='~' => line.push(c as u8),
                _ => push_unicode(line, c),
            }
        }
    }
    mark_cut(line, text, limit);
    line.push(b'"');
}

/// Whether a byte means nothing but itself.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// Copies runs of plain bytes and escapes what stands between them.
fn escape(line: &mut Vec<u8>, text: &[u8], limit: usize, is_plain: impl Fn(u8) -> bool) {
    let mut rest = &text[..text.len().min(limit)];
    while let Some(at) = rest.iter().position(|byte| !is_plain(*byte)) {
        line.extend_from_slice(&rest[..at]);
        match rest[at] {
            byte @ (b'"' | b'\\') => line.extend_from_slice(&[b'\\', byte]),
            byte => {
                line.extend_from_slice(b"\\x");
                push_hex(line, byte);
            }
        }
        rest = &rest[at + 1..];
    }
    line.extend_from_slice(rest);
    mark_cut(line, text, limit);
}

fn mark_cut(line: &mut Vec<u8>, text: &[u8], limit: usize) {
    if text.len() > limit {
        line.extend_from_slice(CUT);
    }
}

fn push_hex(line: &mut Vec<u8>, byte: u8) {
    line.push(HEX[usize::from(byte >> 4)]);
    line.push(HEX[usize::from(byte & 0xf)]);
}

fn push_unicode(line: &mut Vec<u8>, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        line.extend_from_slice(b"\\u");
        for byte in unit.to_be_bytes() {
            push_hex(line, byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: fn(&mut Vec<u8>, &[u8], usize), text: &[u8], limit: usize) -> String {
        let mut line = Vec::new();
        write(&mut line, text, limit);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn control_characters_and_quotes_are_escaped() {
        assert_eq!(written(quoted, b"a\"b\\c\n\x1b[1m\xff", 99), r#"a\"b\\c\x0a\x1b[1m\xff"#);
        assert_eq!(written(word, b"a b ", 99), r"a\x20b\x20");
        assert_eq!(written(word, b"", 99), "-");
        assert_eq!(written(json, "é\u{2028}\n\u{1f600}\"".as_bytes(), 99), r#""\u00e9\u2028\u000a\ud83d\ude00\"""#);
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(written(quoted, b"abcdef", 3), "abc...");
        assert_eq!(written(quoted, b"abc", 3), "abc");
        assert_eq!(written(word, b"abcdef", 3), "abc...");
        assert_eq!(written(json, b"abcdef", 3), "\"abc...\"");
    }

    proptest! {
        #[test]
        fn nothing_but_printable_ascii_is_written(text: Vec<u8>, limit in 0..64_usize) {
            for write in [quoted, word, json] {
                let written = written(write, &text, limit);
                prop_assert!(written.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}", written);
            }
            prop_assert!(!written(word, &text, limit).contains(' '));
        }

        #[test]
        fn json_reads_back(text: String) {
            let read: String = serde_json::from_str(&written(json, text.as_bytes(), usize::MAX)).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
