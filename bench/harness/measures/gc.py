"""Pushes and pulls while the sweeper removes a million dead blobs."""

import shutil
import time

from ..failure import Failure
from ..results import Metric, Section
from ..run import turned
from ..server import Server
from ..tools import load

NAME = "gc"
CONNECTIONS = 8
FILES = 100_000
# What the blobs wait for; `quiet` has as many that live.
QUIET = "quiet"
STEPS = {"links": "unlinking", "blobs": "forgetting", "bytes": "removing bytes"}
WORKS = ("push", "pull")
# The rows that a step takes away: those from long before the run, which pushes do not add to.
ROWS = {"links": "repository_blobs WHERE unreferenced_since < {day_ago}", "blobs": "blobs WHERE created_at < {day_ago}",
        "bytes": "garbage WHERE not_before < {day_ago}"}
DAY = 24 * 3600 * 10**6


def measure(run):
    """Every step and the quiet registry in turn, one server at a time: a sweeper that nobody asked costs too."""
    dead, files = run.options.seeded, run.options.pick(FILES, FILES // 10)
    section = Section(
        NAME, "Beside the removal of dead blobs",
        f"A registry with {_number(dead)} dead blobs, whose sweeper works without a pause (`storage.sweep_interval` of "
        "100 ms; by default it rests ten minutes after each sweep of at most 100 000 of a kind), beside one with as "
        "many living ones. A blob is removed in three steps, and each is measured with all of them waiting for it: "
        "unlinking from the repository, forgetting the blob, and removing its bytes. "
        f"Of the bytes {_number(files)} lie in files of 4 KiB, those that come first; the others are rows only, for "
        "which the sweeper looks for a file and finds none. "
        f"{CONNECTIONS} connections push {_count(run, 'push')} small images (3 layers of 16 KiB) as docker does, then "
        f"pull {_count(run, 'pull')} images of one layer of 1 MiB. No million is removed within the measurement: the "
        "note says how many were.",
        [metric for work in WORKS for state in (QUIET, *STEPS) for metric in (
            Metric(f"{work}_{state}_p50", f"{_title(work, state)}: p50", "ms", 2),
            Metric(f"{work}_{state}_p99", f"{_title(work, state)}: p99", "ms", 2),
            Metric(f"{work}_{state}_rate", f"{_title(work, state)}: per second", "", 0, less_is_better=False),
        )])
    for peer in [peer for peer in run.peers if peer.name.startswith("havre")]:
        directories = {state: run.directory / f"gc-{peer.name}-{state}" for state in (QUIET, *STEPS)}
        removed = dict.fromkeys(STEPS, 0)
        try:
            for state, directory in directories.items():
                run.say(f"gc: filling {peer.name}, {state}")
                _fill(run, peer, directory, state, dead, files)
            for number in range(run.options.rounds):
                for state in turned(list(directories), number):
                    run.say(f"gc: {peer.name}, {state}")
                    gone = _one(section, run, peer, directories[state], state)
                    if state != QUIET:
                        removed[state] += gone
        finally:
            for directory in directories.values():
                shutil.rmtree(directory, ignore_errors=True)
        section.notes.append(_note(peer, removed))
    return section


def _fill(run, peer, directory, state, dead, files):
    """A registry whose sweeper does nothing yet."""
    server = Server(peer.but({"HAVRE_STORAGE_SWEEP_INTERVAL": "24h"}), directory, run.options)
    try:
        if state == QUIET:
            peer.seed(server, "blobs", "--blobs", dead)
        else:
            bytes_too = ["--store", peer.data_directory(server) / "store", "--files", files] if state == "bytes" else []
            peer.seed(server, "dead", "--blobs", dead, "--step", state, *bytes_too)
    finally:
        server.process.stop()


def _one(section, run, peer, directory, state):
    """One round; returns how many rows the step took away meanwhile."""
    server = Server(peer.but({"HAVRE_STORAGE_SWEEP_INTERVAL": "100ms"}), directory, run.options)
    try:
        rows = ROWS.get(state, "blobs").format(day_ago=time.time_ns() // 1000 - DAY)
        before = peer.rows(server, rows)
        pushed = load("images", "-server", server.url, "-images", _count(run, "push"), "-layers", 3,
                      "-size", 16 << 10, "-connections", CONNECTIONS, "-mode", "docker")
        pulled = load("mix", "-server", server.url, "-sizes", "1:1", "-pulls", 100,
                      "-requests", _count(run, "pull"), "-connections", CONNECTIONS)
        left = peer.rows(server, rows)
    finally:
        server.process.stop()
    if state != QUIET and not 0 < left < before:
        raise Failure(f"gc: {peer.name} removed {before - left} of {before} rows: this was not beside a removal")
    for work, done in (("push", pushed), ("pull", pulled)):
        key = f"{work}_{state}"
        section.add(f"{key}_p50", peer.name, done["p50_ms"])
        section.add(f"{key}_p99", peer.name, done["p99_ms"])
        section.add(f"{key}_rate", peer.name, done["count"] / done["seconds"])
    return before - left


def _count(run, work):
    return run.options.pick(1200, 200) if work == "push" else run.options.pick(8000, 1000)


def _title(work, state):
    return f"{work}, " + (QUIET if state == QUIET else f"beside {STEPS[state]}")


def _note(peer, removed):
    """How much was removed."""
    parts = [f"{STEPS[step]} {_number(count)}" for step, count in removed.items()]
    return f"{peer.title}: the sweeper came, over all rounds together, as far as {', '.join(parts)}."


def _number(value):
    return f"{value:,}".replace(",", " ")
