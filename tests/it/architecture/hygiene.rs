//! What no file of the program may hold.

use super::source::{File, Kind, Token, Tree};
use super::{Breach, assert_breaches, assert_workspace_keeps};

const MAX_LINES: usize = 600;
const MAX_TEST_LINES: usize = 1_000;

/// The module that may hold `unsafe`: the system calls behind sendfile.
const UNSAFE: &str = "src/http/sendfile";

fn file_lengths(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in &tree.files {
        let limit = if file.is_test_file() { MAX_TEST_LINES } else { MAX_LINES };
        let lines = file.text.lines().count();
        if lines > limit {
            breaches.push(Breach::new(&file.path, limit + 1, format!("{lines} lines, over {limit}")));
        }
    }
    breaches
}

#[test]
fn files_hold_one_idea() {
    assert_workspace_keeps("a file has at most 600 lines, one of tests at most 1,000", file_lengths);
}

#[test]
fn a_long_file_is_seen() {
    let [most, more, tests, more_tests] = [600, 601, 1_000, 1_001].map(|n| "\n".repeat(n));
    assert_breaches(
        file_lengths,
        &[("src/a.rs", &most), ("src/b.rs", &more), ("src/c/tests.rs", &tests), ("tests/it/d.rs", &more_tests)],
        &["src/b.rs:601", "tests/it/d.rs:1001"],
    );
}

fn attributes(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in &tree.files {
        for at in 0..file.tokens.len() {
            if file.tokens[at].is_word("allow") && is_in_attribute(&file.tokens[..at]) {
                breaches.push(Breach::new(&file.path, file.tokens[at].line, "allow attribute"));
            }
        }
    }
    breaches
}

/// Whether what stands before is `#[`, `#![` or `#[cfg_attr(…,`.
fn is_in_attribute(before: &[Token]) -> bool {
    let Some(open) = before.iter().rposition(|token| token.is_mark("[")) else {
        return false;
    };
    let inside = &before[open + 1..];
    let hash = before[..open].iter().rev().find(|token| !token.is_mark("!"));
    let conditional =
        inside.first().is_some_and(|token| token.is_word("cfg_attr")) && !inside.iter().any(|token| token.is_mark("]"));
    hash.is_some_and(|token| token.is_mark("#")) && (inside.is_empty() || conditional)
}

#[test]
fn exceptions_are_expected_with_a_reason() {
    assert_workspace_keeps("`#[expect(lint, reason = \"…\")]`, never `#[allow]`", attributes);
}

#[test]
fn an_allow_attribute_is_seen() {
    assert_breaches(
        attributes,
        &[(
            "src/a.rs",
            "#![allow(x)]\n#[allow(y)]\n#[cfg_attr(unix, allow(z))]\n#[expect(a)]\nfn f() { allow(b[0]); c([1], allow(d)) }",
        )],
        &["src/a.rs:1", "src/a.rs:2", "src/a.rs:3"],
    );
}

fn unwraps(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in tree.sources() {
        let program: Vec<&Token> = file.program().collect();
        for window in program.windows(2) {
            let [mark, word] = window else { continue };
            if (mark.is_mark(".") || mark.is_mark("::")) && word.is_word("unwrap") {
                breaches.push(Breach::new(&file.path, word.line, "unwrap"));
            }
        }
    }
    breaches
}

#[test]
fn the_program_does_not_unwrap() {
    assert_workspace_keeps("no unwrap outside tests: a request must not be able to panic", unwraps);
}

#[test]
fn an_unwrap_is_seen() {
    assert_breaches(
        unwraps,
        &[
            (
                "src/a.rs",
                "x.unwrap();\nx.unwrap_or(1);\nx.map(Option::unwrap);\n#[cfg(test)] mod t { fn f() { x.unwrap(); } }",
            ),
            ("src/b/tests.rs", "x.unwrap();"),
            ("tests/it/a.rs", "x.unwrap();"),
        ],
        &["src/a.rs:1", "src/a.rs:3"],
    );
}

