"""One run: the peers, their directories and the order in which they are measured."""

import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from .failure import Failure
from .server import Server


# What the servers' directories take at most at one time, generously: the mixed pushes and the 64 uploads.
FREE_BYTES_NEEDED = 25 * 10**9


class Run:
    """Starts servers in fresh directories of one file system and lets them take turns."""

    def __init__(self, options, peers):
        """Makes a directory for the servers, removed by `close`."""
        self.options = options
        self.peers = peers
        options.directory.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(options.directory).free
        if free < FREE_BYTES_NEEDED:
            raise Failure(f"{options.directory} has {free / 1e9:.0f} GB free, a run needs "
                          f"{FREE_BYTES_NEEDED / 1e9:.0f}: name another with --directory")
        self.directory = Path(tempfile.mkdtemp(prefix="bench-", dir=options.directory))
        # PostgreSQL does not run as root and has to reach its part of the directory.
        self.directory.chmod(0o755)
        self._started = 0

    def close(self):
        """Removes what the run left behind."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, peer):
        """A server in a directory of its own."""
        self._started += 1
        return Server(peer, self.directory / f"{peer.name}-{self._started}", self.options)

    @contextmanager
    def server(self, peer):
        """A server that stops with the block."""
        server = self.start(peer)
        try:
            yield server
        finally:
            server.stop()

    @contextmanager
    def servers(self, peers):
        """Servers that run beside one another until the block ends: idle ones cost nothing worth mentioning."""
        started = []
        try:
            for peer in peers:
                started.append(self.start(peer))
            yield started
        finally:
            for server in started:
                server.stop()

    def writers(self):
        """The peers that take pushes."""
        return [peer for peer in self.peers if peer.writes]

    def turns(self, items, rounds=None):
        """Every item once a round."""
        for number in range(rounds or self.options.rounds):
            yield from turned(items, number)

    def say(self, text):
        """Tells the person who waits what is happening."""
        print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def turned(items, number):
    """The items, beginning with another one each round, so that none is always first."""
    shift = number % max(len(items), 1)
    return items[shift:] + items[:shift]


@contextmanager
def cpu_of(server):
    """Yields a list that holds, after the block, the processor seconds the server used in it."""
    used = []
    before = server.process.cpu_seconds()
    yield used
    used.append(server.process.cpu_seconds() - before)
