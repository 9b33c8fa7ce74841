"""A store as a process of the test: to be stopped, killed, paused and started again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

SUPERUSER_PASSWORD = "postgres"


@dataclass
class Server:
    """A process that a test may stop, kill, pause and start again; its data and its port stay."""

    command: list[str]
    directory: Path
    port: int
    ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = field(default=None)
    patience: float = 30.0  # seconds until it must answer

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = (self.directory / "server.log").open("ab")
        with log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + self.patience
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.command[0]} did not start: {self.log()[-2000:]}")
            time.sleep(0.05)

    def signal(self, number: int) -> None:
        """Send a signal, for example SIGSTOP; the process is not reaped."""
        if self.process is not None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it by SIGKILL, without a clean shutdown."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL after ten seconds."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def log(self) -> str:
        """Return its output so far."""
        return (self.directory / "server.log").read_text(errors="replace")


@dataclass
class PostgresServer(Server):
    """A cluster with the superuser `postgres`, durable as in production (fsync on)."""

    def url(self, database: str = "postgres", user: str = "postgres", password: str = "") -> str:
        """Return the URL of a database."""
        secret = password or SUPERUSER_PASSWORD
        return f"postgresql://{user}:{secret}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement outside any transaction, as the superuser."""
        with closing(psycopg2.connect(self.url(database))) as connection:
            connection.autocommit = True
            connection.cursor().execute(statement)


@dataclass
class RedisServer(Server):
    """A Redis with the append-only file on."""

    password: str = ""  # of every user; none where there are no users but the default one

    def url(self, user: str = "default") -> str:
        """Return the URL of its database 0."""
        login = f"{user}:{self.password}@" if self.password else ""
        return f"redis://{login}127.0.0.1:{self.port}/0"
