"""Two PostgreSQL servers that run by postgres/member.sh, as in a Swarm with a standby."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
import pytest

from tests.harness.processes.serving import eventually
from tests.harness.processes.store_process import SUPERUSER_PASSWORD, PostgresServer
from tests.harness.processes.stores import accepts_sql, free_port, new_directory, postgres_home, unprivileged
from tests.harness.repository_root import ROOT

FIRST, SECOND = "postgres", "postgres-standby"
REPLICATION_PASSWORD = "replication-0123456789"
_FOLLOWED = """
    SELECT in_sync AND EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync') FROM standby
"""
_FILES = ("member.sh", "member.sql", "pg_hba.conf")


@dataclass
class Member(PostgresServer):
    """One of the two."""

    program: list[str] = field(default_factory=list)  # what runs it, but for the name of the primary

    @property
    def data(self) -> Path:
        """The folder of its data."""
        return self.directory / "data"

    def deploy(self, primary: str) -> None:
        """Start it, or start it again, while `primary` is to take writes; return when it answers."""
        self.begin(primary)
        assert eventually(self.ready, 30), self.log()

    def begin(self, primary: str) -> None:
        """Likewise; return at once."""
        self.stop()
        self.command = ["env", f"POSTGRES_PRIMARY={primary}", *self.program]
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def refusal(self, primary: str) -> str:
        """Return the line with which it ends when `primary` is to take writes."""
        self.begin(primary)
        assert self.process is not None
        assert self.process.wait(30) == 1, self.log()
        return self.log().splitlines()[-1]

    def ask(self, query: str, seconds: int = 5) -> str:
        """Return the first value that a statement gives; psycopg2.Error if it takes longer."""
        options = f"-c statement_timeout={seconds}s"
        with closing(psycopg2.connect(self.url(), options=options, connect_timeout=2)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(query)
            (row,) = cursor.fetchall() if cursor.description else [("",)]
            return str(row[0])

    def takes_writes(self) -> bool:
        """Return whether it is a primary."""
        return accepts_sql(self) and self.ask("SELECT pg_is_in_recovery()") == "False"

    def is_followed(self) -> bool:
        """Return whether commits wait for the other one."""
        return self.takes_writes() and self.ask(_FOLLOWED) == "True"


@contextmanager
def two_members() -> Iterator[tuple[Member, Member]]:
    """Give both; neither runs. The first has an empty cluster, the second an empty folder."""
    home = postgres_home()
    if home is None:
        pytest.skip("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")
    with new_directory() as one, new_directory() as other:
        ports = free_port(), free_port()
        first = _member(home, one, (FIRST, SECOND), ports)
        second = _member(home, other, (SECOND, FIRST), ports[::-1])
        (one / "password").write_text(SUPERUSER_PASSWORD)
        initdb = [
            str(home / "initdb"),
            "-D",
            str(first.data),
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        secret = [
            "--auth-host=scram-sha-256",
            f"--pwfile={one / 'password'}",
            "--no-sync",
            "--no-instructions",
        ]
        subprocess.run([*unprivileged("postgres", one), *initdb, *secret], check=True, capture_output=True)
        try:
            yield first, second
        finally:
            first.stop()
            second.stop()


def _member(home: Path, directory: Path, names: tuple[str, str], ports: tuple[int, int]) -> Member:
    """Return one that lies in `directory`; of both pairs the first is its own, the second the other's."""
    port, other_port = ports
    for file in _FILES:
        shutil.copy(ROOT / "postgres" / file, directory)
    shutil.copy(ROOT / "base-images" / "postgres" / "docker-entrypoint.sh", directory)
    secret = directory / "replication_password"
    secret.write_text(f"{REPLICATION_PASSWORD}\n")
    data = directory / "data"
    data.mkdir()
    environment = {
        "PATH": f"{directory}:{home}:{os.environ['PATH']}",
        "PGDATA": data,
        "PGHOST": directory,  # of its socket
        "PGPORT": port,
        "TMPDIR": directory,
        "POSTGRES_MEMBER": names[0],
        "POSTGRES_OTHER": names[1],
        "POSTGRES_OTHER_ADDRESS": f"host=127.0.0.1 port={other_port}",
        "REPLICATION_PASSWORD_FILE": secret,
    }
    settings = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={directory}")
    options = [part for setting in settings for part in ("-c", setting)]
    program = [
        *(f"{key}={value}" for key, value in environment.items()),
        *unprivileged("postgres", directory),
    ]
    program += ["sh", str(directory / "member.sh"), "postgres", *options]
    member = Member([], directory, port, lambda: accepts_sql(member), program=program)
    return member


def pair_up(first: Member, second: Member) -> None:
    """Start both, and wait until commits wait for the second."""
    first.deploy(FIRST)
    second.deploy(FIRST)
    assert eventually(first.is_followed, 20), first.log() + second.log()
