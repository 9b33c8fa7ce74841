"""CPU time of processes: unlike the clock, it hardly minds what else the machine does."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: list[int]) -> float:
    """Return the user and system time that the processes and their children now running have used."""
    return sum(_own_seconds(pid) for root in pids for pid in (root, *_children(root)))


def _own_seconds(pid: int) -> float:
    # The second field is the name in parentheses, and may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
