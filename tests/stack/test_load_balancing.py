"""Stretch goal "load balancing": several replicas behind nginx, more and fewer of them, and what they count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from tests.harness.stack.compose import Stack
from tests.harness.stack.kept_load import Load
from tests.harness.stack.replicas import answered_by, await_replicas
from tests.harness.stack.waiting import wait_until

_PORT = 8000
_SERVED = {"api": ("API_PORT", _PORT, "ml-api"), "model-serve": ("SERVE_PORT", 5000, "model-serve")}
_COUNTED = 'http_requests_total{method="POST",route="/predict",status="200"} '


@pytest.fixture(scope="module")
def url(stack: Stack) -> Iterator[str]:
    """Where predictions are asked for; afterwards one replica is left."""
    yield f"http://localhost:{stack.port('API_PORT')}/predict"
    for service in _SERVED:
        _scale(stack, 1, service)


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize("service", _SERVED)
def test_three_replicas_share_the_load_and_count_it(stack: Stack, service: str) -> None:
    """Each request is counted by one of them: Prometheus' sum over all is what was asked."""
    published, port, job = _SERVED[service]
    _scale(stack, 3, service)
    await_replicas(stack, service, 3, port)
    began, before = datetime.now(UTC), _counted(stack, service, port)

    with Load(f"http://localhost:{stack.port(published)}/predict", {"features": [1.0, 2.0, 3.0]}) as load:
        load.wait_for(300)

    load.assert_all_answered()
    shares = answered_by(stack, began, port, len(load.answers))
    assert set(shares) == {each.address for each in stack.containers(service)}
    assert min(shares.values()) > 0.15 * shares.total()
    assert _counted(stack, service, port) == before + len(load.answers)
    wait_until(
        lambda: _summed(stack, job) == before + len(load.answers), 30, "Prometheus to have all", pause=1
    )


def test_scaling_down_and_up_under_load_fails_no_request(stack: Stack, url: str) -> None:
    with Load(url, {"features": [1.0, 2.0, 3.0]}) as load:
        load.wait_for(50)
        _scale(stack, 1, "api")
        load.wait_for(50)
        _scale(stack, 2, "api")
        load.wait_for(50)

    load.assert_all_answered()
    _all_logged(stack, load)


def test_up_starts_as_many_replicas_as_the_setting_says(stack: Stack) -> None:
    two = {"API_REPLICAS": "2"}
    up = ("up", "--detach", "--wait", "--no-deps")

    counts = []
    for scale in ((), (), ("--scale", "api=3"), ()):
        stack.compose(*up, *scale, "api", env=two)
        counts.append(len(stack.containers("api")))
    stack.compose(*up, "api")

    assert counts == [2, 2, 3, 2]
    assert len(stack.containers("api")) == 1


def _scale(stack: Stack, replicas: int, service: str) -> None:
    options = ("--no-deps", "--no-recreate", "--scale", f"{service}={replicas}", service)
    stack.compose("up", "-d", "--wait", *options)


def _counted(stack: Stack, service: str, port: int) -> float:
    """Return how many predictions the replicas say they have answered, added up."""
    pages = [httpx.get(f"http://{each.address}:{port}/metrics").text for each in stack.containers(service)]
    lines = [line for page in pages for line in page.splitlines()]
    return sum(float(line.removeprefix(_COUNTED)) for line in lines if line.startswith(_COUNTED))


def _summed(stack: Stack, job: str) -> float:
    """Return the same as Prometheus adds it up."""
    query = f'sum(http_requests_total{{job="{job}",method="POST",route="/predict",status="200"}})'
    return sum(float(found["value"][1]) for found in stack.query(query))


def _all_logged(stack: Stack, load: Load) -> None:
    acknowledged = [answer.json()["id"] for answer in load.answers]
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= stack.logged_ids()
