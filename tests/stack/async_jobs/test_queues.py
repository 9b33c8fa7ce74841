"""Queues that exist already and are not as the stack declares them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.jobs.client import PROFILE, Jobs
from tests.harness.stack.waiting import wait_until

_NAME = 'rabbit_misc:r(<<"/">>, queue, <<"jobs">>)'
_CLASSIC = f'rabbit_amqqueue:declare({_NAME}, true, false, [], none, <<"test">>).'


@pytest.fixture
def classic(jobs: Jobs) -> Iterator[Jobs]:
    """A broker whose queue of jobs is a classic one, as if somebody else had made it."""
    jobs.await_health("rabbitmq")
    jobs.stop("worker")
    jobs.stop("api")  # or it would declare the queue anew
    rabbitmqctl(jobs, "delete_queue", "jobs")
    rabbitmqctl(jobs, "eval", _CLASSIC)
    jobs.stack.compose(*PROFILE, "start", "api", "worker")
    jobs.await_health("api")
    yield jobs
    jobs.start()


def test_a_classic_queue_is_named_and_its_removal_is_all_that_is_to_do(classic: Jobs) -> None:
    told = wait_until(lambda: refusal(classic), 60, "the line about it")
    logged = classic.stack.compose(*PROFILE, "logs", "worker", "--tail", "20").stdout

    assert "rabbitmqctl delete_queue jobs" in told
    assert "RabbitMQ has a queue jobs of another kind" in logged

    rabbitmqctl(classic, "delete_queue", "jobs")
    accepted = wait_until(lambda: location(classic), 60, "a job to be accepted")
    assert classic.result(accepted)["state"] == "completed"
    kinds = rabbitmqctl(classic, "list_queues", "--quiet", "--no-table-headers", "name", "type").splitlines()
    assert sorted(kind.split() for kind in kinds) == [["jobs", "quorum"], ["jobs.dead", "quorum"]]


def rabbitmqctl(jobs: Jobs, *command: str) -> str:
    """Run a command in the broker's container."""
    return jobs.stack.compose(*PROFILE, "exec", "-T", "rabbitmq", "rabbitmqctl", *command).stdout


def refusal(jobs: Jobs) -> str:
    """Return what POST /jobs says, once that is about the queue."""
    answer = jobs.submit(1.0)
    return str(answer.json()["detail"]) if "of another kind" in answer.text else ""


def location(jobs: Jobs) -> str:
    """Return where the report of a new job is; nothing while it is refused."""
    return str(jobs.submit(2.0).headers.get("Location", ""))
