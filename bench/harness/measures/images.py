"""Many small images pushed at once."""

from ..results import Metric, Section
from ..run import cpu_of, turned
from ..tools import load

NAME = "images"
LAYERS = 3
LAYER_BYTES = 16 << 10
CONNECTIONS = 8
MODES = ("monolithic", "docker")


def measure(run):
    """Both ways of pushing, every peer in turn, in fresh directories each round."""
    count = run.options.pick(400, 100)
    section = Section(
        NAME, "Many small images",
        f"{CONNECTIONS} connections push {count} images of {LAYERS} layers of {LAYER_BYTES >> 10} KiB, a config and a "
        "manifest, all of them new, into 16 repositories. Monolithic: POST and PUT for each blob. Docker: HEAD, POST, "
        "PATCH and PUT for each.",
        [metric for mode in MODES for metric in (
            Metric(f"{mode}_rate", f"{mode}, images per second", "", 0, less_is_better=False),
            Metric(f"{mode}_cpu", f"{mode}, server CPU per image", "ms", 2),
            Metric(f"{mode}_p99", f"{mode}, p99 of one image", "ms", 1),
        )])
    writers = run.writers()
    for number in range(run.options.rounds):
        with run.servers(writers) as servers:
            for server in turned(servers, number):
                run.say(f"images: {server.peer.name}")
                for mode in MODES:
                    _push(section, server, mode, count)
    return section


def _push(section, server, mode, count):
    with cpu_of(server) as cpu:
        pushed = load("images", "-server", server.url, "-images", count, "-layers", LAYERS, "-size", LAYER_BYTES,
                      "-connections", CONNECTIONS, "-mode", mode)
    name = server.peer.name
    section.add(f"{mode}_rate", name, pushed["count"] / pushed["seconds"])
    section.add(f"{mode}_cpu", name, cpu[0] * 1e3 / pushed["count"])
    section.add(f"{mode}_p99", name, pushed["p99_ms"])
