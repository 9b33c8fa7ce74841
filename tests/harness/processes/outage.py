"""Ways in which a PostgreSQL is away for a while."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.processes.store_process import PostgresServer


@contextmanager
def stopped(database: PostgresServer) -> Iterator[None]:
    """Not there: connections are refused."""
    database.signal(signal.SIGINT)  # "fast": SIGTERM would wait for clients to leave
    database.stop()
    try:
        yield
    finally:
        database.start()


@contextmanager
def frozen(database: PostgresServer) -> Iterator[None]:
    """There, but silent: connections stay open and nobody answers, as when a host hangs."""
    _signal_all(database, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal_all(database, signal.SIGCONT)


def _signal_all(database: PostgresServer, number: int) -> None:
    assert database.process is not None
    parent = database.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for process in (parent, *map(int, children)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
