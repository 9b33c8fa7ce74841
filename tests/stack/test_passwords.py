"""Every password of .env can be changed by `docker compose up -d`, on existing volumes; and back."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
import pytest

from tests.harness.stack.compose import Stack, settings
from tests.harness.stack.kept_load import Load
from tests.harness.stack.waiting import wait_until

_CHANGED = {
    name: f"changed-{name.partition('_')[0].lower()}"
    for name in (
        "POSTGRES_PASSWORD", "PIPELINE_PASSWORD", "READER_PASSWORD", "INFERENCE_PASSWORD", "DRIFT_PASSWORD",
        "MONITOR_PASSWORD", "REDIS_PASSWORD", "REDIS_API_PASSWORD", "REDIS_EXPORTER_PASSWORD",
    )
} | {"SEALING_KEY": f"changed-sealing,{settings()['SEALING_KEY']}"}  # fmt: skip
_ROLES = {
    "POSTGRES_PASSWORD": ("postgres", "DATABASE_PORT", "dsproject"),
    "PIPELINE_PASSWORD": ("pipeline", "DATABASE_PORT", "dsproject"),
    "READER_PASSWORD": ("reader", "DATABASE_PORT", "dsproject"),
    "INFERENCE_PASSWORD": ("inference", "POSTGRES_PORT", "predictions"),
    "DRIFT_PASSWORD": ("drift", "POSTGRES_PORT", "predictions"),
    "MONITOR_PASSWORD": ("monitor", "POSTGRES_PORT", "predictions"),
}
_USERS = {"REDIS_PASSWORD": "default", "REDIS_API_PASSWORD": "api", "REDIS_EXPORTER_PASSWORD": "exporter"}


_CACHED = {"features": [86.25]}


@pytest.fixture(scope="module")
def load(stack: Stack) -> Iterator[Load]:
    """What was asked while `up -d` brought other passwords; afterwards those of .env are back."""
    stack.api.post("/predict", json=_CACHED)
    url = f"http://localhost:{stack.port('API_PORT')}/predict"
    with Load(url, {"features": [5.0]}, clients=2) as running:
        running.wait_for(50)
        stack.compose("up", "-d", "--wait", env=_CHANGED)
        running.wait_for(50)
    yield running
    stack.compose("up", "-d", "--wait")


@pytest.fixture
def changed(stack: Stack, load: Load) -> Stack:
    """The stack with the changed passwords."""
    assert load.answers
    return stack


def test_what_was_answered_meanwhile_is_logged(changed: Stack, load: Load) -> None:
    """Stores and the only api are restarted, so requests are refused for a time: 503, and nothing else."""
    ids = [answer.json()["id"] for answer in load.answers if answer.status_code == 200]

    assert not load.failures
    assert set(load.statuses) <= {200, 503}
    assert len(set(ids)) == len(ids)
    wait_until(lambda: set(ids) <= changed.logged_ids(), 30, "all to be in the log")


def test_what_an_earlier_key_has_sealed_is_accepted(changed: Stack) -> None:
    """It is still among the keys; alone, what the new one has sealed would be computed anew."""
    assert changed.api.post("/predict", json=_CACHED).json()["cached"]


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
