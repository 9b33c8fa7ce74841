"""The first seconds after both stores freeze: each request is told within a second, from the first one on."""

from __future__ import annotations

import concurrent.futures
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import httpx
import pytest

from tests.harness.processes.inference import Stores, is_healthy
from tests.harness.processes.outage import frozen
from tests.harness.processes.serving import ServingProcess, eventually

PROMISE = 1.0  # seconds


@contextmanager
def both_frozen(real_stores: Stores) -> Iterator[None]:
    """Stop both stores' processes as they stand, at the same moment."""
    with frozen(real_stores.postgres):
        real_stores.redis.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            real_stores.redis.signal(signal.SIGCONT)


def timed(server: ServingProcess, number: int) -> tuple[int, float, str | None]:
    """Ask on a connection of its own; return status, seconds and the id of an answer."""
    with httpx.Client(base_url=server.client.base_url, timeout=30) as client:
        client.get("/livez")  # connecting is not what is measured
        started = time.perf_counter()
        answer = client.post("/predict", json={"values": [number]})
        seconds = time.perf_counter() - started
    return answer.status_code, seconds, answer.json().get("id")


@pytest.mark.parametrize("clients", [1, 16], ids=["one by one", "sixteen at once"])
def test_each_request_after_both_stores_froze_is_answered_within_a_second(
    api: ServingProcess, real_stores: Stores, clients: int
) -> None:
    """With 503, or with a 200 that is kept: once in the log when the stores are back."""
    assert eventually(partial(is_healthy, api), 30)
    with concurrent.futures.ThreadPoolExecutor(clients) as pool, both_frozen(real_stores):
        answers = list(pool.map(partial(timed, api), range(1 + 50)))

    late = [(status, round(seconds, 2)) for status, seconds, _ in answers if seconds >= PROMISE]
    assert late == []
    assert {status for status, _, _ in answers} <= {200, 503}
    assert eventually(partial(is_healthy, api), 60)
    kept = [identifier for status, _, identifier in answers if status == 200 and identifier]
    assert eventually(lambda: real_stores.queued() == 0, 30)
    assert set(real_stores.times_logged(kept).values()) <= {1}
