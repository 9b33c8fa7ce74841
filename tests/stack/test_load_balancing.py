"""Stretch goal "load balancing": several replicas behind nginx, more and fewer of them; what they count."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest

from tests.harness.stack.compose import Stack
from tests.harness.stack.kept_load import Load
from tests.harness.stack.replicas import answered_by, await_replicas
from tests.harness.stack.waiting import wait_until

_PORT = 8000
_SERVED = {"api": ("API_PORT", _PORT, "ml-api"), "model-serve": ("SERVE_PORT", 5000, "model-serve")}
_COUNTED = 'http_requests_total{method="POST",route="/predict",status="200"}'


@pytest.fixture(scope="module")
def url(stack: Stack) -> Iterator[str]:
    """Where predictions are asked for; afterwards one replica is left."""
    yield f"http://localhost:{stack.port('API_PORT')}/predict"
    _scale(stack, 1, *_SERVED)


@pytest.mark.usefixtures("url")
def test_three_replicas_share_the_load_and_count_it(stack: Stack) -> None:
    """Of each server. A request is counted by one of them: Prometheus' sum over all is what was asked."""
    _scale(stack, 3, *_SERVED)
    for service, (_, port, _) in _SERVED.items():
        await_replicas(stack, service, 3, port)
    began, before = datetime.now(UTC), {service: _counted(stack, service) for service in _SERVED}

    with ExitStack() as running:
        loads = {service: running.enter_context(_load(stack, service)) for service in _SERVED}
        for load in loads.values():
            load.wait_for(300)

    for service, load in loads.items():
        load.assert_all_answered()
        shares = answered_by(stack, began, _SERVED[service][1], len(load.answers))
        assert set(shares) == {each.address for each in stack.containers(service)}
        assert min(shares.values()) > 0.15 * shares.total()
        counted = before[service] + len(load.answers)
        assert _counted(stack, service) == counted
        wait_until(partial(_is_summed, stack, service, counted), 30, "Prometheus to have counted", pause=1)


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


def _scale(stack: Stack, replicas: int, *services: str) -> None:
    scales = [part for service in services for part in ("--scale", f"{service}={replicas}")]
    stack.compose("up", "-d", "--wait", "--no-deps", "--no-recreate", *scales, *services)


def _load(stack: Stack, service: str) -> Load:
    url = f"http://localhost:{stack.port(_SERVED[service][0])}/predict"
    return Load(url, {"features": [1.0, 2.0, 3.0]})


def _counted(stack: Stack, service: str) -> float:
    """Return how many predictions the replicas say they have answered, added up."""
    replicas = [f"{each.address}:{_SERVED[service][1]}" for each in stack.containers(service)]
    pages = [httpx.get(f"http://{replica}/metrics", trust_env=False).text for replica in replicas]
    lines = [line for page in pages for line in page.splitlines()]
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(_COUNTED))


def _is_summed(stack: Stack, service: str, counted: float) -> bool:
    """Return whether Prometheus' sum over the replicas is this."""
    named = _COUNTED.replace("{", f'{{job="{_SERVED[service][2]}",')
    return [float(found["value"][1]) for found in stack.query(f"sum({named})")] == [counted]


def _all_logged(stack: Stack, load: Load) -> None:
    acknowledged = [answer.json()["id"] for answer in load.answers]
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= stack.logged_ids()
