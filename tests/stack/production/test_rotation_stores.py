"""A changed password of a store: old refused, new accepted, no request fails; who is cut off comes back."""

from __future__ import annotations

import hashlib

import httpx
import psycopg2
import pytest

from tests.harness.production.external_stores import PASSWORD, run
from tests.harness.production.rotation import (
    LASTING_KEY,
    SECONDS,
    api_reports,
    await_line,
    database_address,
    exec_in,
    replace_secret,
    replicas,
    sql,
    under_load,
)
from tests.harness.production.secret_files import OWN_PASSWORDS, secret_file
from tests.harness.production.stack import Production
from tests.harness.stack.waiting import wait_until

NEW = "changed-0123456789"
_DATABASES = {
    "inference_database_url": ("inference", "predictions"),
    "reader_database_url": ("reader", "dsproject"),
    "drift_database_url": ("drift", "predictions"),
}


def redis(stack: Production, user: str, password: str, *command: str) -> str:
    """Return what Redis answers to this user."""
    return exec_in(stack, "redis", "redis-cli", "--user", user, *command, REDISCLI_AUTH=password)


@pytest.mark.parametrize("user", ["default", "api", "exporter"])
def test_a_password_of_redis_is_replaced(busy: Production, user: str) -> None:
    name = {"default": "redis_password"}.get(user, f"redis_{user}_password")

    with under_load(busy):
        replace_secret(busy, name, NEW)

        wait_until(lambda: redis(busy, user, NEW, "ping") == "PONG", SECONDS, "the new password")
        assert "WRONGPASS" in redis(busy, user, OWN_PASSWORDS[name], "ping")
        if user == "api":
            await_line(busy, "api", "redis accepts the changed secret", count=2)


def test_a_password_of_redis_that_cannot_be_read_is_not_taken(busy: Production) -> None:
    """The earlier ones stay, one line says why, and none of their hashes is in the log."""
    file = secret_file(busy.secrets, "redis_exporter_password")
    held = file.read_text()
    file.write_text("")
    try:
        await_line(busy, "redis", "changed password refused: REDIS_EXPORTER_PASSWORD")
        assert redis(busy, "exporter", held.strip(), "ping") == "PONG"
    finally:
        file.write_text(held)

    (container,) = replicas(busy, "redis")
    log = run("docker", "logs", container.id)
    passwords = [*OWN_PASSWORDS.values(), NEW]
    assert not [word for word in passwords if hashlib.sha256(word.encode()).hexdigest() in log]


def test_who_is_cut_off_by_redis_comes_back(busy: Production) -> None:
    """With the passwords of the tests before this one."""
    redis(busy, "default", NEW, "client", "kill", "user", "api")
    redis(busy, "default", NEW, "client", "kill", "user", "exporter")

    wait_until(lambda: api_reports(busy, "redis") == {("connected",)}, SECONDS, "the api to be back")
    (container,) = replicas(busy, "redis-exporter")
    metrics = f"http://{container.address}:9121/metrics"
    wait_until(lambda: "\nredis_up 1" in httpx.get(metrics, trust_env=False).text, SECONDS, "redis_up")


def test_passwords_of_postgresql_are_replaced(busy: Production) -> None:
    """First on the server, then in the file."""
    address = database_address(busy)

    with under_load(busy):
        for name, (role, database) in _DATABASES.items():
            sql(busy, f"ALTER ROLE {role} PASSWORD '{NEW}'")
            replace_secret(busy, name, f"postgresql://{role}:{NEW}@{address}/{database}")
        for service, count in (("api", 2), ("worker", 1)):
            await_line(busy, service, "postgres accepts the changed secret", count)
        await_line(busy, "model-serve", "changed secret in use", 2)
        await_line(busy, "model-monitor", "changed secret in use")
    for role, database in _DATABASES.values():
        psycopg2.connect(f"postgresql://{role}:{NEW}@{address}/{database}").close()
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(f"postgresql://{role}:{PASSWORD}@{address}/{database}")


def test_who_is_cut_off_by_postgresql_comes_back(busy: Production) -> None:
    """With the passwords of the test before this one."""
    roles = ", ".join(f"'{role}'" for role, _ in _DATABASES.values())
    sql(busy, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ({roles})")  # noqa: S608

    wait_until(lambda: api_reports(busy, "database") == {("connected",)}, SECONDS, "the api to be back")
    for service, port in (("model-serve", 5000), ("worker", 8001)):
        urls = [f"http://{container.address}:{port}/health" for container in replicas(busy, service)]
        wait_until(lambda urls=urls: reported(urls) == {"connected"}, SECONDS, f"{service} to be back")  # type: ignore[misc]
    monitor = f"http://localhost:{busy.port('MONITOR_PORT')}/health"
    wait_until(lambda: httpx.get(monitor, trust_env=False).json()["failure"] is None, SECONDS, "a check")


def reported(urls: list[str]) -> set[str]:
    """Return what /health of each says about its database."""
    return {httpx.get(url, trust_env=False).json()["database"] for url in urls}


def test_the_password_of_rabbitmq_is_replaced(busy: Production) -> None:
    old = OWN_PASSWORDS["rabbitmq_password"]

    with under_load(busy):
        replace_secret(busy, "rabbitmq_password", NEW)

        await_line(busy, "api", "rabbitmq accepts the changed secret", count=2)
        await_line(busy, "worker", "rabbitmq accepts the changed secret")
    assert "Success" in exec_in(busy, "rabbitmq", "rabbitmqctl", "authenticate_user", "jobs", NEW)
    assert "failed" in exec_in(busy, "rabbitmq", "rabbitmqctl", "authenticate_user", "jobs", old)


def test_who_is_cut_off_by_rabbitmq_comes_back(busy: Production) -> None:
    """Jobs go on."""
    exec_in(busy, "rabbitmq", "rabbitmqctl", "close_all_connections", "test")

    wait_until(lambda: job_completes(busy), 30, "a job that completes")


def job_completes(stack: Production) -> bool:
    """Return whether a new job is accepted and done."""
    address = f"http://localhost:{stack.port('API_PORT')}"
    headers = {"X-API-Key": LASTING_KEY}
    accepted = httpx.post(f"{address}/jobs", json={"features": [5.0]}, headers=headers)
    if accepted.status_code != 202:
        return False
    report = httpx.get(f"{address}{accepted.headers['location']}?wait=10", headers=headers, timeout=15)
    return bool(report.json()["state"] == "completed")
