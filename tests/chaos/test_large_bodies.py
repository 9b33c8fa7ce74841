"""Bodies far beyond the limit are refused and do not affect other clients."""

from __future__ import annotations

import concurrent.futures
import time
from functools import partial

import httpx
import pytest

from tests.harness.chaos.recorded_load import Load
from tests.harness.chaos.recovery import await_recovery
from tests.harness.chaos.system import System

MB = 1 << 20
HEADERS = {"content-type": "application/json"}


def post(system: System, size: int) -> httpx.Response | None:
    """Send a body of zeros; None if the connection was closed before all of it was sent."""
    url = f"http://127.0.0.1:{system.port('API_PORT')}/predict"
    try:
        return httpx.post(url, content=bytes(size), headers=HEADERS, timeout=60, trust_env=False)
    except httpx.WriteError:
        return None


@pytest.mark.parametrize("size", [2 * MB, 12 * MB])
def test_a_body_over_the_limit_is_answered_through_the_front_door(system: System, size: int) -> None:
    """By the api, which says what its limit is."""
    answer = post(system, size)

    assert answer is not None
    assert answer.status_code == 413
    assert "1048576" in answer.json()["detail"]


def test_large_bodies_do_not_end_the_front_door(system: System, load: Load) -> None:
    """One of 200 MB, and 24 of 12 MB at once: refused, while all other requests are answered."""
    await_recovery(system, load, 0)
    before, began = system.starts("nginx"), time.monotonic()

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(partial(post, system), [200 * MB, *[12 * MB] * 24]))
    await_recovery(system, load, began)

    refused = [answer for answer in answers if answer is not None]
    assert {answer.status_code for answer in refused} <= {413, 503}
    assert {answer.headers["content-type"] for answer in refused} <= {"application/problem+json"}
    assert system.starts("nginx") == before
    assert {outcome.status for outcome in load.since(began)} == {200}
