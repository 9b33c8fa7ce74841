"""The stores of the benchmarks: real processes on loopback, as durable as in production.

PostgreSQL runs as in the Compose file (fsync on). Redis runs with redis/redis.conf, once with
`appendfsync always`, which is what the stack ships, and once with `everysec`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2

import redis
from tests.harness.processes.store_process import SUPERUSER_PASSWORD, PostgresServer, RedisServer
from tests.harness.processes.stores import postgres_server, redis_server

ROOT = Path(__file__).resolve().parents[1]
PREDICTIONS, TEXTBOOK = "predictions", "textbook"
_INFERENCE_PASSWORD = "inference-demo"
_POSTGRES_SETTINGS = ("shared_buffers=128MB", "max_wal_size=2GB")
_SET_HERE = {"bind", "dir", "appendonly", "save", "appendfsync"}


@dataclass(frozen=True)
class Stores:
    """The running stores."""

    postgres: PostgresServer
    everysec: RedisServer
    always: RedisServer


@contextmanager
def running_stores() -> Iterator[Stores]:
    """Start PostgreSQL with the prediction log and the textbook's table, and the two Redis."""
    with (
        running_postgres() as postgres,
        everysec_redis() as everysec,
        durable_redis() as always,
    ):
        create_database(postgres, PREDICTIONS, ROOT / "postgres" / "access.sql")
        create_database(postgres, TEXTBOOK, ROOT / "bench" / "peers" / "textbook.sql")
        yield Stores(postgres, everysec, always)


def durable_redis() -> AbstractContextManager[RedisServer]:
    """Start Redis with the shipped settings."""
    return redis_server(*_shipped_redis_settings(), "--appendfsync", "always")


def everysec_redis() -> AbstractContextManager[RedisServer]:
    """Start Redis with the shipped settings but for `appendfsync everysec`."""
    return redis_server(*_shipped_redis_settings(), "--appendfsync", "everysec")


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start PostgreSQL with the Compose file's settings."""
    with postgres_server(*_POSTGRES_SETTINGS) as server:
        yield server


def create_database(server: PostgresServer, name: str, script: Path | None = None) -> str:
    """Create a database, run a psql script in it, return its URL for the superuser."""
    server.execute(f"CREATE DATABASE {name}")
    passwords = {"POSTGRES_PASSWORD": SUPERUSER_PASSWORD, "INFERENCE_PASSWORD": _INFERENCE_PASSWORD}
    if script is not None:
        command = ["psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", str(script)]
        command += ["--output", os.devnull, server.url(name)]
        subprocess.run(command, env=os.environ | passwords, check=True)
    return server.url(name)


def inference_url(server: PostgresServer) -> str:
    """Return the URL that the api connects with: a role that may only insert and read."""
    return server.url(PREDICTIONS, "inference", _INFERENCE_PASSWORD)


def flush(server: RedisServer) -> None:
    """Empty the cache."""
    with closing(redis.Redis(port=server.port)) as client:
        client.flushall()


def truncate(server: PostgresServer, database: str) -> None:
    """Empty the database's table of predictions."""
    server.execute("TRUNCATE predictions", database)


def count_rows(server: PostgresServer, database: str) -> int:
    """Return the number of logged predictions."""
    with closing(psycopg2.connect(server.url(database))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM predictions")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def cache_hits(server: RedisServer) -> int:
    """Return the number of look-ups since Redis started that were hits."""
    with closing(redis.Redis(port=server.port, decode_responses=True)) as client:
        statistics = client.info("stats")
    assert isinstance(statistics, dict)
    return int(statistics["keyspace_hits"])


def _shipped_redis_settings() -> list[str]:
    lines = (ROOT / "redis" / "redis.conf").read_text().splitlines()
    directives = [line.split() for line in lines if line and not line.startswith("#")]
    kept = [words for words in directives if words[0] not in _SET_HERE]
    return [part for name, *values in kept for part in (f"--{name}", *values)]
