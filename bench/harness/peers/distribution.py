"""The reference implementation, in its current and its previous line."""

from ..paths import BIN
from .peer import Peer

CONFIGURATION = """\
version: 0.1
log:
  level: warn
  accesslog:
    disabled: {quiet}
storage:
  filesystem:
    rootdirectory: {data}
  delete:
    enabled: true
  cache:
    blobdescriptor: inmemory
http:
  addr: 127.0.0.1:{port}
  secret: the-same-for-every-run
"""


class Distribution3(Peer):
    """distribution 3."""

    name = "distribution"
    title = "distribution 3"

    def binary(self):
        return str(BIN / "distribution")

    def command(self, server, options):
        configuration = server.directory / "configuration.yml"
        configuration.write_text(CONFIGURATION.format(
            quiet=str(not options.access_log).lower(), data=self.data_directory(server), port=server.port))
        # Traces are exported by default, to nobody here, at a price.
        return [self.binary(), "serve", configuration], {"OTEL_TRACES_EXPORTER": "none"}

    def settings(self):
        return "filesystem driver, descriptor cache in memory, traces off"


class Distribution2(Distribution3):
    """distribution 2.8, as Debian packages it."""

    name = "distribution2"
    title = "distribution 2.8"

    def binary(self):
        return "docker-registry"

    def settings(self):
        return "filesystem driver, descriptor cache in memory"
