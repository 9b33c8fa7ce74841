"""Two replicas on the same stores: what they count adds up, and a stampede costs each one computation."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mlstack.runtime.arrays import FloatArray
from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.service_in_process import ServiceInProcess
from tests.harness.processes.serving import ServingProcess

REQUESTS = 300
COUNTED = 'http_requests_total{method="POST",route="/predict",status="200"}'
LOGGED = [f'prediction_log_rows_total{{way="{way}"}}' for way in ("direct", "queued")]
LOOKED_UP = [f'cache_requests_total{{result="{result}"}}' for result in ("hit", "miss", "error")]


@pytest.fixture
def replicas(model_dir: Path, real_stores: Stores, tmp_path: Path) -> Iterator[list[ServingProcess]]:
    """Two of them."""
    with (
        undisturbed(model_dir, tmp_path / "one", real_stores) as one,
        undisturbed(model_dir, tmp_path / "two", real_stores) as two,
    ):
        yield [one, two]


def ask_all(replicas: list[ServingProcess], count: int) -> list[httpx.Response]:
    """Send requests to the replicas in turn, eight at a time; half of them repeat another one."""
    turns = itertools.cycle(replicas)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asking = [
            pool.submit(next(turns).predict, {"values": [number // 2, number % 7]}) for number in range(count)
        ]
        return [answer.result() for answer in asking]


def total(replicas: list[ServingProcess], *samples: str) -> float:
    """Return the sum of samples over all replicas, as a query in Prometheus gives it."""
    return sum(replica.metric(sample) for replica in replicas for sample in samples)


def test_counters_over_replicas_are_what_was_asked(replicas: list[ServingProcess]) -> None:
    """Requests, look-ups, logged rows and instances: each adds up to the requests exactly."""
    answers = ask_all(replicas, REQUESTS)

    assert {answer.status_code for answer in answers} == {200}
    assert total(replicas, COUNTED) == REQUESTS
    assert total(replicas, *LOOKED_UP) == REQUESTS
    assert total(replicas, *LOGGED) == REQUESTS
    assert total(replicas, "prediction_instances_total") == 2 * REQUESTS
    assert total(replicas, "prediction_batch_requests_sum") == REQUESTS
    assert total(replicas, 'http_request_duration_seconds_count{route="/predict"}') == REQUESTS


def test_what_a_killed_replica_had_counted_is_what_was_scraped_last(
    replicas: list[ServingProcess], real_stores: Stores
) -> None:
    """Its last scrape and the counters of those that live are all requests but those since that scrape."""
    one, two = replicas
    before = ask_all(replicas, 100)
    scraped = one.metric(COUNTED)
    unseen = ask_all([one], 30)
    one.process.kill()
    one.process.wait()
    after = ask_all([two], 50)

    assert scraped + two.metric(COUNTED) == len(before) + len(after)
    ids = [answer.json()["id"] for answer in [*before, *unseen, *after]]
    assert set(real_stores.times_logged(ids).values()) == {1}  # the log knows of all


class CountingModel:
    """y = x, slowly; counts its calls."""

    def __init__(self, together: threading.Barrier) -> None:
        """No answer before all have been called, so that none finds that of another in the cache."""
        self.calls = 0
        self._together = together

    def __call__(self, rows: FloatArray) -> FloatArray:
        """Predict."""
        self.calls += 1
        self._together.wait(30)
        time.sleep(0.3)
        values: FloatArray = rows[:, 0].copy()
        return values


def test_a_stampede_costs_each_replica_one_computation(model_dir: Path, real_stores: Stores) -> None:
    """Two hundred ask three replicas the same at the same moment, which none of them has in the cache."""
    called = threading.Barrier(3)
    models = [CountingModel(called) for _ in range(called.parties)]
    services = [ServiceInProcess(model_dir, real_stores, MAX_WAIT_SECONDS="60") for _ in models]
    for service, model in zip(services, models, strict=True):
        service.use(dataclasses.replace(service.model, _predict=model, quick=False))
    start = threading.Barrier(len(services))

    def ask(service: ServiceInProcess) -> set[str]:
        start.wait()
        answers = service.ask_once(['{"features": [123.5]}'] * 70)
        service.write_the_cache()
        return {answer.text.partition(",")[2] for answer in answers}

    with concurrent.futures.ThreadPoolExecutor(len(services)) as pool:
        answers = set().union(*pool.map(ask, services))
    late = [service.ask_once(['{"features": [123.5]}'])[0].json() for service in services]
    for service in services:
        service.close()

    assert len(answers) == 1
    assert [model.calls for model in models] == [1, 1, 1]
    assert [answer["cached"] for answer in late] == [True, True, True]
