"""Time and peak memory of a command, measured by bench/child.py."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec

from bench.stores import ROOT


class Cost(msgspec.Struct, frozen=True):
    """The cost of one process."""

    seconds: float
    peak_mb: float


def run(settings: dict[str, str], *command: str) -> Cost:
    """Run the command in the project's folder; raise RuntimeError with the end of its output if it fails."""
    child = [sys.executable, str(ROOT / "bench" / "child.py"), *command]
    done = subprocess.run(
        child, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:2])} ended with {done.returncode}: {done.stderr[-800:]}")
    return msgspec.json.decode(done.stdout, type=Cost)
