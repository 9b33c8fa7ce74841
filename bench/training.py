"""The training side: steps 00 and 10 as they run in the stack, compared with pandas and with bare COPY.

Every figure is of whole processes, imports included: wall-clock time, peak memory as the kernel counts it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec

from bench.cost import Cost, run
from bench.stores import ROOT, create_database, running_postgres
from bench.targets import Target, table, target_table
from mlstack.data.binary_copy import HEADER, TRAILER, encode_rows
from mlstack.data.generation import Generation, generate

SIZES, QUICK_SIZES = (100_000, 1_000_000, 10_000_000), (10_000, 100_000)
_BOUND = 120.0  # seconds; a contender gets ten times as many rows if that would take it less
_TURNS = 3
_TABLE = "CREATE TABLE linear_data (x double precision, y double precision)"
HEADINGS = ("contender", "rows", "write s; peak MB", "read and train s; peak MB", "µs per row")
OURS, PANDAS, COPY = "our steps 00 and 10", "pandas to_sql, read_sql, fit", "bare COPY in and out (psql)"


class Measured(msgspec.Struct, frozen=True):
    """One contender at one size: the costs of writing the table and of reading it (and training)."""

    contender: str
    rows: int
    write: Cost
    read: Cost

    @property
    def seconds(self) -> float:
        """Time to write and read."""
        return self.write.seconds + self.read.seconds

    @property
    def microseconds(self) -> float:
        """Time to write and read one row."""
        return self.seconds / self.rows * 1e6


Contender = Callable[[int], Measured]  # with so many rows


class TrainingBench:
    """The contenders, each with a database of its own."""

    def __init__(self, url: dict[str, str], directory: Path) -> None:
        self._url, self._directory = url, directory
        self._seed = 667

    def ours(self, rows: int) -> Measured:
        """Run steps 00 and 10."""
        self._seed += 1  # other rows each time: with the same data the steps have nothing to do
        settings = {
            "DATABASE_URL": self._url[OURS],
            "DATA_SAMPLES": str(rows),
            "DATA_SEED": str(self._seed),
            "MODEL_DIR": str(self._directory / "models"),
        }
        steps = (run(settings, sys.executable, step) for step in ("00-prepare_data.py", "10-train_model.py"))
        return Measured(OURS, rows, *steps)

    def pandas(self, rows: int) -> Measured:
        """Run the pandas scripts."""
        self._seed += 1
        settings = {"PYTHONPATH": str(ROOT / "build" / "bench" / "site-packages")}
        peers = ROOT / "bench" / "peers"
        url, model = self._url[PANDAS], str(self._directory / "model.pkl")
        prepare = (str(peers / "pandas_prepare.py"), url, str(rows), str(self._seed))
        train = (str(peers / "pandas_train.py"), url, model)
        steps = (run(settings, sys.executable, *step) for step in (prepare, train))
        return Measured(PANDAS, rows, *steps)

    def copy(self, rows: int) -> Measured:
        """Copy ready-made binary rows in and out."""
        path = self._directory / "rows.copy"
        with path.open("wb") as file:
            pieces = map(encode_rows, generate(Generation(rows=rows)))
            file.writelines((HEADER, *pieces, TRAILER))
        psql = ("psql", "--no-psqlrc", "--quiet", self._url[COPY])
        run({}, *psql, "-c", "DROP TABLE IF EXISTS linear_data", "-c", _TABLE)
        ways = (f"FROM '{path}'", f"TO '{os.devnull}'")
        steps = (run({}, *psql, "-c", f"\\copy linear_data {way} (FORMAT binary)") for way in ways)
        return Measured(COPY, rows, *steps)


def measure(sizes: tuple[int, ...], progress: Callable[[str], None]) -> list[Measured]:
    """Measure every contender at every size within its time, in turns; medians of three."""
    with running_postgres() as server, TemporaryDirectory(prefix="ml-stack-bench-") as directory:
        names = {OURS: "ours", PANDAS: "pandas", COPY: "copy"}
        urls = {key: create_database(server, name) for key, name in names.items()}
        bench = TrainingBench(urls, Path(directory))
        contenders: dict[str, Contender] = {OURS: bench.ours, COPY: bench.copy, PANDAS: bench.pandas}
        found: list[Measured] = []
        for rows in sizes:
            for name in [name for name in contenders if _takes_too_long(found, name)]:
                progress(f"{name}: {rows} rows would take more than {_BOUND:.0f} s")
                del contenders[name]
            turns = [[contender(rows) for contender in contenders.values()] for _ in range(_TURNS)]
            found += map(_middle, zip(*turns, strict=True))
            for one in found[-len(contenders) :]:
                progress(f"{one.contender}: {rows} rows, {one.write.seconds:.2f} + {one.read.seconds:.2f} s")
    return found


def _takes_too_long(found: list[Measured], contender: str) -> bool:
    """Return whether ten times as many rows would take it too long."""
    seconds = [one.seconds for one in found if one.contender == contender]
    return bool(seconds) and 10 * (seconds[-1] - seconds[0]) > _BOUND


def describe(found: list[Measured]) -> str:
    """Return the tables."""
    largest = {one.contender: one for one in found}  # the last of each
    ours, per_row = largest[OURS], {name: one.microseconds for name, one in largest.items()}
    times_pandas = per_row[PANDAS] / per_row[OURS]
    times_copy = per_row[OURS] / per_row[COPY]
    job = f"prepare + train on {ours.rows:,} rows, per row: "
    targets = [
        Target(f"{job}pandas' time ({largest[PANDAS].rows:,} rows) by ours", times_pandas, 15, None, "×"),
        Target(f"{job}our time by bare COPY's", times_copy, 1.6, 1.3, "×", at_most=True),
    ]
    return f"{target_table(targets)}\n\n{table(HEADINGS, [row(one) for one in found])}"


def row(one: Measured) -> tuple[str, ...]:
    """Return a line of the table."""
    costs = (f"{cost.seconds:.2f}; {cost.peak_mb:.0f}" for cost in (one.write, one.read))
    return (one.contender, f"{one.rows:,}", *costs, f"{one.microseconds:.2f}")


def _middle(measured: tuple[Measured, ...]) -> Measured:
    first = measured[0]
    write, read = ([getattr(one, side) for one in measured] for side in ("write", "read"))
    return Measured(first.contender, first.rows, _median(write), _median(read))


def _median(costs: list[Cost]) -> Cost:
    return Cost(median(cost.seconds for cost in costs), max(cost.peak_mb for cost in costs))
