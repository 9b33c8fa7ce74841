"""Real PostgreSQL and Redis for tests: each on a free loopback port, in its own directory."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg2
import pytest

from tests.harness.processes.store_process import SUPERUSER_PASSWORD, PostgresServer, RedisServer, Server
from tests.harness.repository_root import ROOT

_PORTS = range(12_000, 23_000)  # above are ports of the stack that scripts/develop/test.sh runs beside
REDIS_PASSWORD = "redis-0123456789"
_DEBIAN = Path("/usr/lib/postgresql")  # keeps the server's programs off the PATH, one folder a version


def postgres_home() -> Path | None:
    """Return the folder of the server's programs, None if they are not installed."""
    found = sorted(_DEBIAN.glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[0].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def postgres_server(*options: str) -> Iterator[PostgresServer]:
    """Give a running PostgreSQL; `options` are settings such as "max_connections=20"."""
    home = postgres_home()
    if home is None:
        pytest.skip("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")
    with new_directory() as directory:
        data, password = directory / "data", directory / "password"
        password.write_text(SUPERUSER_PASSWORD)
        dropped = unprivileged("postgres", directory)
        initdb = [str(home / "initdb"), "-D", str(data), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]
        access = ["--auth-host=scram-sha-256", f"--pwfile={password}", "--no-sync", "--no-instructions"]
        subprocess.run([*dropped, *initdb, *access], check=True, capture_output=True)
        port = free_port()
        settings = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={directory}")
        arguments = [part for setting in (*settings, *options) for part in ("-c", setting)]
        command = [*dropped, str(home / "postgres"), "-D", str(data), *arguments]
        server = PostgresServer(command, directory, port, lambda: accepts_sql(server))
        with running(server):
            yield server


@contextmanager
def redis_server(*options: str) -> Iterator[RedisServer]:
    """Give a running Redis; `options` are arguments such as "--maxmemory", "16mb"."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    with new_directory() as directory:
        port = free_port()
        where = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory)]
        command = [program, *where, "--appendonly", "yes", "--save", "", *options]
        server = RedisServer(command, directory, port, lambda: _accepts_ping(port))
        with running(server):
            yield server


@contextmanager
def shipped_redis(*options: str, **settings: str) -> Iterator[RedisServer]:
    """Give a Redis as its container runs it, by redis/start.sh; `settings` are its environment."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    with new_directory() as directory:
        port = free_port()
        folders = {"TMPDIR": str(directory), "REDIS_DIR": str(directory)}
        names = ("REDIS_PASSWORD", "REDIS_API_PASSWORD", "REDIS_EXPORTER_PASSWORD")
        environment = dict.fromkeys(names, REDIS_PASSWORD) | folders | settings
        command = ["env", *(f"{name}={value}" for name, value in environment.items())]
        command += ["sh", str(ROOT / "redis" / "start.sh")]
        command += ["--bind", "127.0.0.1", "--port", str(port), *options]
        server = RedisServer(command, directory, port, lambda: _accepts_ping(port), password=REDIS_PASSWORD)
        with running(server):
            yield server


def free_port() -> int:
    """Return a free loopback port.

    By chance, from below those that the kernel gives to clients: tests run side by side, and between this
    answer and the server's start another one must not get the same.
    """
    while True:
        port = secrets.choice(_PORTS)
        with suppress(OSError), closing(socket.create_server(("127.0.0.1", port))):
            return port


@contextmanager
def running(server: Server) -> Iterator[None]:
    """Run the server for the block."""
    try:
        server.start()
        yield
    finally:
        server.stop()


@contextmanager
def new_directory() -> Iterator[Path]:
    """Give an empty directory for the block."""
    directory = Path(tempfile.mkdtemp(prefix="ml-stack-test-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def unprivileged(user: str, directory: Path) -> list[str]:
    """Return the command prefix that drops root, which PostgreSQL refuses to run as."""
    if os.geteuid() != 0:
        return []
    shutil.chown(directory, user)
    for path in directory.iterdir():
        shutil.chown(path, user)
    # setpriv execs the server: a signal to the child process reaches the server itself.
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]


def accepts_sql(server: PostgresServer) -> bool:
    """Return whether the server can be logged into."""
    try:
        psycopg2.connect(server.url(), connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


def _accepts_ping(port: int) -> bool:
    try:
        with closing(socket.create_connection(("127.0.0.1", port), timeout=1)) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith((b"+PONG", b"-NOAUTH"))
    except OSError:
        return False
