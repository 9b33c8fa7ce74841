"""Steps 00 and 10 on a very long table, beside bare COPY: python -m bench training --rows N."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.stores import create_database, running_postgres
from bench.targets import Target, table, target_table
from bench.training import COPY, HEADINGS, OURS, Measured, TrainingBench, row

_BYTES_OF_A_ROW = 44 + 44 + 26  # in our table, in that of COPY, in the file of binary rows
_SPARE = 6 << 30  # the write-ahead log, and what a machine needs
_SECONDS_OF_COPY, _AMBITIOUS = 1.6, 1.3
_HELD_MB = 400  # for a table that is streamed, whatever its length


def measure(rows: int, progress: Callable[[str], None]) -> list[Measured]:
    """Measure both once; raise RuntimeError if the disk has too little room."""
    need, free = rows * _BYTES_OF_A_ROW + _SPARE, shutil.disk_usage(tempfile.gettempdir()).free
    if free < need:
        raise RuntimeError(
            f"{rows:,} rows need {need / 1e9:.0f} GB in {tempfile.gettempdir()}, {free / 1e9:.0f} are free"
        )
    with running_postgres() as server, TemporaryDirectory(prefix="ml-stack-bench-") as directory:
        urls = {key: create_database(server, name) for key, name in {OURS: "ours", COPY: "copy"}.items()}
        bench = TrainingBench(urls, Path(directory))
        found = []
        for contender in (bench.ours, bench.copy):
            one = contender(rows)
            found.append(one)
            progress(f"{one.contender}: {rows:,} rows, {one.write.seconds:.1f} + {one.read.seconds:.1f} s")
    return found


def describe(found: list[Measured]) -> str:
    """Return the tables."""
    ours, copy = found
    job = f"prepare + train on {ours.rows:,} rows"
    targets = [
        Target(
            f"{job}: our time by bare COPY's",
            ours.seconds / copy.seconds,
            _SECONDS_OF_COPY,
            _AMBITIOUS,
            "×",
            True,
        ),
        Target("peak memory of step 10", ours.read.peak_mb, _HELD_MB, None, "MB", at_most=True),
    ]
    return f"{target_table(targets)}\n\n{table(HEADINGS, [row(one) for one in found])}"
