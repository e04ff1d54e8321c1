"""Pulls of one large blob."""

from .. import cache
from ..fixtures import random_file
from ..results import Metric, Section
from ..run import cpu_of
from ..tools import curl, load

NAME = "pull"
GB = 1e9
# A share of the bytes that a cold pull has to read from the disk to deserve the name.
COLD_SHARE = 0.9


def measure(run):
    """Cold once, then warm several times by both clients, every peer in turn."""
    section = Section(
        NAME, "Pull of a large blob",
        f"One connection pulls a blob of {run.options.large_mib} MiB of random bytes over loopback. Warm: from the page "
        "cache, several times in a row, since the kernel counts processor time in steps of 10 ms. Cold: after the "
        "server's files were dropped from the page cache. Over loopback the kernel charges the work of receiving to "
        "the server or to the client, and to which of them depends on how the client reads. So there are two clients: "
        "curl, and the harness's own, which reads up to 1 MiB at a time; a server may look twice as dear beside it.",
        [
            Metric("cpu", "curl, server CPU, warm", "s/GB", 3),
            Metric("rate", "curl, throughput, warm", "MB/s", 0, less_is_better=False),
            Metric("own_cpu", "own client, server CPU, warm", "s/GB", 3),
            Metric("own_rate", "own client, throughput, warm", "MB/s", 0, less_is_better=False),
            Metric("cold_cpu", "curl, server CPU, cold", "s/GB", 3),
            Metric("cold_rate", "curl, throughput, cold", "MB/s", 0, less_is_better=False),
        ])
    file = random_file(run.options.large_mib)
    with run.servers(run.peers) as servers:
        paths = {server: server.peer.place_blob(server, file) for server in servers}
        for server in servers:
            # Not counted: the first use of memory by a machine that is itself virtual costs several times as much.
            cache.evict(server.peer.data_directory(server))
            curl(server.url + paths[server])
        for server in run.turns(servers):
            run.say(f"pull: {server.peer.name}")
            _cold(section, server, paths[server])
            _warm(section, server, paths[server], run.options.pick(8, 4))
    return section


def _cold(section, server, path):
    cache.evict(server.peer.data_directory(server))
    read_before = server.process.disk_read_bytes()
    with cpu_of(server) as cpu:
        pulled = curl(server.url + path)
    read = server.process.disk_read_bytes() - read_before
    if read < COLD_SHARE * pulled["bytes"]:
        # The kernel does not drop pages that somebody maps, and some file systems count otherwise.
        note = f"{server.peer.name}: only {read / pulled['bytes']:.0%} of a cold pull was read from the disk."
        section.notes.append(note)
    _add(section, "cold_", server, pulled, cpu[0])


def _warm(section, server, path, times):
    with cpu_of(server) as cpu:
        pulled = curl(server.url + path, times)
    _add(section, "", server, pulled, cpu[0])
    with cpu_of(server) as cpu:
        pulled = load("pull", "-server", server.url, "-path", path, "-times", times)
    _add(section, "own_", server, pulled, cpu[0])


def _add(section, prefix, server, pulled, cpu_seconds):
    section.add(f"{prefix}cpu", server.peer.name, cpu_seconds / (pulled["bytes"] / GB))
    section.add(f"{prefix}rate", server.peer.name, pulled["bytes"] / 1e6 / pulled["seconds"])