/// Calls of the macros in `names` among `tokens`.
fn macros<'a>(file: &File, tokens: impl Iterator<Item = &'a Token>, names: &[&str]) -> Vec<Breach> {
    let tokens: Vec<&Token> = tokens.collect();
    let calls = tokens.windows(2).filter(|window| {
        window[0].kind == Kind::Word && names.contains(&window[0].text.as_str()) && window[1].is_mark("!")
    });
    calls.map(|call| Breach::new(&file.path, call[0].line, format!("{}!", call[0].text))).collect()
}

fn leftovers(tree: &Tree) -> Vec<Breach> {
    let names = ["todo", "unimplemented", "dbg"];
    tree.files.iter().flat_map(|file| macros(file, file.tokens.iter(), &names)).collect()
}

#[test]
fn nothing_is_left_half_done() {
    assert_workspace_keeps("no todo!, unimplemented! or dbg! anywhere", leftovers);
}

#[test]
fn a_leftover_is_seen() {
    assert_breaches(
        leftovers,
        &[("src/a.rs", "todo!();\nlet todo = 1;\ndbg!(x);"), ("tests/it/a.rs", "unimplemented!()")],
        &["src/a.rs:1", "src/a.rs:3", "tests/it/a.rs:1"],
    );
}

fn prints(tree: &Tree) -> Vec<Breach> {
    let names = ["print", "println", "eprint", "eprintln"];
    let silent = |file: &&File| !matches!(file.top_module(), Some("cli" | "telemetry"));
    tree.sources().filter(silent).flat_map(|file| macros(file, file.program(), &names)).collect()
}

#[test]
fn only_the_command_line_prints() {
    assert_workspace_keeps("only cli/ and telemetry/ print; the rest logs through tracing", prints);
}

#[test]
fn a_print_is_seen() {
    assert_breaches(
        prints,
        &[
            ("src/registry/a.rs", "println!(\"x\");\n#[cfg(test)]\nfn t() { println!(\"x\"); }"),
            ("crates/oci/src/lib.rs", "eprintln!(\"x\");"),
            ("src/cli/mod.rs", "println!(\"x\");"),
        ],
        &["crates/oci/src/lib.rs:1", "src/registry/a.rs:1"],
    );
}

fn unsafe_code(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in &tree.files {
        let rest = file.path.strip_prefix(UNSAFE);
        if rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/')) {
            continue;
        }
        for token in file.tokens.iter().filter(|token| token.is_word("unsafe")) {
            breaches.push(Breach::new(&file.path, token.line, "unsafe"));
        }
    }
    breaches
}

#[test]
fn only_sendfile_is_unsafe() {
    assert_workspace_keeps("`unsafe` stands in src/http/sendfile only", unsafe_code);
}

#[test]
fn unsafe_code_is_seen() {
    assert_breaches(
        unsafe_code,
        &[
            ("src/http/sendfile/map.rs", "unsafe { f() }"),
            ("src/http/sendfile.rs", "unsafe { f() }"),
            ("src/http/sendfile_more.rs", "#![expect(unsafe_code)]\nunsafe { f() }"),
            ("tests/it/a.rs", "unsafe fn f() {} // unsafe"),
        ],
        &["src/http/sendfile_more.rs:2", "tests/it/a.rs:1"],
    );
}

fn module_docs(tree: &Tree) -> Vec<Breach> {
    let program = tree.sources().filter(|file| !file.is_test_file());
    let silent = program.filter(|file| {
        let first = file.text.lines().find(|line| !line.trim().is_empty());
        first.is_none_or(|line| line.trim_start_matches("//!").trim().len() + 3 >= line.len())
    });
    silent.map(|file| Breach::new(&file.path, 1, "no `//!`")).collect()
}

#[test]
fn every_file_says_what_it_is_for() {
    assert_workspace_keeps("every file of the program, its tests aside, begins with a `//!` line", module_docs);
}

#[test]
fn a_file_without_a_word_is_seen() {
    assert_breaches(
        module_docs,
        &[
            ("src/a.rs", "\n//! Digests.\nuse x;"),
            ("src/b.rs", "use x;\n//! Late."),
            ("src/c.rs", "/// An item.\nfn f() {}"),
            ("src/d.rs", "//!\nuse x;"),
            ("src/e.rs", ""),
            ("src/e/tests.rs", "use x;"),
        ],
        &["src/b.rs:1", "src/c.rs:1", "src/d.rs:1", "src/e.rs:1"],
    );
}
