"""Havre, on SQLite and on PostgreSQL."""

from .. import postgres
from .peer import Peer


class Havre(Peer):
    """The release binary on its embedded database."""

    name = "havre"
    title = "Havre"
    ready_path = "/readyz"

    def binary(self):
        return str(self.options.havre)

    def missing(self):
        return super().missing() and f"no binary at {self.options.havre}: cargo build --release"

    def command(self, server, options):
        environment = {"HAVRE_LOG_ACCESS": str(options.access_log).lower(), "HAVRE_LOG_LEVEL": "warn"}
        arguments = ["serve", "--open", "--data-dir", self.data_directory(server),
                     "--listen", f"127.0.0.1:{server.port}"]
        return [self.binary(), *arguments], environment

    def settings(self):
        return "defaults: durability full, SQLite"


class HavrePostgres(Havre):
    """The same on a PostgreSQL of its own, whose time and memory count as Havre's."""

    name = "havre-postgres"
    title = "Havre, PostgreSQL"

    def missing(self):
        return super().missing() or postgres.missing()

    def command(self, server, options):
        command, environment = super().command(server, options)
        script, url = postgres.prepare(server.directory / "postgres")
        # One shell starts both, so that they are one tree of processes and stop together.
        return ["bash", script, *command], {**environment, "HAVRE_DATABASE_URL": url}

    def version(self):
        return f"{super().version()}, {postgres.version()}"

    def settings(self):
        return "defaults: durability full; PostgreSQL with its own defaults (fsync on), counted in"
