"""The table of jobs: privileges and states, and that a job is finished and logged once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import psycopg2
import pytest

from api.connections.address import StoreAddress
from api.connections.background import running
from api.connections.postgres import PostgresConnection
from api.prediction.answer import make_answer
from api.prediction.identifiers import new_prediction_id
from api.worker.job_rows import Work, WorkStore
from mlstack.runtime.secret_files import Secret
from tests.harness.processes.inference import Stores

Result = TypeVar("Result")
ANSWER = make_answer("[3.0]", "[[2.0,4.0]]", "[0.9]")
PROBLEM = b'{"status":422,"detail":"no"}'
LEASE = 15


def submit(real_stores: Stores) -> str:
    """Add a pending job as the api's role does; return its id."""
    job_id, milliseconds = new_prediction_id()
    insert = """
        INSERT INTO jobs (id, submitted_at, input_data, request_id, fingerprint)
        VALUES (%s, to_timestamp(%s / 1000.0), '[[1.0]]', 'r', '')
    """
    real_stores.sql(insert, job_id, milliseconds, url=real_stores.inference_url)
    return job_id


def state(real_stores: Stores, job_id: str) -> tuple[str, str | None, int]:
    """Return the job's state, its worker and the number of attempts."""
    ((name, worker, attempts),) = real_stores.sql(
        "SELECT state, worker, attempts FROM jobs WHERE id = %s", job_id
    )
    return name, worker, attempts


def as_worker(real_stores: Stores, steps: Callable[[WorkStore], Awaitable[Result]]) -> Result:
    """Do some steps as a worker does: as the role `inference`, over a new connection."""

    async def do() -> Result:
        url = Secret("DATABASE_URL", lambda: real_stores.inference_url)
        connection = PostgresConnection(StoreAddress("postgres", url))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(running(connection.keep_connected))
            return await steps(WorkStore(connection, LEASE, lambda: None))

    return asyncio.run(do())


def test_a_job_is_in_the_hands_of_one_worker(real_stores: Stores) -> None:
    """A second one gets nothing; the first may ask again, as when a reply was lost."""
    job_id = submit(real_stores)

    async def steps(store: WorkStore) -> tuple[Work | None, ...]:
        return (
            await store.take(job_id, "one"),
            await store.take(job_id, "two"),
            await store.take(job_id, "one"),
        )

    first, second, again = as_worker(real_stores, steps)

    assert first is not None
    assert bytes(first.rows) == b"[[1.0]]"
    assert second is None
    assert again is not None
    assert state(real_stores, job_id) == ("in_progress", "one", 1)


def test_a_finished_job_is_logged_once_under_its_own_id_and_time(real_stores: Stores) -> None:
    """However often completing it is repeated."""
    job_id = submit(real_stores)

    async def steps(store: WorkStore) -> Work | None:
        await store.take(job_id, "one")
        for _ in range(3):
            await store.complete(job_id, "one", ANSWER, 7)
        return await store.take(job_id, "two")

    assert as_worker(real_stores, steps) is None
    assert state(real_stores, job_id) == ("completed", "one", 1)
    logged = """
        SELECT p.input_data, p.prediction, p.model_version, p."timestamp" = j.submitted_at
          FROM predictions p JOIN jobs j USING (id) WHERE id = %s
    """
    assert real_stores.sql(logged, job_id) == [([[1.0]], [3.0], 7, True)]


def test_after_the_lease_another_worker_takes_over_and_the_first_is_too_late(real_stores: Stores) -> None:
    """Its answer is neither stored nor logged, nor does its failure count."""
    job_id = submit(real_stores)

    async def steps(store: WorkStore) -> None:
        await store.take(job_id, "slow")
        real_stores.sql("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE id = %s", job_id)
        assert await store.take(job_id, "quick") is not None
        await store.complete(job_id, "slow", ANSWER, 1)
        await store.fail(job_id, "slow", PROBLEM)
        await store.release(job_id, "slow")
        assert state(real_stores, job_id) == ("in_progress", "quick", 2)
        await store.complete(job_id, "quick", ANSWER, 2)

    as_worker(real_stores, steps)

    assert state(real_stores, job_id) == ("completed", "quick", 2)
    assert real_stores.sql("SELECT model_version FROM predictions WHERE id = %s", job_id) == [(2,)]


def test_attempts_are_counted_over_releases(real_stores: Stores) -> None:
    """A job that always fails ends as failed."""
    job_id = submit(real_stores)

    async def steps(store: WorkStore) -> list[int]:
        counted = []
        for name in ("one", "two", "three"):
            taken = await store.take(job_id, name)
            assert taken is not None
            counted.append(taken.attempts)
            await store.release(job_id, name)
        return counted

    assert as_worker(real_stores, steps) == [1, 2, 3]
    assert state(real_stores, job_id)[0] == "pending"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE jobs SET input_data = '[[2]]'",
        "UPDATE jobs SET submitted_at = now()",
        "UPDATE jobs SET idempotency_key = 'x'",
        "DELETE FROM jobs",
        "TRUNCATE jobs",
    ],
)
def test_nobody_but_an_administrator_changes_what_was_asked(real_stores: Stores, statement: str) -> None:
    """The role of the api and the workers may update a job's state only."""
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        real_stores.sql(statement, url=real_stores.inference_url)


def test_only_jobs_that_finished_long_ago_expire(real_stores: Stores) -> None:
    """A pending job is kept, however old it is; a caller's own hours are ignored."""
    waiting, fresh, old = (submit(real_stores) for _ in range(3))
    finish = """
        UPDATE jobs SET state = 'failed', problem = '{}', finished_at = now() - make_interval(hours => %s)
         WHERE id = %s
    """
    real_stores.sql(finish, 1, fresh)
    real_stores.sql(finish, 3, old)
    real_stores.sql("UPDATE jobs SET submitted_at = submitted_at - interval '1 year'")

    real_stores.sql("UPDATE retention SET job_hours = 2")

    forged = real_stores.sql("SELECT expire_jobs(0)", url=real_stores.inference_url)
    expired = real_stores.sql("SELECT expire_jobs()", url=real_stores.inference_url)

    assert (forged, expired) == ([(1,)], [(0,)])
    left = {job_id for (job_id,) in real_stores.sql("SELECT id::text FROM jobs")}
    assert {waiting, fresh} <= left
    assert old not in left
