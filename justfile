# What `.ci/run` runs, piece by piece. `just` alone lists the recipes.

set shell := ["bash", "-euo", "pipefail", "-c"]

_default:
    @just --list --unsorted

# build and start an open registry on 127.0.0.1:5000
run *ARGS:
    cargo run --release -- serve --open {{ ARGS }}

# tests that need no service and no network
test *ARGS:
    cargo test --workspace {{ ARGS }}

# format and lint, where every warning is an error
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# bans, licences and sources of the dependencies; --advisories where GitHub can be reached
deny *ARGS:
    .ci/deny {{ ARGS }}

# everything a change has to pass
ci:
    .ci/run

# real clients against the release binary; all of them, or those that are named
interop *ARGS:
    interop/run {{ ARGS }}

# our binary beside its peers: writes docs/performance.md and prints the ratios
bench *ARGS:
    bench/run {{ ARGS }}

# what takes longer than CI may: more kills, more clients, longer soaks
extended *ARGS:
    interop/extended {{ ARGS }}

# fuzz every parser for so many seconds, or those that are named
fuzz SECONDS="60" *TARGETS:
    fuzz/run {{ SECONDS }} {{ TARGETS }}

# the binary that is published
dist:
    cargo build --profile dist --locked
    @ls -l "${CARGO_TARGET_DIR:-target}/dist/havre"

# regenerate the pages that come out of the code
docs:
    cargo run --quiet --locked -- config reference > docs/configuration.md.new
    mv docs/configuration.md.new docs/configuration.md
