//! The paths that a file names: `a::b` in expressions, and every leaf of a `use` tree.

use super::source::{File, Kind, Token};

/// A path as it is written, and where.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    pub(super) test: bool,
}

impl Named {
    /// Whether the path goes through the crate (or the local name) `root`.
    pub(super) fn begins_with(&self, root: &[&str]) -> bool {
        self.segments.len() >= root.len() && self.segments.iter().zip(root).all(|(segment, word)| segment == word)
    }
}

/// Every path that `file` names. A lone word counts only in a `use`.
pub(super) fn named(file: &File) -> Vec<Named> {
    let tokens = &file.tokens;
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].is_word("use") {
            at = use_tree(tokens, at + 1, &[], &mut found);
        } else if tokens[at].kind == Kind::Word && !continues(tokens, at) {
            let (segments, end) = segments(tokens, at);
            if segments.len() > 1 {
                found.push(Named { segments, line: tokens[at].line, test: tokens[at].test });
            }
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

/// The module below the crate's root that `named` leads to from `file`, if it stays in the crate.
pub(super) fn target(file: &File, named: &Named) -> Option<String> {
    let mut here = module_path(file);
    let mut segments = named.segments.iter().map(String::as_str).peekable();
    match segments.peek() {
        Some(&"crate") => {
            segments.next();
            here.clear();
        }
        Some(&"super") => {
            while segments.next_if_eq(&"super").is_some() {
                here.pop();
            }
        }
        _ => return None,
    }
    here.extend(segments.map(str::to_owned));
    here.into_iter().next()
}

fn module_path(file: &File) -> Vec<String> {
    let path = file.path.strip_prefix("src/").unwrap_or(&file.path);
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// Whether the word at `at` follows `something::`, so that its path began earlier.
fn continues(tokens: &[Token], at: usize) -> bool {
    let follows_mark = at >= 1 && tokens[at - 1].is_mark("::");
    follows_mark && at >= 2 && (tokens[at - 2].kind == Kind::Word || tokens[at - 2].is_mark(">"))
}

/// The words joined by `::` from `at` on, and where they end.
fn segments(tokens: &[Token], at: usize) -> (Vec<String>, usize) {
    let mut segments = vec![tokens[at].text.clone()];
    let mut end = at + 1;
    while let [mark, word, ..] = &tokens[end..]
        && mark.is_mark("::")
        && word.kind == Kind::Word
    {
        segments.push(word.text.clone());
        end += 2;
    }
    (segments, end)
}

/// Adds every leaf of the `use` tree at `at` under `prefix`; answers where the tree ends.
fn use_tree(tokens: &[Token], at: usize, prefix: &[String], found: &mut Vec<Named>) -> usize {
    let mut path = prefix.to_vec();
    let mut at = at;
    let line = tokens.get(at).map_or(0, |token| token.line);
    let test = tokens.get(at).is_some_and(|token| token.test);
    while let Some(token) = tokens.get(at) {
        if token.is_mark("{") {
            return use_group(tokens, at + 1, &path, found);
        } else if token.is_word("as") {
            // The new name is no part of the path.
            at += 2;
        } else if token.kind == Kind::Word {
            path.push(token.text.clone());
            at += 1;
        } else if token.is_mark("::") || token.is_mark("*") {
            at += 1;
        } else {
            break;
        }
    }
    if path.len() > prefix.len() || tokens.get(at).is_some_and(|token| token.is_mark(";")) {
        found.push(Named { segments: path, line, test });
    }
    at
}

/// Reads `a, b::c}` and answers where it ends.
fn use_group(tokens: &[Token], at: usize, prefix: &[String], found: &mut Vec<Named>) -> usize {
    let mut at = at;
    while let Some(token) = tokens.get(at) {
        if token.is_mark("}") {
            return at + 1;
        }
        let end = if token.is_mark(",") { at } else { use_tree(tokens, at, prefix, found) };
        at = end.max(at + usize::from(end == at));
    }
    at
}

#[test]
fn use_trees_are_spread_out() {
    use super::source::Tree;

    let text = "use crate::{db::{self, tags}, http::X as Y};\nuse ::hyper::*;\nuse http;\nlet a = super::super::db::open(b::<c::D>());";
    let tree = Tree::of(&[("src/registry/push/mod.rs", text)]);
    let file = &tree.files[0];
    let found: Vec<String> = named(file)
        .iter()
        .map(|n| format!("{} {} {}", n.line, n.segments.join("::"), target(file, n).unwrap_or_default()))
        .collect();
    let expected = [
        "1 crate::db::self db",
        "1 crate::db::tags db",
        "1 crate::http::X http",
        "2 hyper ",
        "3 http ",
        "4 super::super::db::open db",
        "4 c::D ",
    ];
    assert_eq!(found, expected);
}
