"""`POSTGRES_PASSWORD=secure_password docker-compose up`, on empty and on existing volumes."""

from __future__ import annotations

import psycopg2
import pytest

from tests.harness.documents.outcomes import everything_runs
from tests.harness.stack.compose import Stack, settings

SECURE = "secure_password"
_PORTS = {"DATABASE_PORT": "dsproject", "POSTGRES_PORT": "predictions"}


def secure(stack: Stack, _output: str) -> None:
    """The new password is accepted, the one of .env is not; the stack works."""
    _only(stack, good=SECURE, bad=settings()["POSTGRES_PASSWORD"])
    assert stack.serve.post("/predict", json={"values": [5]}).json()["predictions"] == [[11.0]]
    assert stack.api.get("/health").json()["status"] == "healthy"


def back_to_the_default(stack: Stack, output: str) -> None:
    """The password of .env is accepted again, the other one is not."""
    everything_runs(stack, output)
    _only(stack, good=settings()["POSTGRES_PASSWORD"], bad=SECURE)


def _only(stack: Stack, good: str, bad: str) -> None:
    for port, database in _PORTS.items():
        _log_in(stack.port(port), database, good)
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            _log_in(stack.port(port), database, bad)


def _log_in(port: int, database: str, password: str) -> None:
    url = f"postgresql://postgres:{password}@localhost:{port}/{database}"
    psycopg2.connect(url, connect_timeout=5).close()
