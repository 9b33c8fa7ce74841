"""The databases' roles: each may do its job, and nothing else, whatever it sets or claims to be."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import psycopg2
import pytest

from tests.harness.processes.store_process import SUPERUSER_PASSWORD, PostgresServer
from tests.harness.processes.stores import postgres_server
from tests.harness.repository_root import ROOT

PASSWORDS = {role: f"{role}-secret" for role in ("inference", "drift", "monitor", "pipeline", "reader")}
# Which folder's access.sql prepares which database, for which roles.
DATABASES = {
    "predictions": ("postgres", ("inference", "drift", "monitor")),
    "dsproject": ("database", ("pipeline", "reader", "monitor")),
}
ROLES = [(database, role) for database, (_, roles) in DATABASES.items() for role in roles]

FOR_NO_ROLE = [
    "CREATE TEMPORARY TABLE mine (x int)",
    "CREATE SCHEMA mine",
    "CREATE ROLE other",
    "CREATE DATABASE other",
    "CREATE EXTENSION dblink SCHEMA public",
    "ALTER ROLE postgres PASSWORD 'mine'",
    "ALTER SYSTEM SET archive_command = 'true'",
    "ALTER DATABASE {database} CONNECTION LIMIT 0",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SELECT rolpassword FROM pg_authid",
    "SELECT passwd FROM pg_shadow",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/tmp/forged'",
    "COPY public.foreign_table FROM '/etc/passwd'",
    "COPY public.foreign_table FROM PROGRAM 'id'",
    "SELECT lo_create(0)",
    "SELECT lo_creat(-1)",
    "SELECT lo_from_bytea(0, 'mine')",
    "SELECT lo_import('/etc/passwd')",
    "DROP TABLE public.foreign_table",
    "ALTER TABLE public.foreign_table ADD COLUMN mine int",
    "INSERT INTO public.foreign_table VALUES (1)",
    "UPDATE public.foreign_table SET x = 2",
    "DELETE FROM public.foreign_table",
    "TRUNCATE public.foreign_table",
]
FOR_NO_READER = ["CREATE TABLE public.mine (x int)", "CREATE FUNCTION public.mine() RETURNS int RETURN 1"]
ON_THE_LOG = [
    "UPDATE public.predictions SET confidence = '[1]'",
    "DELETE FROM public.predictions",
    "TRUNCATE public.predictions",
    "DROP TABLE public.predictions",
    "ALTER TABLE public.predictions DROP COLUMN latency",
    "ALTER TABLE public.predictions DETACH PARTITION public.predictions_default",
    "CREATE INDEX ON public.predictions (latency)",
    "SELECT * FROM public.predictions_default",
    "INSERT INTO public.predictions_default SELECT * FROM public.predictions",
    "DELETE FROM public.predictions_default",
    "UPDATE public.retention SET log_days = 1",
    "DELETE FROM public.retention",
    "SELECT public.maintain_partitions(1)",
    "SELECT public.create_predictions_partition('2020-01-01')",
    "UPDATE public.jobs SET input_data = '[[2]]'",
    "DELETE FROM public.jobs",
    "UPDATE public.feedback SET actual = '[1]'",
    "DELETE FROM public.feedback",
    "TRUNCATE public.feedback",
]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL with both databases, prepared by their access.sql; each has a table of the superuser."""
    with postgres_server() as started:
        for database, (folder, _) in DATABASES.items():
            started.execute(f"CREATE DATABASE {database}")
            prepare(started, database, folder)
            started.execute("CREATE TABLE foreign_table AS SELECT 1 AS x", database)
        yield started


def prepare(server: PostgresServer, database: str, folder: str) -> None:
    """Run an access.sql as the superuser, as `up` does."""
    done = run_psql(server.url(database), folder, {"POSTGRES_PASSWORD": SUPERUSER_PASSWORD})
    assert done.returncode == 0, done.stderr


