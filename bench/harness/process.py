"""Starts a server and reads from /proc what it and its children use."""

import os
import signal
import subprocess
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 15


class Process:
    """A server process together with its descendants."""

    def __init__(self, command, log, environment=None):
        """Starts `command` with its output going to the file `log`."""
        self.log = Path(log)
        with open(self.log, "wb") as output:
            # A session of its own, so that stopping it reaches its children and nobody else.
            self._popen = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})}, start_new_session=True,
            )

    @property
    def pid(self):
        """The process id of the server itself."""
        return self._popen.pid

    def ended(self):
        """The exit status, or None while it runs."""
        return self._popen.poll()

    def pids(self):
        """The server and all its descendants."""
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (fields := _stat(entry)):
                parents[int(entry.name)] = int(fields[1])
        tree = [self.pid]
        for pid in tree:
            tree.extend(child for child, parent in parents.items() if parent == pid)
        return tree

    def cpu_seconds(self):
        """User and system time of the tree so far, with that of children which have ended.

        The kernel rounds to a tick (10 ms), so that work worth measuring lasts many ticks.
        """
        ticks = 0
        for pid in self.pids():
            if fields := _stat(Path(f"/proc/{pid}")):
                ticks += sum(int(value) for value in fields[11:15])
        return ticks / TICKS_PER_SECOND

    def resident_bytes(self):
        """The resident memory of the tree now."""
        return sum(_status(pid, "VmRSS") for pid in self.pids())

    def peak_bytes(self):
        """The sum of what each process of the tree held at most since `forget_peak`."""
        return sum(_status(pid, "VmHWM") for pid in self.pids())

    def forget_peak(self):
        """Starts the high-water mark anew."""
        for pid in self.pids():
            try:
                Path(f"/proc/{pid}/clear_refs").write_text("5")
            except OSError:
                pass  # Only a privileged process may; the mark then includes the start.

    def disk_read_bytes(self):
        """How much the tree has had read from the disk; 0 where the kernel does not tell."""
        total = 0
        for pid in self.pids():
            try:
                text = Path(f"/proc/{pid}/io").read_text()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("read_bytes:"))
        return total

    def stop(self):
        """Asks the server to end, and ends it when it does not."""
        if self.ended() is not None:
            return
        self._popen.terminate()
        try:
            self._popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._popen.wait()


def _stat(directory):
    """The fields of /proc/PID/stat from the state on; None when the process is gone."""
    try:
        text = (directory / "stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _status(pid, key):
    """One size of /proc/PID/status in bytes; 0 when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(key + ":"))
