"""How fast the queue of the prediction log drains: python -m bench.drain [ROWS].

Rows of one instance wait in Redis, as the api put them there while PostgreSQL was away; then the api's own
loop drains them. For each number of rows that one round trip to Redis may read: rows a second.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from unittest.mock import patch

from api.connections.address import StoreAddress
from api.connections.background import running
from api.connections.postgres import PostgresConnection
from api.connections.redis import RedisConnection
from api.prediction import log_queue
from api.prediction.identifiers import new_prediction_id
from api.prediction.log_queue import LogQueue
from api.prediction.log_record import LogRecord
from api.prediction.prediction_log import PredictionLog
from api.prediction.sealing import Sealer
from bench import machine
from mlstack.runtime.secret_files import Secret
from tests.harness.processes.inference import Stores, stores

ROWS = 50_000
_READS = (10, 100, 500)  # rows a round trip
_APPENDED = 250
_SECONDS = 60.0  # for one command: nothing here tests a time-out


def row() -> bytes:
    """Return a row of one instance of the demonstration's model."""
    id_, milliseconds = new_prediction_id()
    record = LogRecord(
        id_, "[[5.0]]", "[11.000039904593]", "[0.9926110284152]", milliseconds, 1, False,
        "[[9.9811234567, 12.0188765433]]", "0123456789abcdef0123456789abcdef", 0.0012,
    )  # fmt: skip
    return record.json()


async def drain(at: Stores, rows: int, a_trip: int) -> float:
    """Queue rows, drain them, and return the seconds of the latter."""
    redis = RedisConnection(StoreAddress("redis", Secret("REDIS_URL", lambda: at.redis.url("api"))))
    database = StoreAddress("postgres", Secret("DATABASE_URL", lambda: at.inference_url))
    connections = [PostgresConnection(database) for _ in range(3)]
    queue = LogQueue(redis, Sealer(["sealing-key-of-the-benchmark"]), rows, _SECONDS)
    log = PredictionLog(connections, queue, _SECONDS, _SECONDS)
    async with AsyncExitStack() as stack:
        for keep_connected in (redis.keep_connected, *[each.keep_connected for each in connections]):
            await stack.enter_async_context(running(keep_connected))
        while not (queue.available and all(each.available for each in connections)):
            await asyncio.sleep(0.01)
        for _ in range(rows // _APPENDED):
            await queue.append([row() for _ in range(_APPENDED)], _SECONDS)
        started = time.perf_counter()
        with patch.object(log_queue, "_READ_ROWS", a_trip):
            await stack.enter_async_context(running(log.drain_forever))
            while await queue.length():
                await asyncio.sleep(0.01)
        return time.perf_counter() - started


def main(rows: int, write: Callable[[str], object] = sys.stdout.write) -> None:
    """Print one line for each number of rows a round trip."""
    write(f"{machine.hardware()}; {rows:,} rows of one instance\n\n")
    write("| rows read a round trip | rows drained a second |\n| --: | --: |\n")
    with stores() as at:
        for a_trip in _READS:
            seconds = asyncio.run(drain(at, rows, a_trip))
            write(f"| {a_trip} | {rows / seconds:,.0f} |\n")
        logged = at.sql("SELECT count(*) FROM predictions")[0][0]
    assert logged == rows * len(_READS), f"{logged} rows are in the table"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
