"""Several workers: they share the load, one that hangs is noticed, one that is stopped loses nothing."""

from __future__ import annotations

import os
import signal

import pytest

from tests.harness.jobs.client import Jobs
from tests.harness.jobs.submissions import JobLoad
from tests.harness.stack.scripts import operate, succeed


@pytest.fixture(scope="module")
def three(jobs: Jobs) -> Jobs:
    """The stack with three workers."""
    jobs.start("--scale", "worker=3")
    return jobs


def test_three_workers_share_the_jobs(three: Jobs) -> None:
    """Each does some."""
    with JobLoad(str(three.stack.api.base_url), clients=8) as load:
        load.wait_for(100)
    three.eventually(lambda: three.unfinished() == 0, 60, "all jobs to finish")

    ids = "', '".join(location.rpartition("/")[2] for location in load.accepted)
    count = f"SELECT split_part(worker, '/', 1), count(*) FROM jobs WHERE id IN ('{ids}') GROUP BY 1"  # noqa: S608
    done = three.sql(count)
    assert len(done) == 3, done


def test_a_hung_worker_becomes_unhealthy_and_others_do_its_jobs(three: Jobs) -> None:
    """It answers nothing and acknowledges nothing, but its connections stay open."""
    hanging = three.workers()[0]
    process = int(hanging.inspected["State"]["Pid"])
    os.kill(process, signal.SIGSTOP)
    try:
        with JobLoad(str(three.stack.api.base_url)) as load:
            load.wait_for(40)
        three.eventually(lambda: three.health_of(hanging) == "unhealthy", 40, "the worker to be unhealthy")
        three.eventually(lambda: three.unfinished() == 0, 40, "all jobs to finish")
        assert len(load.accepted) >= 40
    finally:
        os.kill(process, signal.SIGCONT)
    three.eventually(lambda: three.health_of(hanging) == "healthy", 40, "the worker to recover")


def test_a_stopped_worker_finishes_what_it_began_and_exits_with_0(three: Jobs) -> None:
    """SIGTERM under load."""
    with JobLoad(str(three.stack.api.base_url)) as load:
        load.wait_for(20)
        three.stop("worker")
        load.wait_for(20)
    stopped = three.workers()
    in_progress = three.sql("SELECT count(*) FROM jobs WHERE state = 'in_progress'")
    three.start()

    assert [worker.exit_code for worker in stopped] == [0, 0, 0]
    assert in_progress == ["0"]
    three.eventually(lambda: three.unfinished() == 0, 60, "all jobs to finish")


def test_a_rolling_update_of_the_workers_loses_no_job(three: Jobs) -> None:
    """As many workers as before, all of them new."""
    before = {worker.id for worker in three.workers()}

    with JobLoad(str(three.stack.api.base_url)) as load:
        load.wait_for(20)
        output = succeed(operate("rolling-update.sh", "worker", environment=three.stack.environment))
        load.wait_for(20)

    three.eventually(lambda: three.unfinished() == 0, 60, "all jobs to finish")
    after = {worker.id for worker in three.workers()}
    assert len(after) == len(before)
    assert not after & before
    assert "note:" not in output
