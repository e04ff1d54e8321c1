//! JSON, laid out and coloured for people. The text comes from strangers: every character of it is escaped here, and what
//! comes out has a bound of its own, since indenting makes a short text long.

use crate::registry::images::{secrets, text};

/// Longest document that is shown, in bytes.
pub const LONGEST: usize = 256 * 1024;
/// Longest outcome, in bytes.
const LONGEST_SHOWN: usize = 1024 * 1024;
/// Deepest level that is still indented further.
const DEEPEST: usize = 24;
/// Longest text within it, in characters.
const LONGEST_TEXT: usize = 4_000;

/// A document as HTML.
#[derive(Debug, PartialEq, Eq)]
pub struct Coloured {
    /// The HTML: text, and spans of the classes `k`, `s`, `n` and `b`.
    pub html: String,
    /// Whether the end is left out.
    pub cut: bool,
}

/// Lays out and colours a document; nothing where it is no JSON, or too long.
pub fn coloured(bytes: &[u8]) -> Option<Coloured> {
    if bytes.len() > LONGEST {
        return None;
    }
    let json = std::str::from_utf8(bytes).ok()?;
    // From here on, it is known to be well formed. However deep it nests: nothing is built.
    serde_json::from_str::<serde::de::IgnoredAny>(json).ok()?;
    let mut writer = Writer { html: String::with_capacity(json.len() * 2), depth: 0 };
    let mut rest = json.trim_start();
    while !rest.is_empty() {
        if writer.html.len() > LONGEST_SHOWN {
            return Some(Coloured { html: writer.html, cut: true });
        }
        rest = writer.token(rest).trim_start();
    }
    Some(Coloured { html: writer.html, cut: false })
}

struct Writer {
    html: String,
    depth: usize,
}

impl Writer {
    /// Writes the first token, and returns what follows it.
    fn token<'a>(&mut self, json: &'a str) -> &'a str {
        let (token, rest) = json.split_at(length(json));
        match token {
            "{" | "[" => {
                let closing = if token == "{" { "}" } else { "]" };
                self.html.push_str(token);
                if let Some(rest) = rest.trim_start().strip_prefix(closing) {
                    self.html.push_str(closing);
                    return rest;
                }
                self.depth += 1;
                self.line();
            }
            "}" | "]" => {
                self.depth = self.depth.saturating_sub(1);
                self.line();
                self.html.push_str(token);
            }
            "," => {
                self.html.push(',');
                self.line();
            }
            ":" => self.html.push_str(": "),
            _ if token.starts_with('"') && rest.trim_start().starts_with(':') => self.span("k", token),
            _ if token.starts_with('"') => self.span("s", token),
            _ if token.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => self.span("n", token),
            _ => self.span("b", token),
        }
        rest
    }

    fn line(&mut self) {
        self.html.push('\n');
        self.html.extend(std::iter::repeat_n("  ", self.depth.min(DEEPEST)));
    }

    fn span(&mut self, class: &str, token: &str) {
        let shown = if class == "s" { masked(token) } else { text::line(token, LONGEST_TEXT) };
        self.html.push_str("<span class=\"");
        self.html.push_str(class);
        self.html.push_str("\">");
        escape(&shown, &mut self.html);
        self.html.push_str("</span>");
    }
}

/// The same variables look secret here that do elsewhere on the page.
fn masked(token: &str) -> String {
    let inner = token.trim_matches('"');
    let shown = text::line(token, LONGEST_TEXT);
    if inner.contains(['=', ' ']) || inner.contains("://") { secrets::masked(&shown) } else { shown }
}

/// How many bytes the first token has.
fn length(json: &str) -> usize {
    let bytes = json.as_bytes();
    let end = match bytes.first() {
        Some(b'"') => {
            let mut at = 1;
            loop {
                match bytes.get(at) {
                    Some(b'\\') => at += 2,
                    Some(b'"') | None => break at + 1,
                    Some(_) => at += 1,
                }
            }
        }
        Some(b'{' | b'}' | b'[' | b']' | b',' | b':') => 1,
        _ => bytes.iter().position(|b| b" \t\r\n{}[],:\"".contains(b)).unwrap_or(bytes.len()).max(1),
    };
    // What is well formed ends at the end of a character; anything else would be shown whole.
    if json.is_char_boundary(end.min(json.len())) { end.min(json.len()) } else { json.len() }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, coloured};

    fn shown(json: &str) -> String {
        coloured(json.as_bytes()).unwrap().html
    }

    #[test]
    fn a_document_is_laid_out_and_coloured() {
        assert_eq!(
            shown(r#" {"a":[1,-2.5e3,true,null],"b":{},"c":[ ],"d":"x\"y"} "#),
            "{\n  <span class=\"k\">&quot;a&quot;</span>: [\n    <span class=\"n\">1</span>,\n    \
             <span class=\"n\">-2.5e3</span>,\n    <span class=\"b\">true</span>,\n    <span class=\"b\">null</span>\n  ],\n  \
             <span class=\"k\">&quot;b&quot;</span>: {},\n  <span class=\"k\">&quot;c&quot;</span>: [],\n  \
             <span class=\"k\">&quot;d&quot;</span>: <span class=\"s\">&quot;x\\&quot;y&quot;</span>\n}"
        );
    }

    #[test]
    fn nothing_of_it_becomes_markup_and_secrets_are_masked() {
        let html = shown(
            r#"{"</code><script>alert(1)</script>":"<img src=x onerror='a'> & \u0000","e":["A_TOKEN=s3cr3tvalue"]}"#,
        );
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("onerror='"), "{html}");
        assert!(!html.contains("s3cr3tvalue") && html.contains("A_TOKEN=•"), "{html}");
        assert!(!shown("\"a\u{202e}b\"").contains('\u{202e}'));
    }

    #[test]
    fn what_is_long_or_deep_has_its_bounds_and_what_is_no_json_is_not_shown() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let found = coloured(deep.as_bytes()).unwrap();
        assert!(found.cut && found.html.len() < 1_100_000, "{}", found.html.len());
        assert!(coloured(&vec![b' '; LONGEST + 1]).is_none());
        assert!(shown(&format!("\"{}\"", "a".repeat(200_000))).len() < 5_000);
        for other in ["", "{", "{\"a\"", "plain", "[1,]", "\"a", "{}x"] {
            assert_eq!(coloured(other.as_bytes()), None, "{other}");
        }
        assert_eq!(coloured(&[0xff, 0xfe]), None);
    }
}
