"""Manifests asked for by tag, as every pull begins."""

from ..fixtures import Image
from ..results import Metric, Section
from ..run import cpu_of
from ..tools import load, wrk

NAME = "manifests"
CONNECTIONS = 16


def measure(run):
    """GET by wrk and HEAD by the harness's own client, every peer in turn."""
    section = Section(
        NAME, "Manifest by tag",
        f"{CONNECTIONS} connections ask for one manifest by its tag, without credentials; nginx serves the same bytes "
        "as a static file. GET is asked by wrk; HEAD by the harness's own client, which costs more of the shared "
        "processor, so that its rates compare only with one another.",
        [metric for method in ("get", "head") for metric in (
            Metric(f"{method}_cpu", f"{method.upper()}, server CPU per 1 000", "ms", 1),
            Metric(f"{method}_rate", f"{method.upper()} per second", "", 0, less_is_better=False),
            Metric(f"{method}_p50", f"{method.upper()} p50", "ms", 2),
            Metric(f"{method}_p99", f"{method.upper()} p99", "ms", 2),
        )])
    seconds = run.options.pick(5, 2)
    image = Image()
    with run.servers(run.peers) as servers:
        paths = {server: server.peer.place_image(server, image) for server in servers}
        for server in servers:
            wrk(server.url, paths[server], CONNECTIONS, 1)  # The first second is not counted.
        for server in run.turns(servers):
            run.say(f"manifests: {server.peer.name}")
            with cpu_of(server) as cpu:
                got = wrk(server.url, paths[server], CONNECTIONS, seconds)
            _add(section, "get", server, got, cpu[0])
            with cpu_of(server) as cpu:
                got = load("requests", "-server", server.url, "-path", paths[server], "-method", "HEAD",
                           "-connections", CONNECTIONS, "-seconds", seconds)
            _add(section, "head", server, got, cpu[0])
    return section


def _add(section, method, server, got, cpu_seconds):
    name = server.peer.name
    section.add(f"{method}_cpu", name, cpu_seconds * 1e6 / got["requests"])
    section.add(f"{method}_rate", name, got["requests"] / got["seconds"])
    section.add(f"{method}_p50", name, got["p50_ms"])
    section.add(f"{method}_p99", name, got["p99_ms"])
