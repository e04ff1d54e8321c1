#!/usr/bin/env python3
"""Runs Havre beside its peers, prints the ratios and writes docs/performance.md. See README.md."""

import argparse
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True

from harness import machine, measures, peers, report
from harness.failure import Failure
from harness.options import Options
from harness.paths import CACHE, PAGE, PROJECT
from harness.run import Run
from harness.targets import Judge

# Of zb's tests those that push and pull images of 1 MB; the greater sizes take hours at 1 000 requests.
ZB_TESTS = "^(Get Catalog|Push Monolith 1MB|Push Chunk Streamed 1MB|Pull 1MB|Pull 75% and Push 25% Mixed 1MB)$"


@dataclass(frozen=True)
class Context:
    """What the page says about the run as a whole."""

    machine: str
    commit: str
    rounds: int
    quick: bool
    access_log: bool
    subject: str
    peers: list
    absent: dict


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, for developers")
    parser.add_argument("--only", action="append", metavar="NAME", choices=list(measures.ALL),
                        help=f"measure only this; may be repeated ({', '.join(measures.ALL)})")
    parser.add_argument("--rounds", type=int, help="how often each measure is taken (default 5, quick 1)")
    parser.add_argument("--peers", metavar="A,B", help=f"which of {', '.join(peers.ALL)}; `installed` for all there "
                        f"are (default {','.join(peers.DEFAULT)})")
    parser.add_argument("--subject", default="havre", metavar="NAME", help="who is judged by the targets")
    parser.add_argument("--access-log", action="store_true", help="write access logs, every server alike")
    parser.add_argument("--large", type=int, default=512, metavar="MIB", help="size of the large blob (default 512)")
    parser.add_argument("--startup-blobs", type=int, metavar="N", help="registered blobs at start-up")
    parser.add_argument("--seeded", type=int, metavar="N", help="dead blobs that are removed beside the work")
    parser.add_argument("--zb-tests", default=ZB_TESTS, metavar="REGEX", help="which of zb's tests")
    parser.add_argument("--havre", type=Path, default=PROJECT / "target/release/havre", help="the binary to measure")
    parser.add_argument("--directory", type=Path, default=CACHE / "run", help="where the servers keep their data")
    parser.add_argument("--output", type=Path, help="the page to write; without it a whole run writes "
                        "docs/performance.md and a quick or partial one only prints")
    return parser.parse_args()


def main():
    """Measures, prints, writes."""
    given = arguments()
    options = Options(
        rounds=given.rounds or (1 if given.quick else 5), quick=given.quick, access_log=given.access_log,
        large_mib=given.large, zb_tests=given.zb_tests,
        startup_blobs=given.startup_blobs or (100_000 if given.quick else 1_000_000),
        seeded=given.seeded or (100_000 if given.quick else 1_000_000),
        directory=given.directory, havre=given.havre)
    chosen = peers.choose(given.peers, options)
    names = [name for name in measures.ALL if not given.only or name in given.only]
    sections = measure(options, chosen, names)
    verdicts = Judge({section.name: section for section in sections}, given.subject).verdicts()
    print(report.terminal(sections, verdicts, given.subject), end="")
    output = given.output or (None if given.quick or given.only else PAGE)
    if output:
        context = Context(
            machine=machine.describe(options.directory), commit=machine.commit(PROJECT),
            rounds=options.rounds, quick=options.quick,
            access_log=options.access_log, subject=given.subject, peers=chosen,
            absent=absent(chosen, options))
        output.write_text(report.page(context, sections, verdicts))
        print(f"written to {output}")


def absent(chosen, options):
    """Why peers of a whole run take no part in this one."""
    present = {peer.name for peer in chosen}
    return {name: reason(name, options) for name in peers.DEFAULT if name not in present}


def reason(name, options):
    """Why a peer is not there: not to be had, or not asked for."""
    if peers.ALL[name](options).missing():
        return peers.why_absent(name) or "not installed"
    return "not asked for"


def measure(options, chosen, names):
    """The sections that the measures of those names make."""
    run = Run(options, chosen)
    try:
        return [measures.ALL[name].measure(run) for name in names]
    finally:
        run.close()


if __name__ == "__main__":
    # So that servers are stopped and directories removed also when the run is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
