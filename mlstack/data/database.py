"""Connections to PostgreSQL, and its errors as DatabaseUnavailable."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.runtime.database_urls import for_writing
from mlstack.runtime.refusals import DatabaseUnavailable
from mlstack.runtime.settings import without_password

_START_TIMEOUT = 10.0  # seconds to wait for a server that is starting
_STARTING = (
    "Connection refused",
    "starting up",
    "shutting down",
    "not yet accepting",
    "session is read-only",  # of several servers a standby, until it is promoted
    "hot standby mode",
)


@contextmanager
def connected(url: str, *, snapshot: bool = False) -> Iterator[Connection]:
    """Open a connection for the block: one transaction, rolled back if the block raises.

    With `snapshot` all its queries see the rows of one moment.
    """
    with database_errors(url), closing(_connect(url)) as connection, connection:
        if snapshot:
            connection.set_session(isolation_level="REPEATABLE READ")
        yield connection


@contextmanager
def database_errors(url: str) -> Iterator[None]:
    """Translate the driver's errors to DatabaseUnavailable, with the server's message and what to do."""
    try:
        yield
    except psycopg2.Error as error:
        reason = " ".join((error.diag.message_primary or str(error)).split())
        raise DatabaseUnavailable(f"{_shown(url)}: {reason}{_advice(reason)}") from error


def table_name(name: str) -> sql.Identifier:
    """Return `table` or `schema.table` as quoted identifiers, which prevents SQL injection."""
    return sql.Identifier(*name.split("."))


def table_exists(connection: Connection, name: str) -> bool:
    """Return whether a table, view or foreign table of this name is on the search path."""
    return bool(_value(connection, "SELECT to_regclass(%s) IS NOT NULL", table_name(name)))


def count_rows(connection: Connection, name: str) -> int:
    """Return the exact number of rows."""
    return int(str(_value(connection, sql.SQL("SELECT count(*) FROM {}").format(table_name(name)))))


def read_comment(connection: Connection, name: str) -> str:
    """Return the comment on a table, "" if it has none."""
    return str(_value(connection, "SELECT obj_description(%s::regclass, 'pg_class')", table_name(name)) or "")


def _value(connection: Connection, query: str | sql.Composed, *names: sql.Identifier) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query, [name.as_string(connection) for name in names])
        row = cursor.fetchone()
    return row[0] if row else None


def _connect(url: str) -> Connection:
    plain = _plain(url)
    deadline = time.monotonic() + _START_TIMEOUT
    while True:
        try:
            return psycopg2.connect(plain, connect_timeout=5, application_name="pipeline", keepalives_idle=30)
        except psycopg2.OperationalError as error:
            starting = any(text in str(error) for text in _STARTING)
            if not starting or time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def _plain(url: str) -> str:
    """Return what libpq is given; it says itself what is wrong with something that is no URL."""
    try:
        return for_writing(url.replace("postgresql+psycopg2://", "postgresql://", 1))  # SQLAlchemy's spelling
    except ValueError:
        return url


def _shown(url: str) -> str:
    try:
        return without_password(url) if "://" in url else "DATABASE_URL"
    except ValueError:  # malformed: the password cannot be located, so none of it is shown
        return "DATABASE_URL"


def _advice(reason: str) -> str:
    for text, advice in (
        ("password authentication failed", "check the password in DATABASE_URL"),
        ("could not translate host name", "check the host in DATABASE_URL"),
        ("Connection refused", "is the database running, and are host and port in DATABASE_URL right?"),
        ("timeout expired", "is the database running, and are host and port in DATABASE_URL right?"),
        ("permission denied", "grant it to the role in DATABASE_URL"),
        ("No space left on device", "the database's volume is full"),
    ):
        if text in reason:
            return f": {advice}"
    return ""
