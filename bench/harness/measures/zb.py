"""zot's own load generator against every registry."""

import shutil

from .. import zb_output
from ..failure import Failure
from ..paths import BIN
from ..peers import why_absent
from ..results import Metric, Section
from ..run import cpu_of, turned
from ..tools import run as run_tool

NAME = "zb"
ZB = BIN / "zb"
CONCURRENCY = 10
# zb pushes what it measures again and again; more rounds would take hours and say nothing new.
MOST_ROUNDS = 3


def measure(run):
    """The tests that `--zb-tests` names, every peer in turn."""
    requests = run.options.pick(1000, 50)
    section = Section(
        NAME, "zb",
        f"zot's load generator, `zb -c {CONCURRENCY} -n {requests}`, with its tests `{run.options.zb_tests}`.", [])
    if not ZB.exists():
        section.notes.append(f"Not run: zb is not installed ({why_absent('zb') or 'run bench/install'}).")
        return section
    for number in range(min(run.options.rounds, MOST_ROUNDS)):
        for peer in turned(run.writers(), number):
            run.say(f"zb: {peer.name}")
            with run.server(peer) as server:
                _one(section, run, server, requests)
    return section


def _one(section, run, server, requests):
    work = run.directory / "zb"
    work.mkdir()
    try:
        with cpu_of(server) as cpu:
            output = run_tool([ZB, "-c", CONCURRENCY, "-n", requests, "-d", work, "-t", run.options.zb_tests,
                               server.url])
    finally:
        shutil.rmtree(work, ignore_errors=True)
    tests = zb_output.parse(output)
    for test in tests:
        if test["failed"]:
            raise Failure(f"zb against {server.peer.name}: {test['failed']} requests of {test['name']!r} failed")
        _declare(section, Metric(test["name"], f"{test['name']}: per second", "", 0, less_is_better=False))
        _declare(section, Metric(test["name"] + " p99", f"{test['name']}: p99", "ms", 1))
        section.add(test["name"], server.peer.name, test["rate"])
        section.add(test["name"] + " p99", server.peer.name, test["p99"] * 1e3)
    _declare(section, Metric("cpu", "server CPU, all tests", "s", 1))
    section.add("cpu", server.peer.name, cpu[0])


def _declare(section, metric):
    if metric not in section.metrics:
        section.metrics.append(metric)
