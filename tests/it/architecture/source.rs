//! Rust files cut into tokens: just enough to tell code from comments, from text and from tests.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or a keyword.
    Word,
    /// The content of a string literal, without its quotes and with its escapes untouched.
    Text,
    /// `::`, or any other single character.
    Mark,
}

/// A token of a Rust file; comments and character literals leave none.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    /// Counted from 1: where the token begins.
    pub(super) line: usize,
    /// Whether it is compiled for tests only.
    pub(super) test: bool,
}

impl Token {
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }
}

/// A Rust file of the workspace.
#[derive(Debug)]
pub(super) struct File {
    /// Path from the root of the workspace, with `/` between its parts.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
}

impl File {
    /// The tokens that are part of the program, not of its tests.
    pub(super) fn program(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter().filter(|token| !token.test)
    }

    /// Whether the file is one of tests by its name or by its place.
    pub(super) fn is_test_file(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.starts_with("tests/") || self.path.contains("/tests/")
    }

    /// The module below the crate's root that the file belongs to; `None` for the roots.
    pub(super) fn top_module(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("src/")?;
        let name = rest.split('/').next().unwrap_or(rest);
        let name = name.strip_suffix(".rs").unwrap_or(name);
        (!matches!(name, "main" | "lib")).then_some(name)
    }

    /// The folder that holds the files of the modules declared here.
    fn children(&self) -> String {
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        match name {
            "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
            _ => self.path.trim_end_matches(".rs").to_owned(),
        }
    }
}

/// Every Rust file of the program and of its tests.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
}

impl Tree {
    /// The workspace this test was compiled from, read once.
    pub(super) fn workspace() -> &'static Self {
        static TREE: OnceLock<Tree> = OnceLock::new();
        TREE.get_or_init(|| {
            let mut files = Vec::new();
            for folder in ["src", "crates", "tests"] {
                read_folder(folder, &mut files);
            }
            for needed in ["src/lib.rs", "src/main.rs", "crates/oci/src/lib.rs"] {
                assert!(files.iter().any(|(path, _)| path == needed), "{needed} was not read");
            }
            let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
            Tree::of(&files)
        })
    }

    /// A tree of `files`, each a path and its text.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|&(path, text)| File {
            path: path.to_owned(),
            text: text.to_owned(),
            tokens: tokens(text),
        });
        let mut tree = Self { files: files.collect() };
        tree.mark_tests();
        tree
    }

    /// The files of the program: `src/` and `crates/*/src/`.
    pub(super) fn sources(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| {
            file.path.starts_with("src/") || (file.path.starts_with("crates/") && file.path.contains("/src/"))
        })
    }

    /// Extends the marks that [`tokens`] set to the files of modules declared under `cfg(test)`.
    fn mark_tests(&mut self) {
        let mut modules = HashSet::new();
        for file in &self.files {
            for window in file.tokens.windows(3) {
                if window[0].test && window[0].is_word("mod") && window[2].is_mark(";") {
                    modules.insert(format!("{}/{}", file.children(), window[1].text));
                }
            }
        }
        for file in &mut self.files {
            let below = |module: &String| {
                file.path.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            if file.is_test_file() || modules.iter().any(below) {
                file.tokens.iter_mut().for_each(|token| token.test = true);
            }
        }
    }
}

/// Path of the workspace's root.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Adds the Rust files below `folder` with their texts, in the order of their paths.
fn read_folder(folder: &str, files: &mut Vec<(String, String)>) {
    for name in names_in(folder) {
        let path = format!("{folder}/{name}");
        let full = root().join(&path);
        if full.is_dir() {
            if name != "target" {
                read_folder(&path, files);
            }
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&full).unwrap_or_else(|e| panic!("{path}: {e}"));
            files.push((path, text));
        }
    }
}

/// The names in a folder of the workspace, sorted.
pub(super) fn names_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap_or_else(|e| panic!("{folder}: {e}")))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Cuts Rust text into tokens and marks those under a `#[cfg(test)]`.
fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text, line: 1, tokens: Vec::new() };
    while lexer.step() {}
    let mut tokens = lexer.tokens;
    mark_test_items(&mut tokens);
    tokens
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    /// Takes one token, comment or gap; `false` at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(comment_length(self.rest));
        } else if let Some((quote, hashes)) = raw_string_start(self.rest) {
            self.raw_string(quote, hashes);
        } else if first == '"' {
            self.string();
        } else if first == '\'' {
            self.skip(character_length(self.rest));
        } else if is_word(first) {
            let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
            self.token(Kind::Word, end);
        } else if self.rest.starts_with("::") {
            self.token(Kind::Mark, 2);
        } else if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else {
            self.token(Kind::Mark, first.len_utf8());
        }
        true
    }

    fn skip(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at(length);
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }

    fn token(&mut self, kind: Kind, length: usize) {
        let text = self.rest[..length].to_owned();
        self.tokens.push(Token { kind, text, line: self.line, test: false });
        self.skip(length);
    }

    fn string(&mut self) {
        self.skip(1);
        let mut escaped = false;
        let end = self.rest.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        self.token(Kind::Text, end.unwrap_or(self.rest.len()));
        self.skip(usize::from(end.is_some()));
    }

    fn raw_string(&mut self, quote: usize, hashes: usize) {
        self.skip(quote + 1);
        let close = format!("\"{}", "#".repeat(hashes));
        let end = self.rest.find(&close);
        self.token(Kind::Text, end.unwrap_or(self.rest.len()));
        self.skip(end.map_or(0, |_| close.len()));
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Length of the block comment that `text` begins with; they nest.
fn comment_length(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Where the quote of a raw string stands and its number of hashes, if `text` begins with one.
fn raw_string_start(text: &str) -> Option<(usize, usize)> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        let rest = text.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    })?;
    let hashes = text[prefix.len()..].find('"')?;
    Some((prefix.len() + hashes, hashes))
}

