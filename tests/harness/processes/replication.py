"""A PostgreSQL with a synchronous standby, by streaming replication as an operator sets it up."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.harness.processes.inference import DATABASE, INFERENCE_PASSWORD, Stores, prepare_log
from tests.harness.processes.outage import signal_all
from tests.harness.processes.store_process import SUPERUSER_PASSWORD, PostgresServer
from tests.harness.processes.stores import (
    accepts_sql,
    free_port,
    new_directory,
    postgres_home,
    postgres_server,
    running,
    shipped_redis,
    unprivileged,
)


@dataclass
class ReplicatedStores(Stores):
    """The log's stores, of which `postgres` is the primary at first."""

    standby: PostgresServer

    @property
    def inference_url(self) -> str:
        """Both servers, the standby first: order must not matter."""
        servers = f"127.0.0.1:{self.standby.port},127.0.0.1:{self.postgres.port}"
        return f"postgresql://inference:{INFERENCE_PASSWORD}@{servers}/{DATABASE}"

    def promote(self) -> None:
        """Make the standby the primary, as a failover manager does; return when it takes writes."""
        self.standby.execute("SELECT pg_promote()")


@contextmanager
def replicated_stores() -> Iterator[ReplicatedStores]:
    """Start a primary with the log, a standby that every commit waits for, and a Redis."""
    with postgres_server() as primary, shipped_redis() as redis:
        primary.execute(f"CREATE DATABASE {DATABASE}")
        prepare_log(primary)
        with _standby_of(primary) as standby:
            primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            primary.execute("SELECT pg_reload_conf()")
            yield ReplicatedStores(primary, redis, standby)


def cut_power(server: PostgresServer) -> None:
    """End every process of the server at the same moment."""
    signal_all(server, signal.SIGSTOP)  # so that none sends anything more
    signal_all(server, signal.SIGKILL)
    server.kill()


@contextmanager
def _standby_of(primary: PostgresServer) -> Iterator[PostgresServer]:
    home = postgres_home()
    assert home is not None
    with new_directory() as directory:
        dropped = unprivileged("postgres", directory)
        data, port = directory / "data", free_port()
        copy = [str(home / "pg_basebackup"), "-d", primary.url(), "-D", str(data), "-R", "-X", "stream"]
        environment = os.environ | {"PGPASSWORD": SUPERUSER_PASSWORD}
        subprocess.run(
            [*dropped, *copy, "--checkpoint=fast"], env=environment, check=True, capture_output=True
        )
        settings = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={directory}")
        arguments = [part for setting in settings for part in ("-c", setting)]
        command = [*dropped, str(home / "postgres"), "-D", str(data), *arguments]
        server = PostgresServer(command, directory, port, lambda: accepts_sql(server))
        with running(server):
            yield server