def run_psql(url: str, folder: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the access.sql of a folder; `settings` are environment variables beside the roles' passwords."""
    program = shutil.which("psql")
    assert program, "psql comes with the PostgreSQL server's package"
    passwords = {f"{role.upper()}_PASSWORD": password for role, password in PASSWORDS.items()}
    script = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", f"{folder}/access.sql"]
    return subprocess.run(
        [program, *script, url], cwd=ROOT, env=os.environ | passwords | settings,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def execute(server: PostgresServer, database: str, role: str, *statements: str) -> None:
    """Run statements as a role that has undone its defaults: what must hold are its privileges."""
    with closing(psycopg2.connect(server.url(database, role, PASSWORDS[role]))) as connection:
        connection.autocommit = True
        connection.cursor().execute("SET default_transaction_read_only = off")
        for statement in statements:
            connection.cursor().execute(statement.format(database=database))


@pytest.mark.parametrize(("database", "role"), ROLES)
@pytest.mark.parametrize("statement", FOR_NO_ROLE)
def test_no_role_may_do_more_than_its_job(
    server: PostgresServer, database: str, role: str, statement: str
) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        execute(server, database, role, statement)


@pytest.mark.parametrize(("database", "role"), [each for each in ROLES if each[1] != "pipeline"])
@pytest.mark.parametrize("statement", FOR_NO_READER)
def test_only_the_pipeline_may_create_anything(
    server: PostgresServer, database: str, role: str, statement: str
) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        execute(server, database, role, statement)


@pytest.mark.parametrize("role", ["inference", "drift", "monitor"])
@pytest.mark.parametrize("statement", ON_THE_LOG)
def test_what_was_logged_and_asked_cannot_be_changed(
    server: PostgresServer, role: str, statement: str
) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        execute(server, "predictions", role, statement)


@pytest.mark.parametrize(
    ("database", "role", "statement"),
    [
        ("predictions", "drift", "INSERT INTO public.predictions SELECT * FROM public.predictions"),
        ("predictions", "drift", "SELECT public.maintain_predictions()"),
        ("predictions", "drift", "SELECT public.expire_jobs()"),
        ("predictions", "monitor", "SELECT * FROM public.predictions"),
        ("dsproject", "reader", "INSERT INTO public.linear_data VALUES (1, 2)"),
        ("dsproject", "reader", "DROP TABLE public.linear_data"),
        ("dsproject", "monitor", "SELECT * FROM public.linear_data"),
    ],
)
def test_a_reader_reads_its_own_and_writes_nothing(
    server: PostgresServer, database: str, role: str, statement: str
) -> None:
    execute(
        server, "dsproject", "pipeline", "CREATE TABLE IF NOT EXISTS public.linear_data (x float8, y float8)"
    )

    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        execute(server, database, role, statement)


def test_the_pipeline_owns_what_it_makes(server: PostgresServer) -> None:
    statements = ("CREATE TABLE own (x int)", "INSERT INTO own VALUES (1)", "DROP TABLE own")

    execute(server, "dsproject", "pipeline", *statements)


@pytest.mark.parametrize("role", PASSWORDS)
@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_no_role_gets_into_a_database_that_is_not_its_own(
    server: PostgresServer, role: str, database: str
) -> None:
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        execute(server, database, role, "SELECT 1")


def test_an_api_that_takes_every_connection_locks_nobody_else_out(server: PostgresServer) -> None:
    """The limit follows max_connections, here PostgreSQL's default of 100."""
    url = server.url("predictions", "inference", PASSWORDS["inference"])
    opened = 0
    with ExitStack() as stack:
        with suppress(psycopg2.OperationalError):
            for opened in range(101):  # noqa: B007
                stack.enter_context(closing(psycopg2.connect(url)))

        for role in ["drift", "monitor"] * 5:
            url = server.url("predictions", role, PASSWORDS[role])
            stack.enter_context(closing(psycopg2.connect(url)))
        stack.enter_context(closing(psycopg2.connect(server.url())))
    assert 20 * 4 <= opened < 100  # twenty replicas of the api, with four connections each


def test_another_release_or_run_changes_no_privilege(server: PostgresServer) -> None:
    """access.sql runs on every `up`."""
    privileges = "SELECT array_agg(proacl::text ORDER BY oid) FROM pg_proc"
    with closing(psycopg2.connect(server.url("predictions"))) as connection:
        cursor = connection.cursor()
        cursor.execute(privileges)
        before = cursor.fetchall()

        prepare(server, "predictions", "postgres")

        cursor.execute(privileges)
        assert cursor.fetchall() == before


def test_an_administrator_who_is_no_superuser_can_prepare_a_database(server: PostgresServer) -> None:
    """As on a managed server. Only a superuser can take large objects away, so there they stay allowed."""
    server.execute("CREATE ROLE administrator LOGIN CREATEROLE PASSWORD 'secret'")
    server.execute("CREATE DATABASE managed OWNER administrator")

    for folder in ("postgres", "database"):
        url = server.url("managed", "administrator", "secret")
        done = run_psql(url, folder, {"RETENTION_DAYS": "90"})
        assert done.returncode == 0, done.stderr

    with closing(psycopg2.connect(server.url("managed"))) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT log_days FROM retention")
        assert cursor.fetchall() == [(90,)]
