"""Runs the load generators and reads what they print."""

import json
import os
import shutil
import subprocess

from .failure import Failure
from .paths import LOAD, WRK_REPORT

TOOL_SECONDS = 1800


def load(command, *arguments):
    """Runs one command of the harness's own load generator and returns its result."""
    if not LOAD.exists():
        raise Failure("the load generator is not built: run bench/install")
    return json.loads(run([LOAD, command, *arguments]))


def wrk(url, path, connections, seconds, authorization=None):
    """Asks for one path with GET as fast as it goes."""
    if not shutil.which("wrk"):
        raise Failure("wrk is not installed: run bench/install")
    output = run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", WRK_REPORT,
                  *(["-H", f"Authorization: {authorization}"] if authorization else []), url + path])
    lines = [line for line in output.splitlines() if line.startswith("JSON ")]
    if not lines:
        raise Failure(f"wrk printed no result:\n{output}")
    result = json.loads(lines[0].removeprefix("JSON "))
    if result["errors"] or not result["requests"]:
        raise Failure(f"wrk on {url}{path}: {result['errors']} errors in {result['requests']} requests")
    return result


def curl(url, times=1):
    """Fetches one URL that often over one connection; the bytes and the seconds that the transfers took."""
    if not shutil.which("curl"):
        raise Failure("curl is not installed: run bench/install")
    output = run(["curl", "--silent", "--show-error", "--fail", "--write-out", "%{size_download} %{time_total}\\n",
                  *["--output", "/dev/null", url] * times])
    transfers = [line.split() for line in output.splitlines()]
    return {"bytes": sum(int(size) for size, _ in transfers), "seconds": sum(float(time) for _, time in transfers)}


def run(command, given="", environment=None):
    """What a command prints when given that; a failing one ends the run."""
    done = subprocess.run([str(part) for part in command], input=given, capture_output=True, text=True,
                          timeout=TOOL_SECONDS, env={**os.environ, **(environment or {})}, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
