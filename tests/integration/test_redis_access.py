"""Who may do what in Redis, and how the api reaches one with TLS."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import redis as redis_client
from tests.harness.processes.inference import QUEUE, Stores, inference, is_healthy
from tests.harness.processes.serving import eventually, publish_line
from tests.harness.processes.store_process import RedisServer
from tests.harness.processes.stores import REDIS_PASSWORD, free_port, shipped_redis

EXPORTER = ("INFO", "SLOWLOG LEN", "LATENCY LATEST", "CLIENT SETNAME x")
FORBIDDEN = {
    "api": (
        "FLUSHALL", "FLUSHDB", "CONFIG GET maxmemory", "KEYS *", "SCAN 0", "EVAL return(1) 0", "ACL LIST",
        "INFO", "SHUTDOWN", "SAVE", "CLIENT LIST", "MONITOR", "PUBLISH a b",
        "REPLICAOF NO ONE", "SET another 1", "MGET another", "XADD another * a b", "DEL predictions:queue",
    ),
    "exporter": ("GET prediction:1", "KEYS *", "CONFIG GET *", "XLEN predictions:queue", "FLUSHALL"),
    "health": ("GET prediction:1", "INFO", "KEYS *", "ACL WHOAMI"),
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """Redis as it ships."""
    with shipped_redis() as started:
        yield started


def client(server: RedisServer, user: str) -> redis_client.Redis:
    """Return a client that logs in as this user."""
    return redis_client.Redis.from_url(server.url(user), socket_timeout=5)


@pytest.mark.parametrize(
    ("user", "command"), [(user, command) for user, commands in FORBIDDEN.items() for command in commands]
)
def test_what_a_user_does_not_need_is_refused(server: RedisServer, user: str, command: str) -> None:
    with client(server, user) as connection, pytest.raises(redis_client.exceptions.NoPermissionError):
        connection.execute_command(*command.split())


def test_a_person_may_do_everything(server: RedisServer) -> None:
    with client(server, "default") as connection:
        assert connection.keys("*") == []
        assert connection.config_get("maxmemory-policy")["maxmemory-policy"] == "volatile-lru"


@pytest.mark.parametrize("command", EXPORTER)
def test_the_exporter_sees_statistics(server: RedisServer, command: str) -> None:
    with client(server, "exporter") as connection:
        connection.execute_command(*command.split())


def test_without_a_password_nobody_gets_in(server: RedisServer) -> None:
    with (
        redis_client.Redis(port=server.port) as connection,
        pytest.raises(redis_client.exceptions.AuthenticationError),
    ):
        connection.ping()


def write_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a certificate for a host, and its key."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}")
    files = ("-keyout", str(key), "-out", str(certificate))
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A Redis that speaks TLS on a port; with the certificate to trust, which is for the name localhost."""
    certificate, key = write_certificate(tmp_path_factory.mktemp("tls"), "localhost")
    port = free_port()
    options = ("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key))
    with shipped_redis(*options, "--tls-auth-clients", "no"):
        yield port, certificate


def test_the_api_works_over_tls_as_its_own_user(
    encrypted: tuple[int, Path], real_stores: Stores, tmp_path: Path
) -> None:
    """It caches, and queues while PostgreSQL is away."""
    port, certificate = encrypted
    url = f"rediss://api:{REDIS_PASSWORD}@localhost:{port}/0?ssl_ca_certs={certificate}"
    publish_line(tmp_path / "models", 2.0)

    with inference(tmp_path / "models", tmp_path / "log", real_stores, REDIS_URL=url) as process:
        assert eventually(lambda: is_healthy(process)), (tmp_path / "log").read_text()
        assert eventually(lambda: process.predict({"values": [5]}).json()["cached"])


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("rediss://api:{password}@127.0.0.1:{port}/0?ssl_ca_certs={certificate}", "IP address mismatch"),
        ("rediss://api:{password}@localhost:{port}/0", "self-signed certificate"),
    ],
)
def test_a_redis_that_cannot_prove_its_name_is_not_used(
    encrypted: tuple[int, Path], real_stores: Stores, tmp_path: Path, url: str, reason: str
) -> None:
    port, certificate = encrypted
    url = url.format(password=REDIS_PASSWORD, port=port, certificate=certificate)
    publish_line(tmp_path / "models", 2.0)

    with inference(tmp_path / "models", tmp_path / "log", real_stores, REDIS_URL=url) as process:
        assert eventually(lambda: reason in (tmp_path / "log").read_text())
        assert process.client.get("/health").json()["redis"] == "unreachable"
        assert process.predict({"values": [5]}).status_code == 200


def test_the_queue_is_the_one_that_the_user_may_use(real_stores: Stores) -> None:
    """The rules name the keys that the code uses."""
    with client(real_stores.redis, "api") as connection:
        assert connection.xlen(QUEUE) == 0
