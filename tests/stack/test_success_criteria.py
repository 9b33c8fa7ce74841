"""The success criteria of "Multi-Container ML Application", each a test of that name."""

from __future__ import annotations

import random

import httpx
import pytest

from tests.harness.documents.outcomes import everything_runs
from tests.harness.stack.compose import Stack
from tests.harness.stack.kept_load import Load
from tests.harness.stack.waiting import wait_until

_CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)"


def _new_features() -> dict[str, list[float]]:
    """Return rows that no request has had before."""
    return {"features": [random.uniform(0, 20) for _ in range(3)]}  # noqa: S311


def test_all_services_start_successfully(stack: Stack) -> None:
    everything_runs(stack, "")


def test_api_health_check_passes(stack: Stack) -> None:
    answer = stack.api.get("/health")

    assert answer.status_code == 200
    assert answer.json()["status"] == "healthy"
    assert stack.container("api").health == "healthy"


def test_predictions_are_logged_to_postgresql(stack: Stack) -> None:
    asked = _new_features()

    answer = stack.api.post("/predict", json=asked).json()

    columns = "input_data, prediction, confidence, model_version, cached"
    where = f"WHERE id = '{answer['id']}' AND timestamp > now() - interval '1 minute'"
    row = stack.psql(
        "postgres",
        "predictions",
        f"SELECT jsonb_build_array({columns.replace(', ', ',')}) FROM predictions {where}",  # noqa: S608
    )
    assert httpx.Response(200, text=row).json() == [
        [[value] for value in asked["features"]],
        answer["predictions"],
        answer["confidence"],
        answer["model_version"],
        False,
    ]


def test_duplicate_predictions_return_cached_results(stack: Stack) -> None:
    asked = _new_features()

    first = stack.api.post("/predict", json=asked).json()
    second = stack.api.post("/predict", json=asked).json()

    assert (first.pop("cached"), second.pop("cached")) == (False, True)
    assert first.pop("id") != second.pop("id")
    assert first == second


@pytest.mark.parametrize("end", ["restart", "SIGKILL"])
def test_redis_persists_data_across_restarts(stack: Stack, end: str) -> None:
    asked = _new_features()
    stack.api.post("/predict", json=asked)
    wait_until(lambda: stack.redis("DBSIZE") != "0", 5, "the cache entry")
    before = stack.container("redis").started

    if end == "restart":
        stack.compose("restart", "redis")
    else:
        stack.container("redis").kill()

    wait_until(lambda: stack.container("redis").started > before, 20, "Redis to start again")
    wait_until(lambda: stack.container("redis").health == "healthy", 20, "Redis to be healthy")
    wait_until(lambda: stack.api.get("/health").json()["redis"] == "connected", 20, "the api to reconnect")
    assert stack.api.post("/predict", json=asked).json()["cached"] is True


@pytest.mark.parametrize(
    ("service", "name", "port"),
    [
        ("api", "postgres", 5432),
        ("api", "redis", 6379),
        ("model-serve", "database", 5432),
        ("api", "model-serve", 5000),
        ("model-serve", "api", 8000),
    ],
)
def test_services_can_communicate_by_name(stack: Stack, service: str, name: str, port: int) -> None:
    stack.compose("exec", "-T", service, "python", "-c", _CONNECT, name, str(port))


def test_graceful_shutdown_works(stack: Stack) -> None:
    """Under load: accepted requests are answered and logged; later ones get nginx's 503."""
    with Load(f"http://localhost:{stack.port('API_PORT')}/predict", _new_features(), clients=8) as load:
        load.wait_for(200)
        stack.compose("stop", "api")
        stopped = stack.container("api")
        load.wait_for(20)

    stack.compose("start", "api")
    assert stopped.exit_code == 0
    assert not load.failures, load.failures[:3]
    assert set(load.statuses) == {200, 503}
    for answer in load.answers:
        assert answer.status_code == 200 or answer.headers["content-type"] == "application/problem+json"
    acknowledged = [answer.json()["id"] for answer in load.answers if answer.status_code == 200]
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= stack.logged_ids()
    wait_until(lambda: stack.api.get("/readyz").status_code == 200, 30, "the api to serve again")


def test_prometheus_collects_metrics(stack: Stack) -> None:
    stack.api.post("/predict", json=_new_features())
    stack.serve.post("/predict", json={"values": [5]})

    def value(query: str) -> float:
        found = stack.query(query)
        return float(found[0]["value"][1]) if found else 0.0

    predictions = 'sum(http_requests_total{route="/predict", status=~"2.."}) by (job)'
    wait_until(lambda: value("count(up == 1)") >= 3, 20, "the targets")
    wait_until(lambda: value(f"count({predictions} > 0)") == 2, 20, "predictions of both servers")
