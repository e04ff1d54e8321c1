"""Resident memory, idle and under many transfers at once."""

import threading
import time

from ..fixtures import zero_file
from ..results import Metric, Section
from ..tools import load

NAME = "memory"
CONNECTIONS = 64
BLOB_MIB = 1024
IDLE_SECONDS = 2
SAMPLE_SECONDS = 0.1
MB = 1e6
# The processes of PostgreSQL share memory, which a sum of resident sizes would count many times.
LEFT_OUT = ("havre-postgres",)


def measure(run):
    """Each peer alone, with the others not even started: memory is shared too."""
    seconds = run.options.pick(10, 4)
    section = Section(
        NAME, "Resident memory",
        f"Idle: {IDLE_SECONDS} s after the start. Then {CONNECTIONS} connections at once pull a blob of {BLOB_MIB} MiB "
        f"for {seconds} s, and as many push one each for {seconds} s and break off. VmRSS of the server and its "
        f"children, sampled every {SAMPLE_SECONDS * 1000:.0f} ms, its greatest value; and the kernel's own high-water "
        "mark, VmHWM. Pages of files that are mapped count as resident.",
        [
            Metric("idle", "idle", "MB", 1),
            Metric("pull", f"{CONNECTIONS} pulls", "MB", 1),
            Metric("pull_mark", f"{CONNECTIONS} pulls, VmHWM", "MB", 1),
            Metric("pull_rate", f"{CONNECTIONS} pulls, throughput", "MB/s", 0, less_is_better=False),
            Metric("push", f"{CONNECTIONS} pushes", "MB", 1),
            Metric("push_mark", f"{CONNECTIONS} pushes, VmHWM", "MB", 1),
            Metric("push_rate", f"{CONNECTIONS} pushes, throughput", "MB/s", 0, less_is_better=False),
        ])
    file = zero_file(BLOB_MIB)
    # Memory hardly varies, and each round writes gigabytes.
    peers = [peer for peer in run.peers if peer.name not in LEFT_OUT]
    for peer in run.turns(peers, rounds=min(run.options.rounds, 3)):
        run.say(f"memory: {peer.name}")
        with run.server(peer) as server:
            time.sleep(IDLE_SECONDS)
            section.add("idle", peer.name, server.process.resident_bytes() / MB)
            path = peer.place_blob(server, file)
            _watch(section, server, "pull", "pull", "-path", path, "-connections", CONNECTIONS, "-seconds", seconds)
            if peer.writes:
                _watch(section, server, "push", "uploads", "-connections", CONNECTIONS, "-seconds", seconds)
    return section


def _watch(section, server, key, command, *arguments):
    """Runs the load and samples the server's memory meanwhile."""
    server.process.forget_peak()
    seen = []
    over = threading.Event()

    def sample():
        while not over.wait(SAMPLE_SECONDS):
            seen.append(server.process.resident_bytes())

    watcher = threading.Thread(target=sample)
    watcher.start()
    try:
        moved = load(command, "-server", server.url, *arguments)
    finally:
        over.set()
        watcher.join()
    name = server.peer.name
    section.add(key, name, max(seen, default=0) / MB)
    section.add(f"{key}_mark", name, server.process.peak_bytes() / MB)
    section.add(f"{key}_rate", name, moved["bytes"] / 1e6 / moved["seconds"])
