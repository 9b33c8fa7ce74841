"""The broker's password can be changed by `docker compose up -d`, on an existing volume, while jobs come."""

from __future__ import annotations

from tests.harness.jobs.client import PROFILE, Jobs
from tests.harness.jobs.submissions import JobLoad
from tests.harness.stack.compose import settings

CHANGED = "changed-rabbitmq"
_UP = (*PROFILE, "up", "--detach", "--wait", "rabbitmq", "worker", "api")


def test_a_changed_password_counts_and_no_accepted_job_is_lost(jobs: Jobs) -> None:
    with JobLoad(str(jobs.stack.api.base_url)) as load:
        load.wait_for(20)
        jobs.stack.compose(*_UP, env={"RABBITMQ_PASSWORD": CHANGED})
        load.wait_for(20)
    try:
        jobs.eventually(lambda: jobs.unfinished() == 0, 60, "all jobs to finish")
        completed = jobs.sql("SELECT id FROM jobs WHERE state = 'completed'")
        known = {password: knows(jobs, password) for password in (CHANGED, settings()["RABBITMQ_PASSWORD"])}
    finally:
        jobs.stack.compose(*_UP)

    assert {location.rpartition("/")[2] for location in load.accepted} <= set(completed)
    assert list(known.values()) == [True, False]


def knows(jobs: Jobs, password: str) -> bool:
    """Return whether the broker lets the user of the api and the workers in by this password."""
    command = ("exec", "-T", "rabbitmq", "rabbitmqctl", "authenticate_user", "jobs", password)
    return jobs.stack.compose(*PROFILE, *command, check=False).returncode == 0
