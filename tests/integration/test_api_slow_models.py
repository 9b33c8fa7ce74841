"""Slow models: one call for many questions, and a refusal when the expected wait is too long."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mlstack.runtime.arrays import FloatArray
from tests.harness.processes.inference import Stores
from tests.harness.processes.service_in_process import ServiceInProcess
from tests.harness.processes.serving import publish_line

CALL_SECONDS = 0.05


class SlowModel:
    """Takes equally long for any number of rows, and records the number of rows."""

    def __init__(self, seconds: float = CALL_SECONDS) -> None:
        self._seconds = seconds
        self.calls: list[int] = []

    def __call__(self, rows: FloatArray) -> FloatArray:
        """Answer the sum of each row."""
        self.calls.append(len(rows))
        time.sleep(self._seconds)
        if (rows == 13).any():
            raise RuntimeError("a defect of the model")
        return np.asarray(rows.sum(axis=1))


@pytest.fixture
def slow() -> SlowModel:
    """A model that needs 50 ms a call."""
    return SlowModel()


@pytest.fixture
def service(tmp_path: Path, real_stores: Stores, slow: SlowModel) -> Iterator[ServiceInProcess]:
    """The service with that model; it refuses nothing, however slow the machine is."""
    yield from _service(tmp_path, real_stores, slow, "60")


@pytest.fixture
def impatient(tmp_path: Path, real_stores: Stores, slow: SlowModel) -> Iterator[ServiceInProcess]:
    """The same; it refuses what would wait for more than a second."""
    yield from _service(tmp_path, real_stores, slow, "1")


def _service(path: Path, stores: Stores, slow: SlowModel, max_wait: str) -> Iterator[ServiceInProcess]:
    publish_line(path / "models", 2.0)
    running = ServiceInProcess(path / "models", stores, MAX_WAIT_SECONDS=max_wait)
    running.use(dataclasses.replace(running.model, _predict=slow, quick=False))
    yield running
    running.close()


def bodies(count: int, first: float = 0.0) -> list[str]:
    """Return different questions."""
    return [f'{{"features": [{first + number / 1000}]}}' for number in range(count)]


def test_many_questions_are_few_calls(service: ServiceInProcess, slow: SlowModel) -> None:
    answers = service.ask_once(bodies(500))

    assert {answer.status_code for answer in answers} == {200}
    assert sum(slow.calls) == 500
    assert len(slow.calls) < 20


def test_what_is_being_computed_is_not_computed_again(service: ServiceInProcess, slow: SlowModel) -> None:
    """A cold cache does not stampede: of a hundred that ask the same at once, one is computed."""
    answers = service.ask_once(bodies(1) * 100)

    assert {answer.text.partition(",")[2] for answer in answers} == {answers[0].text.partition(",")[2]}
    assert slow.calls == [1]


def test_a_defect_in_the_model_fails_the_call_in_which_it_shows_and_no_other(
    service: ServiceInProcess,
) -> None:
    """It is told as 503, and the next question is answered."""
    bad = service.ask_once(['{"features": [13]}'])[0]
    good = service.ask_once(bodies(20, first=100))

    assert (bad.status_code, bad.headers["content-type"]) == (503, "application/problem+json")
    assert {answer.status_code for answer in good} == {200}


def test_many_rows_of_one_request_do_not_hold_up_others(service: ServiceInProcess) -> None:
    """They are computed in another thread: the small question is answered while the large one is computed."""
    patient = SlowModel(seconds=2.0)
    quick = SlowModel(seconds=0.01)
    service.use(
        dataclasses.replace(
            service.model, _predict=lambda rows: (patient if len(rows) > 512 else quick)(rows)
        )
    )
    large = f'{{"features": {list(range(20, 1020))}}}'

    answers = service.ask_in_order_of_answers([large, *bodies(5, first=200)])

    assert [len(answer.json()["predictions"]) for answer in answers] == [1, 1, 1, 1, 1, 1000]


def test_a_model_that_cannot_keep_up_refuses_before_it_is_hopeless(
    impatient: ServiceInProcess,
) -> None:
    """Fifty milliseconds a row: accepted requests are answered, the others get Retry-After."""
    impatient.use(dataclasses.replace(impatient.model, row_independent=False))
    impatient.ask_once(bodies(60, first=300))  # learns what a row costs

    started = time.monotonic()
    answers = impatient.ask_once(bodies(400, first=400))
    seconds = time.monotonic() - started

    answered = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(answered) + len(refused) == 400
    assert answered
    assert len(refused) > 300
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert seconds < 60


def test_hits_are_answered_while_the_model_is_overloaded(impatient: ServiceInProcess) -> None:
    known = impatient.ask_once(bodies(1, first=900))[0]
    impatient.write_the_cache()
    impatient.use(dataclasses.replace(impatient.model, row_independent=False))
    impatient.ask_once(bodies(60, first=1000))

    *others, hit = impatient.ask_once([*bodies(200, first=2000), *bodies(1, first=900)])

    assert known.status_code == 200
    assert (hit.status_code, hit.json()["cached"]) == (200, True)
    assert {answer.status_code for answer in others} == {200, 503}
