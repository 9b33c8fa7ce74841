"""Runs benchmarks: python -m bench [--quick] [--against COMMIT] [--rows N] [NAME]; --help lists the names."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NamedTuple

from bench import machine
from bench.contenders import EARLIER, OURS
from bench.earlier import files_of
from bench.load import LoadFailed
from bench.results import write_numbers, write_section
from bench.stores import ROOT
from bench.targets import target_table

_STARTED = time.monotonic()


class Outcome(NamedTuple):
    """The result of a benchmark."""

    numbers: Any  # raw, for the JSON file
    text: str  # for docs/performance.md
    faults: list[str]


def main() -> int:
    """Run the chosen benchmarks; return the exit code."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all processes started here are stopped
    subprocess.run([ROOT / "bench" / "install.sh"], check=True)
    tempfile.tempdir = "/var/tmp"  # noqa: S108 on disk: fsync in memory would cost nothing
    machine.keep_off_the_server_core()
    names = list(_BENCHMARKS) if options.what == "all" else [options.what]
    faults = [fault for name in names for fault in _run(name, options)]
    for fault in faults:
        print(f"FAULT {fault}", file=sys.stderr)
    return 1 if faults else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="The benchmarks.")
    parser.add_argument("what", nargs="?", default="serving", choices=[*_BENCHMARKS, "all"])
    parser.add_argument("--quick", action="store_true", help="short and rough; does not change docs/")
    parser.add_argument(
        "--against", metavar="COMMIT", help="serving: measure the api of COMMIT too; does not change docs/"
    )
    parser.add_argument(
        "--rows", type=int, help="training: this many rows, beside bare COPY only; its own table"
    )
    options = parser.parse_args()
    if options.against and options.what != "serving":
        parser.error("--against goes with the benchmark serving")
    if options.rows and (options.what != "training" or options.quick or options.rows < 1):
        parser.error("--rows takes a positive number, goes with the benchmark training and not with --quick")
    return options


def _run(name: str, options: argparse.Namespace) -> list[str]:
    try:
        outcome = _BENCHMARKS[name](options)
    except (LoadFailed, RuntimeError) as error:
        return [f"{name}: {error}"]
    variant = ("-quick" if options.quick else "") + ("-against" if options.against else "")
    section = f"long {name}" if options.rows else name
    path = write_numbers(section.replace(" ", "-") + variant, outcome.numbers)
    software = "" if name in {"stack", "jobs"} else f" {machine.software()}"  # its programs are in its images
    text = f"{outcome.text}\n\n{machine.hardware()}{software} Measured on {datetime.now(UTC):%Y-%m-%d}."
    print(f"\n{text}\n\nraw numbers: {path.relative_to(ROOT)}", flush=True)
    if not variant and not outcome.faults:
        write_section(section, text)
    return [f"{name}: {fault}" for fault in outcome.faults]


def _progress(line: str) -> None:
    print(f"{time.monotonic() - _STARTED:>6.1f} s  {line}", flush=True)


def _serving(options: argparse.Namespace) -> Outcome:
    from bench import serving, summary, tables  # noqa: PLC0415 each benchmark needs other libraries

    plan = serving.QUICK if options.quick else serving.FULL
    with files_of(options.against) if options.against else nullcontext() as earlier:
        runs, limits = serving.measure(plan, _progress, earlier)
    lines = summary.summarize(runs)
    parts = [target_table(tables.targets(lines, limits)), "64 connections:", tables.throughput_table(lines),
             "One connection:", tables.latency_table(lines), tables.limits_table(limits)]  # fmt: skip
    if options.against:
        ratios = summary.ratios(runs, OURS, EARLIER)
        parts += [f"Today's api divided by that of {options.against}:", tables.earlier_table(ratios)]
    faults = [f"{run.contender}, {run.load}, {run.connections}: {run.fault}" for run in runs if run.fault]
    return Outcome({"runs": runs, "limits": limits}, "\n\n".join(parts), faults)


def _training(options: argparse.Namespace) -> Outcome:
    from bench import long_training, training  # noqa: PLC0415

    if options.rows:
        long = long_training.measure(options.rows, _progress)
        return Outcome(long, long_training.describe(long), [])
    found = training.measure(training.QUICK_SIZES if options.quick else training.SIZES, _progress)
    return Outcome(found, training.describe(found), [])


def _growth(options: argparse.Namespace) -> Outcome:
    from bench import growth  # noqa: PLC0415

    found, retention = growth.measure(growth.QUICK_SIZES if options.quick else growth.SIZES, _progress)
    return Outcome([found, retention], growth.describe(found, retention), [])


def _by(module: str, full: tuple[float, ...], quick: tuple[float, ...]) -> Benchmark:
    """Return a benchmark whose module has `measure`, with these arguments, and `describe`."""

    def benchmark(options: argparse.Namespace) -> Outcome:
        measured = import_module(f"bench.{module}")
        found = measured.measure(*(quick if options.quick else full), _progress)
        return Outcome(found, measured.describe(found), [])

    return benchmark


Benchmark = Callable[[argparse.Namespace], Outcome]
_ROUNDS, _ROUGHLY = (5, 3.0), (1, 1.0)  # rounds, seconds of a run
_BENCHMARKS: dict[str, Benchmark] = {
    "serving": _serving,
    "models": _by("models", _ROUNDS, _ROUGHLY),
    "replicas": _by("replicas", _ROUNDS, _ROUGHLY),
    "peers": _by("peer_runs", _ROUNDS, _ROUGHLY),
    "shadow": _by("shadow", _ROUNDS, _ROUGHLY),
    "training": _training,
    "growth": _growth,
    "hotspots": _by("hotspots", (15.0,), (3.0,)),
    "stack": _by("stack", (3,), (1,)),
    "jobs": _by("jobs", (10.0,), (2.0,)),
}

if __name__ == "__main__":
    sys.exit(main())
