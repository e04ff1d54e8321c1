"""Durable pushes of one large blob, beside the limits of the machine."""

import os

from ..fixtures import random_file
from ..results import Metric, Section
from ..run import cpu_of, turned
from ..tools import load

NAME = "push"
# Rows of the table beside the peers: what hashing alone and writing alone can do.
HASH = "limit: SHA-256 alone"
WRITE = "limit: write and fsync alone"
MODES = ("monolithic", "streamed")


def measure(run):
    """Both ways of pushing, every peer in turn, in fresh directories each round."""
    section = Section(
        NAME, "Push of a large blob, durable",
        f"One connection pushes {run.options.large_mib} MiB that the registry has not seen; the clock runs from the "
        "POST to the answer of the closing PUT. Monolithic: POST, PUT. Streamed: POST, one chunked PATCH, PUT, as "
        "docker does. The client knows the digest beforehand. Beside it, on the same bytes: hashing them in memory, "
        "and writing them to a file with fsync.",
        [metric for mode in MODES for metric in (
            Metric(f"{mode}_rate", f"{mode}, throughput", "MB/s", 0, less_is_better=False),
            Metric(f"{mode}_cpu", f"{mode}, server CPU", "s/GB", 2),
        )])
    file = random_file(run.options.large_mib)
    writers = run.writers()
    for number in range(run.options.rounds):
        with run.servers(writers) as servers:
            for server in turned(servers, number):
                run.say(f"push: {server.peer.name}")
                for mode in MODES:
                    _push(section, server, file, mode)
        _limits(section, run, file)
    return section


def _push(section, server, file, mode):
    os.sync()  # What others left to be written must not be written during this push.
    with cpu_of(server) as cpu:
        pushed = load("blob", "-server", server.url, "-file", file, "-vary", "-mode", mode)
    section.add(f"{mode}_rate", server.peer.name, pushed["bytes"] / 1e6 / pushed["seconds"])
    section.add(f"{mode}_cpu", server.peer.name, cpu[0] / (pushed["bytes"] / 1e9))


def _limits(section, run, file):
    run.say("push: the limits")
    os.sync()
    hashed = load("hash", "-file", file)
    written = load("write", "-file", file, "-to", run.directory / "limit")
    for name, result in ((HASH, hashed), (WRITE, written)):
        for mode in MODES:
            section.add(f"{mode}_rate", name, result["bytes"] / 1e6 / result["seconds"])