/// Length of a character literal, or of the mark alone when a lifetime follows.
fn character_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        // The escaped character may be the quote itself: the closing one comes after it.
        (Some((_, '\\')), Some((at, escaped))) => {
            let from = at + escaped.len_utf8();
            text[from..].find('\'').map_or(text.len(), |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

/// Marks every item that stands under an attribute such as `#[cfg(test)]`.
fn mark_test_items(tokens: &mut [Token]) {
    let mut at = 0;
    while at < tokens.len() {
        let end = attribute_end(tokens, at);
        if end > at && is_test_attribute(&tokens[at..end]) {
            let close = item_end(tokens, end);
            tokens[at..close].iter_mut().for_each(|token| token.test = true);
            at = close;
        } else {
            at = end.max(at + 1);
        }
    }
}

/// Past the attribute that begins at `at`; `at` itself when none does.
fn attribute_end(tokens: &[Token], at: usize) -> usize {
    let opens = |i: usize, mark: &str| tokens.get(i).is_some_and(|token| token.is_mark(mark));
    if !(opens(at, "#") && opens(at + 1, "[")) {
        return at;
    }
    balanced_end(tokens, at + 1)
}

/// Past the bracket that closes the one at `at`.
fn balanced_end(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        match bracket(token) {
            1 => depth += 1,
            -1 if depth <= 1 => return i + 1,
            -1 => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Past the item that begins at `at`: its `;`, its `{…}`, or the end of what encloses it.
fn item_end(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        let token = &tokens[at];
        if token.is_mark("{") {
            return balanced_end(tokens, at);
        }
        match bracket(token) {
            1 => at = balanced_end(tokens, at),
            -1 => return at,
            _ if token.is_mark(";") => return at + 1,
            _ => at += 1,
        }
    }
    tokens.len()
}

fn bracket(token: &Token) -> i8 {
    match (token.kind, token.text.as_str()) {
        (Kind::Mark, "(" | "[" | "{") => 1,
        (Kind::Mark, ")" | "]" | "}") => -1,
        _ => 0,
    }
}

/// `cfg(test)`, `cfg(any(test, …))`, `cfg(all(test, …))` and `test`, but not `cfg(not(test))`.
fn is_test_attribute(attribute: &[Token]) -> bool {
    let has = |word: &str| attribute.iter().any(|token| token.is_word(word));
    let is_cfg = attribute.get(2).is_some_and(|token| token.is_word("cfg"));
    let is_test = attribute.iter().rev().nth(1).is_some_and(|token| token.is_word("test"));
    is_test || (is_cfg && has("test") && !has("not"))
}

#[test]
fn comments_and_texts_are_not_code() {
    let text = "//! hidden\n/* a /* b */ */ let x = \"say \\\" hyper\"; // hyper\nlet y = r#\"a\"b\"#;";
    let found: Vec<(String, usize)> = tokens(text).into_iter().map(|token| (token.text, token.line)).collect();
    let expected = [
        ("let", 2),
        ("x", 2),
        ("=", 2),
        ("say \\\" hyper", 2),
        (";", 2),
        ("let", 3),
        ("y", 3),
        ("=", 3),
        ("a\"b", 3),
        (";", 3),
    ];
    assert_eq!(found, expected.map(|(text, line)| (text.to_owned(), line)));
}

#[test]
fn quotes_in_characters_open_no_text() {
    let words = |text: &str| tokens(text).into_iter().map(|t| t.text).collect::<Vec<_>>();
    assert_eq!(words("('\"', '\\'', '\\\\', 'é')"), ["(", ",", ",", ",", ")"]);
    assert_eq!(words("fn f<'a>(x: &'a str)").join(" "), "fn f < a > ( x : & a str )");
}

#[test]
fn test_items_are_told_from_the_program() {
    let tree = Tree::of(&[
        ("src/a.rs", "fn live() {}\n#[cfg(test)]\nmod inner { fn hidden(x: [u8; 2]) {} }\nfn after() {}"),
        ("src/b/mod.rs", "#[cfg(test)]\n#[path = \"x\"]\nmod faulty;\n#[cfg(not(test))]\nmod real;"),
        ("src/b/faulty.rs", "fn hidden() {}"),
        ("src/b/real.rs", "fn live() {}"),
        ("src/b/tests.rs", "fn hidden() {}"),
    ]);
    let live = tree.files.iter().flat_map(File::program);
    let live: Vec<&str> = live.filter(|t| t.kind == Kind::Word).map(|t| t.text.as_str()).collect();
    assert_eq!(live.join(" "), "fn live fn after cfg not test mod real fn live");
}
