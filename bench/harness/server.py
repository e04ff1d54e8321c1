"""A running server: ready, addressable, with its own directory."""

import http.client
import shutil
import socket
import time

from .failure import Failure
from .process import Process

READY_SECONDS = 60
POLL_SECONDS = 0.001


def free_port():
    """A TCP port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process, its port and its directory. `peer` says what can be done with it."""

    def __init__(self, peer, directory, options):
        """Starts the peer in a fresh directory and waits until it is ready."""
        self.peer = peer
        self.directory = directory
        self.port = free_port()
        directory.mkdir(parents=True, exist_ok=True)
        command, environment = peer.command(self, options)
        started = time.monotonic()
        self.process = Process(command, directory / "server.log", environment)
        try:
            self._wait(started + READY_SECONDS)
        except BaseException:
            self.process.stop()
            raise
        self.ready_seconds = time.monotonic() - started

    @property
    def url(self):
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        """Stops the process and removes its directory."""
        self.process.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _wait(self, until):
        while not self._answers():
            if self.process.ended() is not None:
                raise Failure(f"{self.peer.name} ended while starting:\n{self._last_lines()}")
            if time.monotonic() > until:
                raise Failure(f"{self.peer.name} is not ready after {READY_SECONDS} s:\n{self._last_lines()}")
            time.sleep(POLL_SECONDS)

    def _answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", self.peer.ready_path)
            return connection.getresponse().status == 200
        except OSError:
            return False
        except http.client.HTTPException:
            return False
        finally:
            connection.close()

    def _last_lines(self):
        text = self.process.log.read_text(errors="replace")
        return "\n".join("    " + line for line in text.splitlines()[-15:])
