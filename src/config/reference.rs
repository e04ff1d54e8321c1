//! The reference of all options, as Markdown.

use std::fmt::Write as _;

use super::{ConfigOption, Literal, options};

/// What stands above the options.
const INTRODUCTION: &str = "\
<!-- Written by `havre config reference`; change the options in `src/config/` and run it again. -->

# Configuration

Havre starts without any configuration. What you want otherwise comes from three sources, each overriding the one
before:

1. a TOML file: the one named by `--config` or `HAVRE_CONFIG`, else `havre.toml` in the working directory, else
   `/etc/havre/havre.toml`;
2. environment variables that begin with `HAVRE_`;
3. flags of the command line. Those without a flag of their own are set with `--set KEY=VALUE`.

A key or a variable that is not listed here is an error, and so is a value that its option does not take.
`havre config check` finds all of them at once; `havre config show` prints every value and where it came from.

Passed over are `HAVRE_TEST_*`, which belongs to the test suite, and `HAVRE_PORT*` and `HAVRE_SERVICE_*`, which
Kubernetes adds on its own where a service is called `havre`.

- **Sizes** are a number of bytes, or a number with a unit: `4 MiB`, `1.5 GiB` (powers of 1024), `1 GB` (powers of
  1000).
- **Durations** are numbers with units: `250ms`, `30s`, `10m`, `24h`, `7d`, `1h 30m`.
- **Lists** are separated by commas in variables and flags: `HAVRE_LISTEN=127.0.0.1:5000,[::1]:5000`.

A file, for example:

```toml
data_dir = \"/var/lib/havre\"

[server]
public_url = \"https://registry.example.org\"
trusted_proxies = [\"127.0.0.1\"]

[storage]
upload_expiry = \"2h\"
```
";

/// Returns the page that documents every option.
#[must_use]
pub fn reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut section = None;
    for option in options() {
        if section != Some(option.section()) {
            section = Some(option.section());
            page.push_str(&heading(option.section()));
        }
        page.push_str(&entry(option));
    }
    page
}

fn heading(section: &str) -> String {
    if section.is_empty() { "\n## Top level\n".to_owned() } else { format!("\n## `[{section}]`\n") }
}

fn entry(option: &ConfigOption) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    line(format!("\n### `{}`\n\n{}\n", option.key, option.doc()));
    line(format!("- Expects {}", option.expected()));
    line(format!("- Default: {}", default(&option.default)));
    line(format!("- Example: `{} = {}`", option.name(), option.example));
    let alias = option.alias.map_or_else(String::new, |alias| format!(", or shorter `{alias}`"));
    line(format!("- Variable: `{}`{alias}", option.variable()));
    if let Some(flag) = option.flag {
        let repeated = if option.list { ", may be repeated" } else { "" };
        line(format!("- Flag: `{flag}`{repeated}"));
    }
    text
}

fn default(default: &Literal) -> String {
    match default {
        Literal::Text(text) if text.is_empty() => "none".to_owned(),
        Literal::List(items) if items.is_empty() => "none".to_owned(),
        default => format!("`{default}`"),
    }
}
