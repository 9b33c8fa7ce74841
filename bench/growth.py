"""Speed of the prediction log as it grows: months of history, the api's INSERT, two typical queries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from statistics import median

import asyncpg
import msgspec
import psycopg2

from api.prediction.identifiers import new_prediction_id
from api.prediction.log_record import LogRecord
from api.prediction.log_table import insertion
from bench.history import ask, fill, make_partitions
from bench.stores import PREDICTIONS, ROOT, create_database, inference_url, running_postgres
from bench.targets import table
from tests.harness.processes.store_process import PostgresServer

SIZES, QUICK_SIZES = (100_000, 1_000_000, 10_000_000), (10_000, 100_000)
_BATCH, _BATCHES, _REPEATS = 64, 200, 30
_KEEP_DAYS = 75

_QUERIES = {
    "latest 10": 'SELECT * FROM predictions ORDER BY "timestamp" DESC LIMIT 10',
    "last hour": """SELECT count(*), avg(latency) FROM predictions
                     WHERE "timestamp" >= now() - interval '1 hour'""",
}


class Size(msgspec.Struct, frozen=True):
    """The figures with `rows` rows in the log; times in seconds."""

    rows: int
    bytes_per_row: float
    queries: dict[str, float]  # planning and execution
    insert: float  # a batch, committed


class Retention(msgspec.Struct, frozen=True):
    """How long it took to drop the old partitions."""

    rows_before: int
    rows_after: int
    seconds: float


def measure(sizes: tuple[int, ...], progress: Callable[[str], None]) -> tuple[list[Size], Retention]:
    """Fill the log for each size and measure; at the last size, let retention drop old partitions."""
    found = []
    with running_postgres() as server:
        create_database(server, PREDICTIONS, ROOT / "postgres" / "access.sql")
        make_partitions(server)
        for rows in sizes:
            fill(server, rows, progress)
            queries = _time_queries(server)
            insert = asyncio.run(_time_insert(inference_url(server)))
            found.append(Size(rows, _bytes_per_row(server), queries, insert))
            progress(f"{rows} rows: {found[-1]}")
        before = _count(server)
        started = time.perf_counter()
        ask(server, "UPDATE retention SET log_days = %(days)s", {"days": _KEEP_DAYS})
        ask(server, "SELECT maintain_predictions()")
        retention = Retention(before, _count(server), time.perf_counter() - started)
    return found, retention


def describe(found: list[Size], retention: Retention) -> str:
    """Return the table, and how long retention took."""
    insert = f"rows/s, INSERT of {_BATCH}, committed"
    headings = (
        "rows in the log",
        insert,
        *(f"{name}, ms" for name in _QUERIES),
        "bytes per row, with indexes",
    )
    return (
        f"{table(headings, [_row(size) for size in found])}\n\n"
        f"`RETENTION_DAYS={_KEEP_DAYS}` then dropped {retention.rows_before - retention.rows_after:,} of "
        f"{retention.rows_before:,} rows in {retention.seconds:.2f} s."
    )


def _row(size: Size) -> tuple[str, ...]:
    queries = (f"{size.queries[name] * 1e3:.2f}" for name in _QUERIES)
    return (f"{size.rows:,}", f"{_BATCH / size.insert:,.0f}", *queries, f"{size.bytes_per_row:.0f}")


async def _time_insert(url: str) -> float:
    """Return the median time of the api's INSERT of a batch."""
    connection = await asyncpg.connect(url)
    seconds = []
    for _ in range(_BATCHES):
        records = [_record() for _ in range(_BATCH)]
        started = time.perf_counter()
        statement, arguments = insertion(records)
        await connection.execute(statement, *arguments)
        seconds.append(time.perf_counter() - started)
    await connection.close()
    return median(seconds)


def _record() -> LogRecord:
    """Return a row as the api writes it."""
    text, milliseconds = new_prediction_id()
    return LogRecord(
        id=text, input_data="[[5.0]]", predictions="[11.0]", confidence="[0.993]", milliseconds=milliseconds,
        model_version=1, cached=False, intervals="[[10.0, 12.0]]", request_id=text.replace("-", ""),
        latency=0.001,
    )  # fmt: skip


def _time_queries(server: PostgresServer) -> dict[str, float]:
    """Return the median time of each query, planning included."""
    times: dict[str, list[float]] = {name: [] for name in _QUERIES}
    with closing(psycopg2.connect(server.url(PREDICTIONS))) as connection, connection.cursor() as cursor:
        for name, query in list(_QUERIES.items()) * _REPEATS:
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query}")
            (plan,) = cursor.fetchall()[0][0]
            times[name].append((plan["Planning Time"] + plan["Execution Time"]) / 1e3)
    return {name: median(seconds) for name, seconds in times.items()}


def _bytes_per_row(server: PostgresServer) -> float:
    query = "SELECT sum(pg_total_relation_size(relid))::float8 FROM pg_partition_tree('predictions')"
    return float(ask(server, query)) / _count(server)


def _count(server: PostgresServer) -> int:
    return int(ask(server, "SELECT count(*) FROM predictions"))
