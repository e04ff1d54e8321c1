"""Pages of tags, of the catalog and of referrers, in a small registry and in a large one."""

import hashlib
import http.client
import json
from dataclasses import dataclass

from ..failure import Failure
from ..results import Metric, Section
from ..run import cpu_of, turned
from ..tools import load

NAME = "lists"
PAGE = 100
REPOSITORY = "seeded/repository-000000"
PAGES = {
    "tags_first": "tags, first page",
    "tags_middle": "tags, page from the middle",
    "catalog_first": "catalog, first page",
    "catalog_middle": "catalog, page from the middle",
    "referrers_first": "referrers, first page",
    "referrers_middle": "referrers, page from the middle",
}
SIZES = ("small", "large")


@dataclass(frozen=True)
class Size:
    """How many of each a registry has."""

    repositories: int
    tags: int
    referrers: int

    def words(self):
        """For the page."""
        return (f"{_number(self.repositories)} repositories, {_number(self.tags)} tags, "
                f"{_number(self.tags - self.repositories + 1)} of them in one repository, and "
                f"{_number(self.referrers)} referrers of one manifest")


SMALL = Size(1_000, 2_000, 1_000)


def large(options):
    """The large registry; smaller in a quick run."""
    return options.pick(Size(100_000, 1_000_000, 100_000), Size(10_000, 100_000, 10_000))


def measure(run):
    """Both sizes on each engine, in turn."""
    sizes = dict(zip(SIZES, (SMALL, large(run.options))))
    section = Section(
        NAME, "Pages of long lists",
        f"Small: {SMALL.words()}. Large: {sizes['large'].words()}. One connection asks for one page of {PAGE} entries "
        "again and again, with GET: the first, and one that begins half-way through the list, by `last`. The rows are "
        "put into the database by `bench/seed`; other registries keep no database that could be filled that way.",
        [metric for key, title in PAGES.items() for size in SIZES for metric in (
            Metric(f"{key}_{size}_time", f"{title}, {size}: p50", "ms", 3),
            Metric(f"{key}_{size}_cpu", f"{title}, {size}: server CPU per 1 000", "ms", 0),
        )])
    seconds = run.options.pick(2, 1)
    for peer in [peer for peer in run.peers if peer.name.startswith("havre")]:
        # Two servers of one kind: the idle one costs nothing worth mentioning.
        with run.servers([peer, peer]) as servers:
            pairs = list(zip(SIZES, servers))
            paths = {}
            for size, server in pairs:
                run.say(f"lists: filling {peer.name}, {size}")
                _seed(server, sizes[size])
                paths[size] = _paths(server, sizes[size])
            for number in range(run.options.rounds):
                run.say(f"lists: {peer.name}")
                for key in PAGES:
                    for size, server in turned(pairs, number):
                        _ask(section, server, f"{key}_{size}", paths[size][key], seconds)
    return section


def _seed(server, size):
    server.peer.seed(server, "lists", "--repositories", size.repositories, "--tags", size.tags,
                     "--referrers", size.referrers)


def _paths(server, size):
    """The path of each page, each of which must be full."""
    middle_tag = f"v{(size.tags - size.repositories) // 2:07}"
    middle_repository = f"seeded/repository-{size.repositories // 2:06}"
    referrers = f"/v2/{REPOSITORY}/referrers/{_subject()}"
    paths = {
        "tags_first": f"/v2/{REPOSITORY}/tags/list?n={PAGE}",
        "tags_middle": f"/v2/{REPOSITORY}/tags/list?n={PAGE}&last={middle_tag}",
        "catalog_first": f"/v2/_catalog?n={PAGE}",
        "catalog_middle": f"/v2/_catalog?n={PAGE}&last={middle_repository}",
        "referrers_first": referrers,
        # The digests are spread evenly: this one lies half-way.
        "referrers_middle": f"{referrers}?last=sha256:8{'0' * 63}",
    }
    for path in paths.values():
        _check(server, path)
    return paths


def _subject():
    return "sha256:" + hashlib.sha256(f"manifest {REPOSITORY}".encode()).hexdigest()


def _check(server, path):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        page = json.loads(answer.read())
    finally:
        connection.close()
    entries = max((len(value) for value in page.values() if isinstance(value, list)), default=0)
    if entries != PAGE:
        raise Failure(f"{server.peer.name} {path}: {entries} entries, expected {PAGE}")


def _ask(section, server, key, path, seconds):
    with cpu_of(server) as cpu:
        got = load("requests", "-server", server.url, "-path", path, "-method", "GET", "-accept", "*/*",
                   "-connections", 1, "-seconds", seconds)
    section.add(f"{key}_time", server.peer.name, got["p50_ms"])
    section.add(f"{key}_cpu", server.peer.name, cpu[0] * 1e6 / got["requests"])


def _number(value):
    return f"{value:,}".replace(",", " ")
