"""Jobs under overload: readers share reads, waiting is no failure, and the backlog is bounded."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar
from unittest.mock import patch

from api.connections.address import StoreAddress
from api.connections.pool import open_pools
from api.http_server.memory import MemoryBudget
from api.jobs.schemas import Submission
from api.jobs.service import JobService, open_job_service
from api.jobs.settings import JobSettings
from api.prediction.identifiers import new_prediction_id
from mlstack.runtime.secret_files import Secret
from mlstack.runtime.settings import read_database_url
from mlstack.web.problems import NotFound, Unavailable
from tests.harness.processes.inference import Stores

Result = TypeVar("Result")
UNREACHABLE = "amqp://jobs:jobs@127.0.0.1:1/"
ROWS = 10_000
MEMORY = 96 << 20


def in_service(
    real_stores: Stores, work: Callable[[JobService], Awaitable[Result]], **settings: str
) -> Result:
    """Do some work with the service."""

    async def do() -> Result:
        variables = {"AMQP_URL": UNREACHABLE, "DATABASE_URL": real_stores.inference_url, **settings}
        with patch.dict(os.environ, variables):
            database = Secret("DATABASE_URL", partial(read_database_url, "DATABASE_URL"))
            job_settings = JobSettings.from_env()
        async with (
            open_pools(StoreAddress("postgres", database)) as pools,
            open_job_service(pools, job_settings, MemoryBudget(MEMORY)) as service,
        ):
            async with asyncio.timeout(10):
                while not await connected(service):
                    await asyncio.sleep(0.02)
            return await work(service)

    return asyncio.run(do())


async def connected(service: JobService) -> bool:
    """Return whether a job can be looked up."""
    try:
        return await service.submit(submission(key="connected")) != b""
    except Unavailable:
        return False


def submission(key: str | None = None, rows: int = 1) -> Submission:
    """Return a job that is ready to be stored."""
    identity = new_prediction_id()
    return Submission(*identity, json.dumps([[1.0]] * rows), None, "r", key, (key or identity.text).encode())


def finished_large_job(real_stores: Stores) -> str:
    """Store a job that has finished with 10,000 rows of answer; return its id."""
    job_id, milliseconds = new_prediction_id()
    numbers = [number + 0.123456789012345 for number in range(ROWS)]
    answer = {"predictions": numbers, "intervals": [[n, n] for n in numbers], "confidence": numbers}
    insert = """
        INSERT INTO jobs (id, submitted_at, input_data, request_id, fingerprint, state, finished_at, answer,
                          model_version)
        VALUES (%s, to_timestamp(%s / 1000.0), '[[1.0]]', 'r', '', 'completed', now(), %s, 1)
    """
    real_stores.sql(insert, job_id, milliseconds, json.dumps(answer))
    return job_id


async def report(service: JobService, job_id: str) -> bytes:
    async with service.report(job_id, wait=0) as found:
        return found


def test_readers_of_one_large_job_do_not_refuse_unrelated_ones(real_stores: Stores) -> None:
    """Five hundred at once; meanwhile jobs are submitted and looked up, and none is refused."""
    large = finished_large_job(real_stores)

    async def work(service: JobService) -> tuple[list[bytes], list[bytes]]:
        readers = [asyncio.create_task(report(service, large)) for _ in range(500)]
        others = []
        for _ in range(50):
            small = submission()
            await service.submit(small)
            others.append(await report(service, small.id))
        return [await reader for reader in readers], others

    reports, others = in_service(real_stores, work)

    assert len({len(content) for content in reports}) == 1
    assert len(json.loads(reports[0])["predictions"]) == ROWS
    assert {json.loads(other)["state"] for other in others} == {"pending"}


def test_readers_of_one_job_share_reads_and_memory(real_stores: Stores) -> None:
    """Those that wait for a connection get one report: the same bytes."""
    large = finished_large_job(real_stores)

    async def work(service: JobService) -> list[bytes]:
        return await asyncio.gather(*[report(service, large) for _ in range(200)])

    reports = in_service(real_stores, work)

    assert len({id(content) for content in reports}) <= 3


def test_who_asks_after_a_change_sees_it(real_stores: Stores) -> None:
    """A shared read never begins before the question it answers."""

    async def work(service: JobService) -> None:
        for _ in range(50):
            job = submission()
            asking = [asyncio.create_task(missing(service, job.id)) for _ in range(5)]
            await asyncio.sleep(0)
            await service.submit(job)
            await report(service, job.id)
            await asyncio.gather(*asking)

    in_service(real_stores, work)


async def missing(service: JobService, job_id: str) -> None:
    """Ask for a job that may not be there yet."""
    with suppress(NotFound):
        await report(service, job_id)


def test_a_full_backlog_refuses_new_jobs_and_knows_old_ones(real_stores: Stores) -> None:
    """Then places become free, and jobs are accepted again."""
    real_stores.sql("DELETE FROM jobs")

    async def work(service: JobService) -> tuple[int, int, bytes, bytes]:
        accepted = refused = 0
        first = submission(key="first")
        await service.submit(first)
        for _ in range(60):
            try:
                await service.submit(submission())
            except Unavailable as problem:
                refused += problem.retry_after == 5
            else:
                accepted += 1
        again = await service.submit(first)
        real_stores.sql(
            "UPDATE jobs SET state = 'failed', problem = '{}', finished_at = now() WHERE finished_at IS NULL"
        )
        async with asyncio.timeout(10):
            while True:
                try:
                    return accepted, refused, again, await service.submit(submission())
                except Unavailable:
                    await asyncio.sleep(0.05)

    accepted, refused, again, later = in_service(real_stores, work, JOBS_LIMIT="40")

    assert (accepted, refused) == (38, 22)  # beside `first` and the one that looked whether all is connected
    assert json.loads(again)["state"] == "pending"
    assert json.loads(later)["state"] == "pending"


def test_a_statement_that_waits_for_its_turn_does_not_cost_a_connection(real_stores: Stores) -> None:
    """Submissions that wait behind a lock are refused after their time; then all goes on at once."""

    async def work(service: JobService) -> list[object]:
        lock = asyncio.to_thread(real_stores.sql, "BEGIN; LOCK TABLE jobs; SELECT pg_sleep(1); COMMIT")
        locked = asyncio.create_task(lock)
        await asyncio.sleep(0.3)
        waiting = await asyncio.gather(
            *[service.submit(submission()) for _ in range(300)], return_exceptions=True
        )
        await locked
        return list(waiting)

    outcomes = in_service(real_stores, work)

    assert [outcome for outcome in outcomes if not isinstance(outcome, bytes)] == []
