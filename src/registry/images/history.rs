//! The instructions that made an image, as its config tells them, written as people wrote them.

use super::{secrets, text};

/// Longest instruction that is kept, in characters.
const LONGEST: usize = 2_000;
/// At most this many bytes of an instruction are looked at.
const LOOKED_AT: usize = 64 * 1024;

/// The instruction that an entry of the history stands for: without what builders put around it, secrets masked.
pub fn instruction(created_by: &str) -> String {
    let mut end = created_by.len().min(LOOKED_AT);
    while !created_by.is_char_boundary(end) {
        end -= 1;
    }
    let plain = cleaned(&created_by[..end]);
    text::shown(secrets::masked(&spaced(&plain)).trim(), LONGEST)
}

/// Builders of Docker join the lines of an instruction with tabs: each begins a line again.
fn spaced(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for part in line.split('\t').map(str::trim_end).filter(|part| !part.trim().is_empty()) {
        if !out.is_empty() {
            out.push_str("\n    ");
        }
        out.push_str(part);
    }
    out
}

fn cleaned(created_by: &str) -> String {
    let line = created_by.trim();
    let line = line.strip_suffix("# buildkit").map_or(line, str::trim_end);
    // What was done without a shell.
    for shell in ["/bin/sh -c #(nop)", "cmd /S /C #(nop)", "powershell -Command #(nop)"] {
        if let Some(rest) = line.strip_prefix(shell) {
            return rest.trim_start().to_owned();
        }
    }
    let run = line.strip_prefix("RUN ").unwrap_or(line).trim_start();
    let run = without_arguments(run);
    for shell in SHELLS {
        if let Some(rest) = run.strip_prefix(shell) {
            return format!("RUN {}", rest.trim());
        }
    }
    if run.len() < line.len() && !line.starts_with("RUN ") { format!("RUN {run}") } else { line.to_owned() }
}

const SHELLS: [&str; 6] = [
    "/bin/sh -c ",
    "/bin/bash -o pipefail -c ",
    "/bin/bash -c ",
    "/bin/ash -eo pipefail -c ",
    "cmd /S /C ",
    "powershell -Command ",
];

/// Takes away `|2 NAME=value OTHER=value`, the arguments of the build, which may hold spaces.
fn without_arguments(run: &str) -> &str {
    let Some(rest) = run.strip_prefix('|') else { return run };
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return run;
    }
    let at = SHELLS.iter().filter_map(|shell| rest.find(&format!(" {shell}"))).min();
    at.map_or(run, |at| rest[at..].trim_start())
}

#[cfg(test)]
mod tests {
    use super::instruction;

    #[test]
    fn instructions_are_shown_as_they_were_written() {
        for (created_by, expected) in [
            ("/bin/sh -c #(nop)  CMD [\"bash\"]", "CMD [\"bash\"]"),
            ("/bin/sh -c #(nop) ADD file:0a1b in / ", "ADD file:0a1b in /"),
            ("/bin/sh -c apt-get update", "RUN apt-get update"),
            ("RUN /bin/sh -c make # buildkit", "RUN make"),
            ("RUN |2 TARGETARCH=amd64 FLAGS=-a -b /bin/sh -c make all # buildkit", "RUN make all"),
            ("|1 VERSION=1 /bin/sh -c make", "RUN make"),
            ("COPY . /app # buildkit", "COPY . /app"),
            ("ENV API_TOKEN=s3cr3tvalue", "ENV API_TOKEN=••••••"),
            ("/bin/sh -c set -eux; \t\tapt-get update; \t\tmake", "RUN set -eux;\n    apt-get update;\n    make"),
            ("bazel build //app", "bazel build //app"),
            ("|x", "|x"),
            ("", ""),
            ("RUN \u{202e}evil\u{0}", "RUN \u{fffd}evil\u{fffd}"),
        ] {
            assert_eq!(instruction(created_by), expected, "{created_by:?}");
        }
        assert_eq!(instruction(&"é".repeat(1_000_000)).chars().count(), 2_001);
    }
}
