"""Jobs with rows of any kind: answered by the model that is current when they are processed, and logged."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from api.connections.address import StoreAddress
from api.connections.background import running
from api.connections.pool import ConnectionPool, ask
from api.connections.postgres import PostgresConnection
from api.jobs.routes import _submission
from api.jobs.statements import FIND
from api.jobs.store import JobStore
from api.prediction.identifiers import identify
from api.prediction.intake import Question
from api.worker.answering import Answering, Outcome
from api.worker.job_rows import WorkStore
from mlstack.registry.store import ModelStore
from mlstack.runtime.secret_files import Secret
from mlstack.web.problems import Conflict
from mlstack.web.requests import decode_rows
from mlstack.web.rows import read_rows
from mlstack.web.served_models import ServedModels
from tests.harness.mixed_models import HOUSE_ROW, PASSENGER_ROW, publish_houses, publish_passengers
from tests.harness.processes.inference import Stores
from tests.harness.processes.serving import publish_line


class Office:
    """Accepts jobs as the api does and answers them as a worker does, over one connection to PostgreSQL."""

    def __init__(self, models: ServedModels, connection: PostgresConnection) -> None:
        pool = ConnectionPool([connection], 5.0)
        self._models = models
        self._jobs = JobStore(pool, pool)
        self._connection = connection
        self._worker = Answering(WorkStore(connection, 15, lambda: None), models, 100, lambda: None)

    async def submit(self, *rows: object, key: str | None = None) -> str:
        """Accept a job; return its id."""
        model = self._models.select(None)
        asked = decode_rows(json.dumps({"instances": rows}).encode(), 100)
        question = Question(model, read_rows(asked, model, 100), None)
        report, _ = await self._jobs.submit(_submission(identify({}), question, key))
        return str(json.loads(report)["id"])

    async def process(self, job_id: str) -> dict[str, Any]:
        """Answer the job by the model that is current now; return its report."""
        self._models.current.refresh()
        assert await self._worker.answer(job_id) is Outcome.ACKNOWLEDGE
        report: dict[str, Any] = json.loads(await ask(self._connection, FIND, job_id) or "")
        return report


async def opened(stack: AsyncExitStack, real_stores: Stores, root: Path) -> Office:
    """Connect, and return the office of the models in `root`."""
    url = Secret("DATABASE_URL", lambda: real_stores.inference_url)
    connection = PostgresConnection(StoreAddress("postgres", url))
    await stack.enter_async_context(running(connection.keep_connected))
    async with asyncio.timeout(20):
        while not connection.available:
            await asyncio.sleep(0.02)
    return Office(ServedModels(ModelStore(root)), connection)


def logged(real_stores: Stores, job_id: str) -> tuple[Any, ...]:
    """Return the job's row in the prediction log."""
    columns = "input_data, prediction, intervals, probabilities, prediction_sets"
    (row,) = real_stores.sql(f"SELECT {columns} FROM predictions WHERE id = %s", job_id)  # noqa: S608
    return row


def test_a_job_of_mixed_rows_is_answered_and_logged_as_it_was_asked(
    real_stores: Stores, tmp_path: Path
) -> None:
    """By the newer version of the same columns, which was promoted after it was accepted."""
    store = ModelStore(tmp_path)
    publish_houses(store)

    async def steps() -> dict[str, Any]:
        async with AsyncExitStack() as stack:
            office = await opened(stack, real_stores, tmp_path)
            job_id = await office.submit(HOUSE_ROW, [100, "Hue", 2, False])
            publish_houses(store, level=1000.0)
            return await office.process(job_id)

    report = asyncio.run(steps())

    assert (report["state"], report["model_version"]) == ("completed", 2)
    assert report["predictions"] == pytest.approx([1380, 1350])
    assert report["unseen"] == [[], ["city"]]
    rows = [[120, "Hanoi", None, True], [100, "Hue", 2, False]]
    expected = (rows, report["predictions"], report["intervals"], None, None)
    assert logged(real_stores, report["id"]) == expected


def test_a_job_of_a_classifier_has_its_members(real_stores: Stores, tmp_path: Path) -> None:
    publish_passengers(ModelStore(tmp_path))

    async def steps() -> dict[str, Any]:
        async with AsyncExitStack() as stack:
            office = await opened(stack, real_stores, tmp_path)
            return await office.process(await office.submit(PASSENGER_ROW))

    report = asyncio.run(steps())

    assert set(report["probabilities"][0]) == {"false", "true"}
    assert report["predictions"][0] in report["prediction_sets"][0]
    assert "intervals" not in report
    found = [report[name] for name in ("predictions", "probabilities", "prediction_sets")]
    assert logged(real_stores, report["id"]) == ([[50, None, False]], found[0], None, *found[1:])


def test_a_job_for_other_columns_than_the_model_has_now_fails_and_says_so(
    real_stores: Stores, tmp_path: Path
) -> None:
    """Rows by name and rows of mixed columns: neither is answered as if it were something else."""
    store = ModelStore(tmp_path)
    publish_line(tmp_path, 2.0)

    async def steps() -> tuple[dict[str, Any], dict[str, Any]]:
        async with AsyncExitStack() as stack:
            office = await opened(stack, real_stores, tmp_path)
            by_name = await office.submit({"x": 5})
            publish_houses(store)
            by_name_report = await office.process(by_name)
            mixed = await office.submit(HOUSE_ROW)
            publish_passengers(store)
            return by_name_report, await office.process(mixed)

    by_name, mixed = asyncio.run(steps())

    assert (by_name["state"], mixed["state"]) == ("failed", "failed")
    assert (by_name["problem"]["status"], mixed["problem"]["status"]) == (422, 422)
    assert "for the columns x;" in by_name["problem"]["detail"]
    assert "for the columns area, city, rooms, garden;" in mixed["problem"]["detail"]


def test_texts_that_are_both_unseen_are_two_requests(real_stores: Stores, tmp_path: Path) -> None:
    """They are encoded alike; under one idempotency key the second one is a conflict."""
    publish_houses(ModelStore(tmp_path))

    async def steps() -> tuple[str, str]:
        async with AsyncExitStack() as stack:
            office = await opened(stack, real_stores, tmp_path)
            first = await office.submit([1, "Hue", 2, True], key="unseen")
            again = await office.submit([1, "Hue", 2, True], key="unseen")
            with pytest.raises(Conflict):
                await office.submit([1, "Rome", 2, True], key="unseen")
            return first, again

    first, again = asyncio.run(steps())

    assert first == again
