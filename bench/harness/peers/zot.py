"""zot 2."""

import json

from ..paths import BIN
from .peer import Peer


class Zot(Peer):
    """zot 2 without extensions."""

    name = "zot"
    title = "zot 2"

    def binary(self):
        return str(BIN / "zot")

    def command(self, server, options):
        configuration = server.directory / "configuration.json"
        configuration.write_text(json.dumps({
            "distSpecVersion": "1.1.1",
            # Without commit a push is acknowledged before it is on the disk.
            "storage": {"rootDirectory": str(self.data_directory(server)), "commit": True, "gc": False},
            "http": {"address": "127.0.0.1", "port": str(server.port)},
            # Its access log is written at the level info.
            "log": {"level": "info" if options.access_log else "warn"},
        }))
        return [self.binary(), "serve", configuration], {}

    def version(self):
        return (BIN / "zot.version").read_text().strip()

    def settings(self):
        return "minimal build, commit true, garbage collection off"
