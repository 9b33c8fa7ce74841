"""Runs benchmarks: python -m bench [--quick] [serving|training|growth|hotspots|stack|all]."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bench import machine
from bench.bars import bar_table
from bench.document import write_numbers, write_section
from bench.load import LoadFailed
from bench.stores import ROOT

_STARTED = time.monotonic()


class Outcome(NamedTuple):
    """What a benchmark hands back."""

    numbers: Any  # raw, as they go into the JSON
    text: str  # as it goes into the document
    faults: list[str]


def main() -> int:
    """Run what was asked for; return the exit code."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything that was started is stopped
    subprocess.run([ROOT / "bench" / "install.sh"], check=True)
    tempfile.tempdir = "/var/tmp"  # noqa: S108 on disk: with a data directory in memory fsync would cost nothing
    machine.keep_off_the_server_core()
    names = list(_BENCHMARKS) if options.what == "all" else [options.what]
    faults = [fault for name in names for fault in _run(name, quick=options.quick)]
    for fault in faults:
        print(f"FAULT {fault}", file=sys.stderr)
    return 1 if faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="The benchmarks.")
    parser.add_argument("what", nargs="?", default="serving", choices=[*_BENCHMARKS, "all"])
    parser.add_argument("--quick", action="store_true", help="short and rough; changes no document")
    return parser


def _run(name: str, *, quick: bool) -> list[str]:
    try:
        outcome = _BENCHMARKS[name](quick)
    except (LoadFailed, RuntimeError) as error:
        return [f"{name}: {error}"]
    path = write_numbers(f"{name}-quick" if quick else name, outcome.numbers)
    software = "" if name == "stack" else f" {machine.software()}"  # its programs are in its images
    text = f"{outcome.text}\n\n{machine.hardware()}{software} Measured on {datetime.now(UTC):%Y-%m-%d}."
    print(f"\n{text}\n\nraw numbers: {path.relative_to(ROOT)}", flush=True)
    if not quick and not outcome.faults:
        write_section(name, text)
    return [f"{name}: {fault}" for fault in outcome.faults]


def _progress(line: str) -> None:
    print(f"{time.monotonic() - _STARTED:>6.1f} s  {line}", flush=True)


def _serving(quick: bool) -> Outcome:
    from bench import serving, summary, tables  # noqa: PLC0415 each benchmark needs its own half of the libraries

    runs = serving.measure(serving.QUICK if quick else serving.FULL, _progress)
    lines = summary.summarize(runs)
    text = "\n\n".join(
        (bar_table(tables.bars(lines)), "64 connections:", tables.throughput_table(lines),
         "One connection:", tables.latency_table(lines))
    )  # fmt: skip
    faults = [f"{run.contender}, {run.load}, {run.connections}: {run.fault}" for run in runs if run.fault]
    return Outcome(runs, text, faults)


def _training(quick: bool) -> Outcome:
    from bench import training  # noqa: PLC0415

    found = training.measure(training.QUICK_SIZES if quick else training.SIZES, _progress)
    return Outcome(found, training.describe(found), [])


def _growth(quick: bool) -> Outcome:
    from bench import growth  # noqa: PLC0415

    found, retention = growth.measure(growth.QUICK_SIZES if quick else growth.SIZES, _progress)
    return Outcome([found, retention], growth.describe(found, retention), [])


def _hotspots(quick: bool) -> Outcome:
    from bench import hotspots  # noqa: PLC0415

    found = hotspots.measure(3.0 if quick else 15.0, _progress)
    return Outcome(found, hotspots.describe(found), [])


def _stack(quick: bool) -> Outcome:
    from bench import stack  # noqa: PLC0415

    numbers = stack.measure(1 if quick else 3, _progress)
    return Outcome(numbers, stack.describe(numbers), [])


_BENCHMARKS: dict[str, Callable[[bool], Outcome]] = {
    "serving": _serving,
    "training": _training,
    "growth": _growth,
    "hotspots": _hotspots,
    "stack": _stack,
}

if __name__ == "__main__":
    sys.exit(main())
