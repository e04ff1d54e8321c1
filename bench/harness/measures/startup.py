"""From the start of the process to its readiness."""

import shutil
import subprocess
import sys

from ..failure import Failure
from ..paths import BENCH
from ..results import Metric, Section
from ..server import Server

NAME = "startup"
# Its start would be that of the cluster beside it.
LEFT_OUT = ("havre-postgres", "nginx")


def measure(run):
    """An empty store for every peer; one with many blobs for those whose database can be filled."""
    blobs = run.options.startup_blobs
    count = f"{blobs:,}".replace(",", " ")
    section = Section(
        NAME, "Start to ready",
        "From starting the process until the first request is answered with 200, asked every millisecond. The full "
        f"store has {count} blobs registered, put into the database by `bench/seed`; other registries keep no "
        "database that could be filled that way.",
        [
            Metric("empty", "empty store", "ms", 0),
            Metric("full", f"{count} blobs", "ms", 0),
        ])
    peers = [peer for peer in run.peers if peer.name not in LEFT_OUT]
    for peer in run.turns(peers):
        run.say(f"startup: {peer.name}")
        with run.server(peer) as server:
            section.add("empty", peer.name, server.ready_seconds * 1e3)
    for peer in peers:
        if peer.name == "havre":
            _full(section, run, peer, blobs)
    return section


def _full(section, run, peer, blobs):
    run.say(f"startup: filling the database with {blobs} blobs")
    directory = run.directory / "full"
    try:
        Server(peer, directory, run.options).process.stop()
        database = directory / "data" / "havre.db"
        filled = subprocess.run([sys.executable, BENCH / "seed", database, "blobs", "--blobs", str(blobs)],
                                capture_output=True, text=True, check=False)
        if filled.returncode != 0:
            raise Failure(f"bench/seed failed:\n{filled.stderr}")
        for _ in range(run.options.rounds):
            server = Server(peer, directory, run.options)
            server.process.stop()
            section.add("full", peer.name, server.ready_seconds * 1e3)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
