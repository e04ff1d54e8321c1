"""Where the harness finds its tools and keeps its files."""

from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
PROJECT = BENCH.parent
CACHE = BENCH / ".cache"
BIN = CACHE / "bin"
DATA = CACHE / "data"
ABSENT = CACHE / "absent"
LOAD = BIN / "load"
WRK_REPORT = BENCH / "harness" / "wrk.lua"
PAGE = PROJECT / "docs" / "performance.md"
