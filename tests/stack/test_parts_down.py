"""One part is down: what clients see, what is kept, and how it recovers, as in docs/architecture.md."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.harness.stack.compose import Stack
from tests.harness.stack.one_offs import only_error
from tests.harness.stack.waiting import wait_until

FIVE = {"features": [5.0]}


@contextmanager
def down(stack: Stack, service: str) -> Iterator[None]:
    """Stop a service, and start it again."""
    stack.compose("stop", "--timeout", "5", service)
    try:
        yield
    finally:
        stack.compose("start", service)
        await_health(stack, service)


def crash(stack: Stack, service: str) -> None:
    """End a service by SIGKILL; return when the engine has restarted it and it is healthy."""
    before = stack.container(service).started
    stack.container(service).kill()
    wait_until(lambda: stack.container(service).started > before, 20, f"{service} to be restarted")
    await_health(stack, service)


def await_health(stack: Stack, service: str) -> None:
    """Return when the engine finds the service healthy."""
    wait_until(lambda: stack.container(service).health == "healthy", 60, f"{service} to be healthy")


def assert_predictions_go_on(stack: Stack) -> None:
    """Both servers answer, and the api says that nothing is wrong."""
    assert stack.api.post("/predict", json=FIVE).status_code == 200
    assert stack.serve.post("/predict", json=FIVE).status_code == 200
    assert stack.api.get("/health").json()["status"] == "healthy"


@pytest.mark.parametrize("service", ["api", "model-serve"])
def test_without_its_only_replica_clients_get_a_problem(stack: Stack, service: str) -> None:
    """The other server is not affected; acknowledged predictions are in the table."""
    here, other = (stack.api, stack.serve) if service == "api" else (stack.serve, stack.api)
    acknowledged = [stack.api.post("/predict", json=FIVE).json()["id"] for _ in range(5)]

    with down(stack, service):
        answers = [here.post("/predict", json=FIVE) for _ in range(5)]
        assert other.post("/predict", json=FIVE).status_code == 200
        logged = stack.logged_ids()
    crash(stack, service)

    assert {answer.status_code for answer in answers} == {503}
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert set(acknowledged) <= logged
    wait_until(lambda: here.post("/predict", json=FIVE).status_code == 200, 20, f"{service} to answer")


def test_without_nginx_connections_are_refused(stack: Stack) -> None:
    """Nothing else listens on its ports; the servers behind it keep running."""
    with down(stack, "nginx"):
        for client in (stack.api, stack.serve):
            with pytest.raises(httpx.ConnectError):
                client.get("/livez")
        assert {stack.container(service).health for service in ("api", "model-serve")} == {"healthy"}
    crash(stack, "nginx")

    wait_until(lambda: stack.api.get("/readyz").status_code == 200, 20, "the way to the api")
    wait_until(lambda: stack.serve.get("/readyz").status_code == 200, 20, "the way to model-serve")
    assert_predictions_go_on(stack)


def test_without_the_training_data_predictions_go_on(stack: Stack) -> None:
    """Only what needs the table fails: the sample, and a step that is run during the outage."""
    with down(stack, "database"):
        assert_predictions_go_on(stack)
        sample = stack.serve.get("/data/sample")
        refused = only_error(stack.run_step("model-train"))
    crash(stack, "database")

    assert sample.status_code == 503
    assert sample.headers["content-type"] == "application/problem+json"
    assert "DATABASE_URL" in refused
    wait_until(lambda: stack.serve.get("/data/sample").status_code == 200, 20, "the sample")
    assert stack.run_step("model-train").returncode == 0


def test_without_redis_answers_are_computed_and_logged_at_once(stack: Stack) -> None:
    """Equal requests are computed each time and logged directly in the table."""
    stack.api.post("/predict", json=FIVE)
    with down(stack, "redis"):
        answers = [stack.api.post("/predict", json=FIVE).json() for _ in range(3)]
        logged = stack.logged_ids()
        wait_until(lambda: stack.api.get("/health").json()["status"] == "degraded", 10, "/health to say so")

    assert {answer["cached"] for answer in answers} == {False}
    assert {answer["id"] for answer in answers} <= logged
    wait_until(lambda: stack.api.post("/predict", json=FIVE).json()["cached"], 20, "the cache")


def test_without_prometheus_nobody_misses_anything(stack: Stack) -> None:
    """What it had recorded is still there afterwards, even after a crash."""

    def newest_scrape(at: float) -> float:
        found = stack.query('timestamp(up{job="ml-api"} == 1)', time=f"{at:.3f}")
        return float(found[0]["value"][1]) if found else 0.0

    recorded = wait_until(lambda: newest_scrape(time.time()), 30, "a scrape")
    with down(stack, "prometheus"):
        assert_predictions_go_on(stack)
        with pytest.raises(httpx.ConnectError):
            stack.prometheus.get("/-/ready")
    crash(stack, "prometheus")

    restarted = time.time()
    assert newest_scrape(recorded) == recorded
    wait_until(lambda: newest_scrape(time.time()) > restarted, 30, "the next scrape")
