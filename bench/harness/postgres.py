"""A PostgreSQL cluster that lives as long as one server under test."""

import pwd
import shutil
import subprocess
from pathlib import Path

from .failure import Failure

USER = "postgres"
DATABASE = "postgres"
SCRIPT = """\
#!/usr/bin/env bash
# Starts PostgreSQL, then the command in the arguments, and stops both when told to.
set -u
setpriv --reuid={user} --regid={user} --clear-groups {postgres} -D {cluster} -k {sockets} -c listen_addresses='' &
database=$!
until {psql} -h {sockets} -U {user} -d {database} -qtc 'select 1' >/dev/null 2>&1; do
  kill -0 "$database" || exit 1
  sleep 0.05
done
"$@" &
server=$!
trap 'kill -TERM "$server"' TERM INT
wait "$server"
wait "$server" 2>/dev/null
kill -INT "$database"
wait "$database"
"""


def _binaries():
    """The directory of the newest PostgreSQL that Debian's packages installed, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def missing():
    """Why no cluster can be made, or None."""
    if not _binaries():
        return "PostgreSQL is not installed"
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return f"there is no user {USER}"
    return None if shutil.which("setpriv") else "setpriv is not installed"


def version():
    """The version of PostgreSQL, in words."""
    line = subprocess.run([_binaries() / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    return "PostgreSQL " + (line.split()[2] if len(line.split()) > 2 else "unknown")


def url(directory):
    """The URL of the database of the cluster in a directory."""
    return f"postgres:///{DATABASE}?host={directory / 's'}&user={USER}"


def prepare(directory):
    """The script that runs a command beside the cluster, made unless it is there, and the URL of its database."""
    script = directory / "run"
    if script.exists():
        return script, url(directory)
    binaries, cluster, sockets = _binaries(), directory / "cluster", directory / "s"
    for path in (cluster, sockets):
        path.mkdir(parents=True)
        shutil.chown(path, USER, USER)
    made = subprocess.run(
        ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", binaries / "initdb", "-D", cluster,
         "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"],
        capture_output=True, text=True, check=False,
    )
    if made.returncode != 0:
        raise Failure(f"initdb failed in {cluster} (every directory above must be open to {USER}):\n{made.stderr}")
    script.write_text(SCRIPT.format(user=USER, database=DATABASE, postgres=binaries / "postgres",
                                    psql=binaries / "psql", cluster=cluster, sockets=sockets))
    return script, url(directory)
