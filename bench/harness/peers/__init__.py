"""The servers that are compared, each with the configuration it gets."""

from ..failure import Failure
from ..paths import ABSENT
from .distribution import Distribution2, Distribution3
from .havre import Havre, HavrePostgres
from .nginx import Nginx
from .zot import Zot

ALL = {peer.name: peer for peer in (Havre, HavrePostgres, Distribution3, Distribution2, Zot, Nginx)}
DEFAULT = ("havre", "distribution", "zot", "nginx")


def choose(text, options):
    """The peers of a comma-separated list; `installed` stands for every one of them that can be started."""
    if text == "installed":
        return [peer for peer in _make(ALL, options) if not peer.missing()]
    chosen = _make(text.split(",") if text else DEFAULT, options)
    absent = {peer.name: peer.missing() for peer in chosen if peer.missing()}
    if absent:
        raise Failure(_complaint(absent, [peer.name for peer in chosen if peer.name not in absent]))
    return chosen


def why_absent(name):
    """What `bench/install` wrote down about a peer it could not get, or an empty text."""
    note = ABSENT / name
    return note.read_text().strip() if note.exists() else ""


def _make(names, options):
    unknown = [name for name in names if name not in ALL]
    if unknown:
        raise Failure(f"unknown peer {', '.join(unknown)}; known are {', '.join(ALL)}")
    return [ALL[name](options) for name in names]


def _complaint(absent, present):
    lines = []
    for name, what in absent.items():
        reason = why_absent(name)
        lines.append(what + (f": {reason}" if reason else ""))
    if "distribution" in absent:
        present = present + ["distribution2"]
    named = f"name what there is: --peers {','.join(present)}, or " if present else ""
    lines.append(f"run bench/install, or {named}take all there are: --peers installed")
    return "\n".join(lines)
