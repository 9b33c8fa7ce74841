"""Every password of .env can be changed by `docker compose up -d`, on existing volumes; and back."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
import pytest

from tests.harness.stack.compose import Stack, settings

_CHANGED = {
    name: f"changed-{name.partition('_')[0].lower()}"
    for name in (
        "POSTGRES_PASSWORD", "PIPELINE_PASSWORD", "READER_PASSWORD", "INFERENCE_PASSWORD", "DRIFT_PASSWORD",
        "MONITOR_PASSWORD", "REDIS_PASSWORD", "REDIS_API_PASSWORD", "REDIS_EXPORTER_PASSWORD",
    )
}  # fmt: skip
_ROLES = {
    "POSTGRES_PASSWORD": ("postgres", "DATABASE_PORT", "dsproject"),
    "PIPELINE_PASSWORD": ("pipeline", "DATABASE_PORT", "dsproject"),
    "READER_PASSWORD": ("reader", "DATABASE_PORT", "dsproject"),
    "INFERENCE_PASSWORD": ("inference", "POSTGRES_PORT", "predictions"),
    "DRIFT_PASSWORD": ("drift", "POSTGRES_PORT", "predictions"),
    "MONITOR_PASSWORD": ("monitor", "POSTGRES_PORT", "predictions"),
}
_USERS = {"REDIS_PASSWORD": "default", "REDIS_API_PASSWORD": "api", "REDIS_EXPORTER_PASSWORD": "exporter"}


@pytest.fixture(scope="module")
def changed(stack: Stack) -> Iterator[Stack]:
    """The stack after `up -d` with other passwords; afterwards with those of .env."""
    stack.compose("up", "-d", "--wait", env=_CHANGED)
    yield stack
    stack.compose("up", "-d", "--wait")


def test_the_servers_work_with_the_changed_passwords(changed: Stack) -> None:
    assert changed.api.get("/health").json()["status"] == "healthy"
    assert changed.serve.get("/health").json()["status"] == "healthy"
    assert changed.api.post("/predict", json={"features": [5.0]}).status_code == 200
    assert changed.redis("PING") == "PONG"


@pytest.mark.parametrize("name", _ROLES)
def test_a_role_has_the_changed_password_only(changed: Stack, name: str) -> None:
    role, port, database = _ROLES[name]
    address = f"localhost:{changed.port(port)}/{database}"

    psycopg2.connect(f"postgresql://{role}:{_CHANGED[name]}@{address}").close()

    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(f"postgresql://{role}:{settings()[name]}@{address}")


@pytest.mark.parametrize("name", _USERS)
def test_a_user_of_redis_has_the_changed_password_only(changed: Stack, name: str) -> None:
    login = ("--no-auth-warning", "--user", _USERS[name], "--pass")

    assert changed.redis(*login, _CHANGED[name], "PING") == "PONG"
    assert "NOAUTH" in changed.redis(*login, settings()[name], "PING")
