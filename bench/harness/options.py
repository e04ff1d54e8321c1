"""What a run was asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The choices that measures and peers look at."""

    rounds: int
    quick: bool
    access_log: bool
    large_mib: int
    zb_tests: str
    startup_blobs: int
    seeded: int
    directory: Path
    havre: Path

    def pick(self, full, quick):
        """`quick` in a quick run, else `full`."""
        return quick if self.quick else full
