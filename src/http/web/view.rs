//! What every page knows: who looks at it, in which language and colours, and how its figures are written.

use std::collections::HashMap;

use super::{assets, figures, words};
use crate::registry::accounts::Language;

/// A whole number of any kind, as templates hand them over: by value or by reference.
pub(super) trait Number {
    /// The number; what is too large is the largest.
    fn number(self) -> i64;
}

macro_rules! numbers {
    ($($kind:ty),+) => {
        $(impl Number for $kind {
            fn number(self) -> i64 {
                i64::try_from(self).unwrap_or(i64::MAX)
            }
        })+
    };
}

numbers!(i64, u64, usize, u32, i32, u16);

impl<N: Number + Copy> Number for &N {
    fn number(self) -> i64 {
        (*self).number()
    }
}

/// Who looks at a page.
#[derive(Debug, Clone)]
pub(super) struct Viewer {
    /// The user's name.
    pub name: String,
    /// Whether the user administers the instance.
    pub admin: bool,
}

/// A line above a page that says what was done.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    /// `success`, `info`, `warning` or `danger`.
    pub kind: &'static str,
    /// The text, in the reader's language.
    pub text: String,
}

/// What every page knows.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// `en` or `fr`.
    pub lang: &'static str,
    /// The same, as the rules know it.
    pub language: Language,
    /// `auto`, `light` or `dark`.
    pub theme: &'static str,
    /// What scripts and styles of this answer carry, so that no others run.
    pub nonce: String,
    /// What the registry is called in names of images.
    pub host: String,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// What forms send along; empty for who is not signed in.
    pub csrf: String,
    /// Who is signed in.
    pub user: Option<Viewer>,
    /// The path and query of this page.
    pub path: String,
    /// Whether the server has no accounts.
    pub open: bool,
    /// What the operator tells everybody.
    pub banner: Option<String>,
    /// What was done.
    pub notice: Option<Notice>,
    /// Whether people may sign up by themselves.
    pub sign_up: bool,
    /// Now, in microseconds since 1970.
    pub now: i64,
}

impl View {
    /// A text.
    pub fn t(&self, key: &str) -> String {
        words::text(self.language, key, None)
    }

    /// A text with one variable.
    pub fn ta(&self, key: &str, name: &'static str, value: &str) -> String {
        self.tx(key, &[(name, value)])
    }

    /// A text with variables.
    pub fn tx(&self, key: &str, arguments: &[(&'static str, &str)]) -> String {
        let arguments = arguments.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        words::text(self.language, key, Some(&arguments))
    }

    /// A text with variables that are HTML, such as links. What the text itself says is escaped.
    pub fn th(&self, key: &str, arguments: &[(&'static str, Html)]) -> Html {
        self.find_html(key, arguments).unwrap_or_else(|| Html(escape(key)))
    }

    /// The same for a key that may not be there.
    pub fn find_html(&self, key: &str, arguments: &[(&'static str, Html)]) -> Option<Html> {
        // Each variable is put in as a character that no text has, and replaced once the text is escaped.
        let marks = ('\u{e000}'..'\u{e100}').map(String::from);
        let marked: Vec<(&'static str, String, &Html)> =
            arguments.iter().zip(marks).map(|((name, html), mark)| (*name, mark, html)).collect();
        let values = marked.iter().map(|(name, mark, _)| ((*name).into(), mark.as_str().into())).collect();
        let mut text = escape(&words::find(self.language, key, Some(&values))?);
        for (_, mark, html) in &marked {
            text = text.replace(mark, &html.0);
        }
        Some(Html(text))
    }

    /// A text with a count: `$n` decides its form, `$count` is shown.
    pub fn tn(&self, key: &str, n: impl Number) -> String {
        let n = n.number();
        let arguments = HashMap::from([("n".into(), n.into()), ("count".into(), self.number(n).into())]);
        words::text(self.language, key, Some(&arguments))
    }

    /// A whole number.
    pub fn number(&self, n: impl Number) -> String {
        figures::number(self.language, n.number())
    }

    /// A size, rounded.
    pub fn size(&self, bytes: impl Number) -> String {
        figures::size(self.language, bytes.number())
    }

    /// A size to the byte.
    pub fn bytes(&self, bytes: impl Number) -> String {
        self.tn("bytes", bytes)
    }

    /// How long ago, or in what time.
    pub fn ago(&self, at: impl Number) -> String {
        figures::ago(self.language, at.number(), self.now)
    }

    /// The exact moment.
    pub fn moment(&self, at: impl Number) -> String {
        figures::moment(self.language, at.number())
    }

    /// The day.
    pub fn day(&self, at: impl Number) -> String {
        figures::day(self.language, at.number())
    }

    /// The moment for machines.
    pub fn iso(&self, at: impl Number) -> String {
        figures::iso(at.number())
    }

    /// The URL of an asset.
    #[expect(clippy::unused_self, reason = "templates know nothing but the view")]
    pub fn asset(&self, name: &str) -> String {
        assets::url(name)
    }

    /// The version of the registry.
    #[expect(clippy::unused_self, reason = "templates know nothing but the view")]
    pub fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Whether this user is the one who looks.
    pub fn is(&self, name: &str) -> bool {
        self.user.as_ref().is_some_and(|user| user.name == name)
    }

    /// Whether somebody who administers the instance looks.
    pub fn admin(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.admin)
    }

    /// A number as a width or a place in a drawing, in percent.
    #[expect(clippy::unused_self, reason = "templates know nothing but the view")]
    pub fn percent(&self, part: impl Number, whole: impl Number) -> String {
        let (part, whole) = (part.number() as f64, whole.number() as f64);
        let share = if whole > 0.0 { (part * 100.0 / whole).clamp(0.0, 100.0) } else { 0.0 };
        format!("{share:.2}")
    }
}

/// A piece of HTML that was made here, of escaped text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    /// A name or another text that a stranger may have chosen: apart from what stands around it, and not too long.
    pub fn name(text: &str) -> Self {
        Self(format!("<bdi>{}</bdi>", escape(&cut(text))))
    }

    /// The same as a link to a page of ours.
    pub fn link(href: &str, text: &str) -> Self {
        Self(format!("<a href=\"{}\"><bdi>{}</bdi></a>", escape(href), escape(&cut(text))))
    }

    /// A text as it is typed.
    pub fn code(text: &str) -> Self {
        Self(format!("<code translate=\"no\">{}</code>", escape(&cut(text))))
    }
}

impl std::fmt::Display for Html {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Html {}

/// Longest name that is shown whole, in characters: that of a repository.
const LONGEST_NAME: usize = 255;

fn cut(text: &str) -> String {
    // Private characters stand for variables.
    let mut kept: String =
        text.chars().filter(|c| !('\u{e000}'..='\u{f8ff}').contains(c)).take(LONGEST_NAME + 1).collect();
    if kept.chars().count() > LONGEST_NAME {
        kept.pop();
        kept.push('…');
    }
    kept
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Html;

    #[test]
    fn what_strangers_chose_is_shown_harmless_and_not_too_long() {
        assert_eq!(Html::name("<b>\"x\"").to_string(), "<bdi>&lt;b&gt;&quot;x&quot;</bdi>");
        assert_eq!(
            Html::link("/a?b=1&c='", "a\u{e001}b").to_string(),
            "<a href=\"/a?b=1&amp;c=&#39;\"><bdi>ab</bdi></a>"
        );
        assert_eq!(Html::code(&"é".repeat(300)).to_string().chars().filter(|c| *c == 'é').count(), 255);
    }
}
