"""Stretch goal "load balancing": several replicas behind nginx, more and fewer of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.harness.stack.compose import Stack
from tests.harness.stack.kept_load import Load
from tests.harness.stack.replicas import answered_by, await_replicas

_PORT = 8000


@pytest.fixture(scope="module")
def url(stack: Stack) -> Iterator[str]:
    """Where predictions are asked for; afterwards one replica is left."""
    yield f"http://localhost:{stack.port('API_PORT')}/predict"
    _scale(stack, 1)


def test_three_replicas_share_the_load(stack: Stack, url: str) -> None:
    _scale(stack, 3)
    await_replicas(stack, "api", 3, _PORT)
    began = datetime.now(UTC)

    with Load(url, {"features": [1.0, 2.0, 3.0]}) as load:
        load.wait_for(300)

    load.assert_all_answered()
    shares = answered_by(stack, began, _PORT, len(load.answers))
    assert set(shares) == {each.address for each in stack.containers("api")}
    assert min(shares.values()) > 0.15 * shares.total()


def test_scaling_down_and_up_under_load_fails_no_request(stack: Stack, url: str) -> None:
    with Load(url, {"features": [1.0, 2.0, 3.0]}) as load:
        load.wait_for(50)
        _scale(stack, 1)
        load.wait_for(50)
        _scale(stack, 2)
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


def _scale(stack: Stack, replicas: int) -> None:
    stack.compose("up", "-d", "--wait", "--no-deps", "--no-recreate", "--scale", f"api={replicas}", "api")


def _all_logged(stack: Stack, load: Load) -> None:
    acknowledged = [answer.json()["id"] for answer in load.answers]
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= stack.logged_ids()
