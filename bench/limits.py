"""What the stores can do for one client, measured in the same run: limits of a request at one connection."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from statistics import median

import msgspec
import psycopg2

import redis
from bench.stores import TEXTBOOK, Stores

_TIMES = 500
_INSERT = """
INSERT INTO predictions (input_data, prediction, confidence, timestamp) VALUES ('[1.0]', 3.0, 0.95, now())"""


class Limits(msgspec.Struct, frozen=True):
    """Medians in seconds, of one connection that does nothing else."""

    commit: float  # INSERT of one row, and its commit
    mget: float  # of one key


def measure_limits(stores: Stores) -> Limits:
    """Measure both; the table is emptied before each run of a contender."""
    with (
        closing(psycopg2.connect(stores.postgres.url(TEXTBOOK))) as connection,
        closing(redis.Redis(port=stores.always.port)) as client,
    ):
        connection.autocommit = True  # one round trip: the commit is the statement's
        cursor = connection.cursor()
        return Limits(_median_of(lambda: cursor.execute(_INSERT)), _median_of(lambda: client.mget("1")))


def _median_of(action: Callable[[], object]) -> float:
    seconds = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return median(seconds)
