"""The inference service as it runs in its container: `python -m api` as a process, against real stores."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg2

import redis as redis_client
from tests.harness.processes.serving import ServingProcess, eventually
from tests.harness.processes.store_process import SUPERUSER_PASSWORD, PostgresServer, RedisServer
from tests.harness.processes.stores import free_port, postgres_server, shipped_redis
from tests.harness.repository_root import ROOT

DATABASE = "predictions"
INFERENCE_PASSWORD = "inference-demo"
QUEUE, REJECTED = "predictions:queue", "predictions:rejected"


@dataclass
class Stores:
    """A PostgreSQL with the prediction log's schema, and a Redis; both belong to one module of tests."""

    postgres: PostgresServer
    redis: RedisServer

    @property
    def inference_url(self) -> str:
        """The log as the api sees it: role `inference`."""
        return self.postgres.url(DATABASE, "inference", INFERENCE_PASSWORD)

    def sql(self, query: str, *arguments: object, url: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement on the log, as the superuser unless `url` says otherwise; return its rows."""
        with closing(psycopg2.connect(url or self.postgres.url(DATABASE))) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(query, arguments)
            return list(cursor.fetchall()) if cursor.description else []

    def connect_redis(self) -> redis_client.Redis:
        """Return a client that never retries: its errors are Redis' own."""
        return redis_client.Redis.from_url(self.redis.url(), socket_timeout=5)

    def queued(self) -> int:
        """Return how many rows wait in Redis."""
        with self.connect_redis() as client:
            return int(client.xlen(QUEUE))

    def times_logged(self, ids: list[str]) -> dict[str, int]:
        """Return how many rows each of the ids has."""
        counted = self.sql(
            "SELECT id::text, count(*) FROM predictions WHERE id = ANY(%s::uuid[]) GROUP BY id", ids
        )
        return dict.fromkeys(ids, 0) | dict(counted)


@contextmanager
def stores() -> Iterator[Stores]:
    """Start both stores and prepare the log as the service postgres-access does."""
    with postgres_server() as postgres, shipped_redis() as redis:
        postgres.execute(f"CREATE DATABASE {DATABASE}")
        prepare_log(postgres)
        yield Stores(postgres, redis)


def prepare_log(postgres: PostgresServer, **settings: str) -> None:
    """Run postgres/access.sql; it may be repeated. `settings` are environment variables."""
    program = shutil.which("psql")
    assert program, "psql comes with the PostgreSQL server's package"
    passwords = {"POSTGRES_PASSWORD": SUPERUSER_PASSWORD, "INFERENCE_PASSWORD": INFERENCE_PASSWORD}
    options = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]
    script = ["--file", str(ROOT / "postgres" / "access.sql")]
    command = [program, *options, *script, postgres.url(DATABASE)]
    subprocess.run(command, env=os.environ | passwords | settings, check=True, capture_output=True)


@contextmanager
def inference(
    model_dir: Path, log_path: Path, stores: Stores, *prefix: str, **settings: object
) -> Iterator[ServingProcess]:
    """Run the service until the block ends; `settings` are environment variables, such as MAX_PENDING=2.

    `prefix` is put before its command.
    """
    port = free_port()
    environment = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "MODEL_DIR": str(model_dir),
        "DATABASE_URL": stores.inference_url,
        "REDIS_URL": stores.redis.url("api"),
        **{name: str(value) for name, value in settings.items()},
    }
    command = [*prefix, sys.executable, "-m", "api"]
    with (
        log_path.open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client,
    ):
        try:
            eventually(lambda: process.poll() is not None or _is_alive(client), 60)
            assert _is_alive(client), log_path.read_text()
            yield ServingProcess(process, client, port, model_dir, log_path)
        finally:
            process.kill()


@contextmanager
def undisturbed(
    model_dir: Path, log_path: Path, stores: Stores, **settings: object
) -> Iterator[ServingProcess]:
    """Run the service with stores that stay up: on a busy machine they may be slow, and the service waits."""
    settings = {"CACHE_TIMEOUT_SECONDS": 10, "INSERT_TIMEOUT_SECONDS": 10} | settings
    with inference(model_dir, log_path, stores, **settings) as process:
        assert eventually(lambda: is_healthy(process)), log_path.read_text()
        yield process


def is_healthy(process: ServingProcess) -> bool:
    """Return whether the service reaches its model and both stores."""
    return str(process.client.get("/health").json()["status"]) == "healthy"


def _is_alive(client: httpx.Client) -> bool:
    try:
        return client.get("/livez").status_code == 200
    except httpx.TransportError:
        return False
