//! Markdown of strangers as HTML that does nothing: no markup of theirs, no image from elsewhere, no link without a scheme.
//!
//! Raw HTML is left out by the parser, what is left is sanitised once more, and what is nested without end is cut, for both
//! would take time that grows faster than the text.

use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use comrak::arena_tree::NodeEdge;
use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Node, Options, format_html, parse_document};

use crate::registry::tags::image::cut;

/// Longest text that is rendered, in bytes.
const MAX: usize = 256 * 1024;
/// How deep quotes, lists and emphasis may nest.
const DEPTH: usize = 40;

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options
});

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let tags = [
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "strong",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ];
    let mut builder = Builder::default();
    builder
        .tags(HashSet::from(tags))
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"));
    builder
});

/// Renders a text; headings begin at the second level, since the page has the first.
pub(super) fn render(text: &str) -> String {
    let arena = Arena::new();
    let root = parse_document(&arena, cut(text, MAX), &OPTIONS);
    prune(root);
    let nodes: Vec<Node<'_>> = root.descendants().collect();
    for node in nodes {
        let value = node.data().value.clone();
        match value {
            NodeValue::Heading(mut heading) => {
                heading.level = (heading.level + 1).min(6);
                node.data_mut().value = NodeValue::Heading(heading);
            }
            NodeValue::Image(image) if is_in_link(node) => {
                // A badge: its words stay, as words of the link that it stands in.
                if node.first_child().is_none() {
                    node.append(arena.alloc(AstNode::from(NodeValue::Text(image.url.into()))));
                }
                for child in node.children().collect::<Vec<_>>() {
                    node.insert_before(child);
                }
                node.detach();
            }
            NodeValue::Image(image) => {
                if node.first_child().is_none() {
                    node.append(arena.alloc(AstNode::from(NodeValue::Text(image.url.clone().into()))));
                }
                node.data_mut().value = NodeValue::Link(image);
            }
            _ => {}
        }
    }
    let mut html = String::new();
    if format_html(root, &OPTIONS, &mut html).is_err() {
        return String::new();
    }
    SANITISER.clean(&html).to_string()
}

fn is_in_link(node: Node<'_>) -> bool {
    node.ancestors().skip(1).any(|above| matches!(above.data().value, NodeValue::Link(_)))
}

/// Takes away what is nested too deep.
fn prune(root: Node<'_>) {
    let mut depth = 0_usize;
    let mut too_deep = Vec::new();
    for edge in root.traverse() {
        match edge {
            NodeEdge::Start(node) => {
                depth += 1;
                if depth == DEPTH {
                    too_deep.push(node);
                }
            }
            NodeEdge::End(_) => depth = depth.saturating_sub(1),
        }
    }
    for node in too_deep {
        node.detach();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::render;

    #[test]
    fn a_text_becomes_what_it_says() {
        let html = render(
            "# Title\n\nSome *text*, `code` and a [link](https://example.org/a?b=1&c).\n\n|a|b|\n|-|-|\n|1|2|\n",
        );
        assert!(html.contains("<h2>Title</h2>") && html.contains("<em>text</em>"), "{html}");
        assert!(
            html.contains("href=\"https://example.org/a?b=1&amp;c\" rel=\"noopener noreferrer nofollow\""),
            "{html}"
        );
        assert!(html.contains("<table>") && html.contains("<code>code</code>"), "{html}");
        assert!(render("###### six").contains("<h6>"));
    }

    #[test]
    fn what_could_do_anything_is_gone() {
        for text in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<a href=\"javascript:alert(1)\">x</a>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt&colon;alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](vbscript:x)",
            "<javascript:alert(1)>",
            "![x](https://evil.example/pixel.png)",
            "![](https://evil.example/\" onerror=\"alert(1))",
            "<style>*{display:none}</style>",
            "<svg onload=alert(1)>",
            "<iframe src=//evil.example></iframe>",
            "```\"><script>alert(1)</script>\nx\n```",
            "[x](//evil.example/)",
            "[x](/-/sign-out)",
            "[x](docs/a.md \"t\\\" onclick=alert(1)\")",
            "<!-- --!> <img src=x>",
        ] {
            let html = render(text).to_lowercase();
            for bad in [
                "<script",
                "<img",
                "<svg",
                "<iframe",
                "<style",
                "javascript:",
                "vbscript:",
                "data:",
                "href=\"/",
                "href=\"docs",
            ] {
                assert!(!html.contains(bad), "{text}: {html}");
            }
            for attribute in ["onerror=", "onclick=", "onload="] {
                let inside = html.split('<').skip(1).filter_map(|part| part.split('>').next());
                assert!(!inside.into_iter().any(|tag| tag.contains(attribute)), "{text}: {html}");
            }
        }
    }

    #[test]
    fn an_image_from_elsewhere_is_a_link_to_it() {
        let html = render(
            "![Logo](https://example.org/logo.png) [![Build](https://example.org/b.svg)](https://ci.example.org)",
        );
        assert!(html.contains("href=\"https://example.org/logo.png\"") && html.contains(">Logo</a>"), "{html}");
        assert!(html.contains("href=\"https://ci.example.org\"") && html.contains(">Build</a>"), "{html}");
        assert!(!html.contains("b.svg"), "{html}");
    }

    #[test]
    fn no_text_takes_long() {
        let long = 300 * 1024;
        for text in [
            ">".repeat(long),
            "> ".repeat(long / 2),
            "- ".repeat(long / 2),
            "[".repeat(long),
            "*a ".repeat(long / 3),
            "`".repeat(long),
            "![".repeat(long / 2),
            "<".repeat(long),
            "a".repeat(long),
            format!("{}a{}", "*".repeat(long / 2), "*".repeat(long / 2)),
            "|".repeat(long),
            "é".repeat(long / 2),
            "\u{202e}a\n\n".repeat(long / 6),
        ] {
            let began = Instant::now();
            let html = render(&text);
            assert!(began.elapsed() < Duration::from_secs(5), "{:.20} took {:?}", text, began.elapsed());
            assert!(html.len() < 4 * 1024 * 1024);
        }
    }
}
