"""Pushes and pulls in proportion, in sizes like those of zot's zb, by the harness's own client."""

from dataclasses import dataclass

from ..results import Metric, Section
from ..run import cpu_of, turned
from ..tools import load

NAME = "mix"
CONNECTIONS = 10


@dataclass(frozen=True)
class Mix:
    """One proportion: sizes in MiB with weights, and how many per cent are pulls."""

    key: str
    title: str
    sizes: str
    pulls: int
    mode: str
    # Requests in a full run and in a quick one.
    requests: tuple


MIXES = (
    Mix("push", "push 1 MiB, monolithic", "1:1", 0, "monolithic", (1000, 200)),
    Mix("stream", "push 1 MiB, streamed", "1:1", 0, "streamed", (1000, 200)),
    Mix("pull", "pull 1 MiB", "1:1", 100, "monolithic", (1000, 1000)),
    Mix("both", "75 % pull, 25 % push, 1 MiB", "1:1", 75, "monolithic", (1000, 400)),
    Mix("sizes", "75 % pull, 25 % push, 20 % 1 MiB, 70 % 10 MiB, 10 % 100 MiB", "1:20,10:70,100:10", 75,
        "monolithic", (200, 20)),
)


def measure(run):
    """Every mix against every peer in turn, in fresh directories each round."""
    section = Section(
        NAME, "Pushes and pulls mixed",
        f"{CONNECTIONS} connections push and pull whole images of one layer (a pull is the manifest by tag, the layer "
        f"and the config). {run.options.pick(*MIXES[0].requests)} images for each mix of one size, "
        f"{run.options.pick(*MIXES[-1].requests)} for the mix of sizes; every server gets the same sequence.",
        [metric for mix in MIXES for metric in (
            Metric(f"{mix.key}_rate", f"{mix.title}: images per second", "", 0, less_is_better=False),
            Metric(f"{mix.key}_cpu", f"{mix.title}: server CPU per image", "ms", 2),
        )])
    writers = run.writers()
    for number in range(run.options.rounds):
        with run.servers(writers) as servers:
            for server in turned(servers, number):
                run.say(f"mix: {server.peer.name}")
                for mix in MIXES:
                    _one(section, server, mix, run.options.pick(*mix.requests))
    return section


def _one(section, server, mix, requests):
    with cpu_of(server) as cpu:
        done = load("mix", "-server", server.url, "-sizes", mix.sizes, "-pulls", mix.pulls, "-requests", requests,
                    "-connections", CONNECTIONS, "-mode", mix.mode)
    section.add(f"{mix.key}_rate", server.peer.name, done["count"] / done["seconds"])
    section.add(f"{mix.key}_cpu", server.peer.name, cpu[0] * 1e3 / done["count"])
