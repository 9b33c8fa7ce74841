"""An accepted job completes exactly once, also if services are killed or messages lost."""

from __future__ import annotations

from tests.harness.jobs.client import Jobs
from tests.harness.jobs.submissions import JobLoad

PARTS = ("worker", "rabbitmq", "postgres", "api")
_LOGGED = "SELECT id, input_data->0->>0 FROM predictions WHERE \"timestamp\" > now() - interval '1 hour'"


def test_every_accepted_job_completes_once_whatever_is_killed(jobs: Jobs) -> None:
    """A crash of each part in turn, under load, then of all at once; Compose restarts what was killed."""
    with JobLoad(str(jobs.stack.api.base_url)) as load:
        load.wait_for(30)
        for service in PARTS:
            jobs.kill(service)
            load.wait_for(30)
        for service in PARTS:
            jobs.await_health(service)
        for service in PARTS:
            jobs.kill(service)
        load.wait_for(30)
    jobs.eventually(lambda: jobs.unfinished() == 0, 120, "all jobs to finish")

    values = {location.rpartition("/")[2]: value for location, value in load.accepted.items()}
    assert len(values) == len(load.accepted) >= 180
    states = dict(line.split("|") for line in jobs.sql("SELECT id, state FROM jobs"))
    assert {states[job_id] for job_id in values} == {"completed"}
    logged = [line.split("|") for line in jobs.sql(_LOGGED)]
    ids = [job_id for job_id, _ in logged if job_id in values]
    assert sorted(ids) == sorted(values)
    assert {job_id: float(value) for job_id, value in logged if job_id in values} == values


def test_jobs_whose_messages_are_lost_with_the_brokers_volume_are_done_all_the_same(jobs: Jobs) -> None:
    """The table knows them; so it does those that were accepted without any broker."""
    jobs.await_health("rabbitmq")
    jobs.await_health("worker")
    jobs.stop("worker")
    accepted = [jobs.submit(float(number)) for number in range(5)]

    jobs.lose_broker()
    accepted.append(jobs.submit(5.0))
    jobs.start()

    assert {answer.status_code for answer in accepted} == {202}
    assert {jobs.result(answer.headers["Location"])["state"] for answer in accepted} == {"completed"}


def test_a_job_that_no_worker_can_do_is_given_up_and_its_message_kept(jobs: Jobs) -> None:
    """After five deliveries it has failed, the message lies in jobs.dead, and other jobs go on."""
    jobs.stop("worker")
    location = jobs.submit(1.0).headers["Location"]
    damage = f"UPDATE jobs SET input_data = 'null' WHERE id = '{location.rpartition('/')[2]}'"  # noqa: S608
    jobs.sql(damage)

    jobs.start()
    report = jobs.result(location, 60)

    assert report["state"] == "failed"
    assert report["problem"]["status"] == 500
    assert "5 attempts" in report["problem"]["detail"]
    worker = jobs.workers()[0]
    dead = 'jobs_queue_messages{queue="jobs.dead"}'
    jobs.eventually(lambda: jobs.metric(worker, dead) == 1, 60, "the message in jobs.dead")
    assert jobs.result(jobs.submit(2.0).headers["Location"])["state"] == "completed"
