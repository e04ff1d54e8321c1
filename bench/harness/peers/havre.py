"""Havre, on SQLite and on PostgreSQL."""

import sqlite3
import sys

from .. import postgres
from ..paths import BENCH
from ..tools import run
from .peer import Peer


class Havre(Peer):
    """The release binary on its embedded database."""

    name = "havre"
    title = "Havre"
    ready_path = "/readyz"

    def __init__(self, options, settings=None, accounts=False):
        """Takes the choices of the run, and variables of the environment that change the defaults."""
        super().__init__(options)
        self._settings = settings or {}
        self._accounts = accounts

    def but(self, settings=None, accounts=False):
        """The same server with other settings, and with accounts in place of `--open`."""
        return type(self)(self.options, settings, accounts)

    def binary(self):
        return str(self.options.havre)

    def missing(self):
        return super().missing() and f"no binary at {self.options.havre}: cargo build --release"

    def command(self, server, options):
        environment = {"HAVRE_LOG_ACCESS": str(options.access_log).lower(), "HAVRE_LOG_LEVEL": "warn",
                       **self._settings}
        arguments = ["serve", *([] if self._accounts else ["--open"]), "--data-dir", self.data_directory(server),
                     "--listen", f"127.0.0.1:{server.port}"]
        return [self.binary(), *arguments], environment

    def settings(self):
        return "defaults: durability full, SQLite"

    def database(self, server):
        """The file or the URL of the server's database."""
        return str(self.data_directory(server) / "havre.db")

    def seed(self, server, kind, *arguments):
        """Fills the database of a server that runs."""
        run([sys.executable, BENCH / "seed", self.database(server), kind, *arguments])

    def rows(self, server, table):
        """How many rows there are; `table` may end in a condition."""
        connection = sqlite3.connect(self.database(server), timeout=60)
        try:
            return connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        finally:
            connection.close()

    def operator(self, server, *arguments, given=""):
        """Runs a command of the operator's beside the server."""
        command = [self.binary(), *arguments, "--data-dir", self.data_directory(server)]
        return run(command, given=given, environment=self.operator_environment(server))

    def operator_environment(self, server):
        """What leads such a command to the server's database."""
        return {}


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

    def database(self, server):
        return postgres.url(server.directory / "postgres")

    def rows(self, server, table):
        return int(run(["psql", "-qXAt", self.database(server), "-c", f"SELECT COUNT(*) FROM {table}"]))

    def operator_environment(self, server):
        return {"HAVRE_DATABASE_URL": self.database(server)}

    def version(self):
        return f"{super().version()}, {postgres.version()}"

    def settings(self):
        return "defaults: durability full; PostgreSQL with its own defaults (fsync on), counted in"
