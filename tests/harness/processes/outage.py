"""Outages of PostgreSQL, and of Redis."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.processes.inference import Stores
from tests.harness.processes.store_process import PostgresServer, Server


@contextmanager
def stopped(store: Server) -> Iterator[None]:
    """Stopped: connections are refused."""
    store.signal(signal.SIGINT)  # PostgreSQL's "fast": SIGTERM would wait for clients to leave
    store.stop()
    try:
        yield
    finally:
        store.start()


@contextmanager
def frozen(database: PostgresServer) -> Iterator[None]:
    """Frozen: connections stay open, but nothing is answered, as when a host hangs."""
    signal_all(database, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_all(database, signal.SIGCONT)


def signal_all(database: PostgresServer, number: int) -> None:
    """Send a signal to every process of the server."""
    assert database.process is not None
    parent = database.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for process in (parent, *map(int, children)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


@contextmanager
def slow_inserts(real_stores: Stores, pause: float) -> Iterator[None]:
    """Make every insert of log rows take that many seconds."""
    real_stores.sql(f"""
        CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_sleep({pause}); RETURN NULL; END $$;
        CREATE TRIGGER slow AFTER INSERT ON predictions FOR EACH STATEMENT EXECUTE FUNCTION slowly();
        GRANT EXECUTE ON FUNCTION slowly() TO inference;
    """)
    try:
        yield
    finally:
        real_stores.sql("DROP FUNCTION slowly CASCADE")


@contextmanager
def slow_commits(sql: Callable[[str], object], pause: float) -> Iterator[None]:
    """Make every commit of log rows take that many seconds; `sql` runs a statement as the log's owner."""
    sql(f"""
        CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF current_setting('slow.done', true) IS DISTINCT FROM txid_current()::text THEN
                PERFORM set_config('slow.done', txid_current()::text, true), pg_sleep({pause});
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON predictions DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION slowly();
        GRANT EXECUTE ON FUNCTION slowly() TO inference;
    """)
    try:
        yield
    finally:
        # The table before its partitions, as readers do: in the other order there may be a deadlock.
        sql("BEGIN; LOCK TABLE predictions; DROP FUNCTION slowly CASCADE; COMMIT")
