"""What the run was made on."""

import os
import platform
import subprocess
from pathlib import Path


def describe(directory):
    """One line about the machine."""
    return (f"{os.cpu_count()} cores of {_cpu_model()}, {_memory_gb()} GB of memory, Linux {platform.release().split('-')[0]}, "
            f"{_file_system(directory)}")


def commit(project):
    """The commit that the project's files are of; with `-dirty` when they are not quite."""
    told = [subprocess.run(["git", "-C", project, *asked], capture_output=True, text=True, check=False)
            for asked in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))]
    if any(one.returncode for one in told):
        return "unknown"
    return told[0].stdout.strip() + ("-dirty" if told[1].stdout.strip() else "")


def _cpu_model():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gb():
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return round(int(line.split()[1]) * 1024 / 1e9)
    return "?"


def _file_system(directory):
    """The type of the file system that the servers' directories lie on."""
    directory = Path(directory).resolve()
    best = ("", "an unknown file system")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        if directory.is_relative_to(mount) and len(mount) >= len(best[0]):
            best = (mount, kind)
    return best[1]
