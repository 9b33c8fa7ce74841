"""The log of faults at random: one JSON line for each round, so that a run can go on where it was ended."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.machine import hardware
from tests.harness.repository_root import ROOT

LOG = ROOT / "build" / "chaos.jsonl"


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What a round of faults did. Times are in seconds."""

    seed: str
    number: int
    date: str
    machine: str
    commit: str
    faults: list[str]
    seconds: float  # from the first fault until everything was checked
    requests: int
    failed: int
    unexpected: int  # of the failed: those that had to be answered
    lost: int
    doubled: int
    different: int
    truths: int = 0  # true values that were sent, and what became of them
    truths_failed: int = 0
    truths_unexpected: int = 0
    truths_lost: int = 0
    truths_doubled: int = 0
    truths_different: int = 0
    recovery: float  # from the faults' end until the api was healthy and answered without a failure

    def line(self, faults: int, goal: int) -> str:
        """Return the round as a line of progress."""
        progress = f"{faults} of {goal}" if goal else str(faults)
        counted = f"{self.requests} requests, {self.failed} failed, {self.unexpected} of them unexpectedly"
        counted += f", {self.lost} lost, {self.doubled} doubled"
        counted += f"; {self.truths} true values, {self.truths_failed} failed"
        counted += f", {self.truths_lost} lost, {self.truths_doubled} doubled"
        happened = f"{', '.join(self.faults)} ({self.seconds:.1f} s): {counted}"
        return f"round {self.number}, {progress} faults: {happened}"


def read(path: Path = LOG) -> list[Round]:
    """Return the rounds of a log; a line that a killed run has cut short is left out."""
    rounds: list[Round] = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            rounds.append(msgspec.json.decode(line, type=Round))
        except msgspec.DecodeError:
            continue
    return rounds


def append(entry: Round, path: Path = LOG) -> None:
    """Add a round; on a line of its own even after a line that was cut short."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log:
        log.write((b"\n" if log.tell() else b"") + msgspec.json.encode(entry))


def circumstances() -> dict[str, str]:
    """Return when, where and on what a round runs."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": hardware(),
        "commit": _git("rev-parse", "--short=10", "HEAD") + (" with changes" if changed else ""),
    }


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"
