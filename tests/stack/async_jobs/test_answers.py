"""POST /jobs and GET /jobs/{id}, as a client sees them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from uuid import uuid4

import httpx

from tests.harness.jobs.client import Jobs
from tests.harness.stack.compose import Stack


def test_without_the_profile_jobs_are_refused_and_nothing_else_suffers(
    stack: Stack, refusal: httpx.Response
) -> None:
    """The refusal says what to do."""
    assert refusal.status_code == 503
    assert refusal.headers["content-type"] == "application/problem+json"
    assert "docker compose --profile async up" in refusal.json()["detail"]
    assert stack.api.get("/health").json()["status"] == "healthy"
    assert stack.api.get(f"/jobs/{uuid4()}").status_code == 404


def test_a_job_is_answered_like_a_prediction_and_logged_once(jobs: Jobs) -> None:
    """Same numbers, same fields, and a row under the job's id."""
    accepted = jobs.submit(1.0, 2.0, 3.0)

    report = jobs.result(accepted.headers["Location"])

    assert accepted.status_code == 202
    assert accepted.headers["Location"] == f"/jobs/{report['id']}"
    assert report["state"] == "completed"
    answer = jobs.stack.api.post("/predict", json={"features": [1.0, 2.0, 3.0]}).json()
    same = ("predictions", "intervals", "confidence", "model_version")
    assert {name: report[name] for name in same} == {name: answer[name] for name in same}
    assert report.keys() >= answer.keys()
    query = f"SELECT input_data, prediction, model_version FROM predictions WHERE id = '{report['id']}'"  # noqa: S608
    assert jobs.sql(query) == [f"[[1.0], [2.0], [3.0]]|{answer['predictions']}|{answer['model_version']}"]


def test_a_long_poll_ends_with_the_job_and_not_with_its_time(jobs: Jobs) -> None:
    """It asks for nine seconds and needs a fraction of one."""
    location = jobs.submit(4.0).headers["Location"]
    began = monotonic()

    report = jobs.stack.api.get(location, params={"wait": 9}).json()

    assert report["state"] == "completed"
    assert monotonic() - began < 5


def test_a_long_poll_is_bounded(jobs: Jobs) -> None:
    """No client can hold a connection for a minute."""
    assert jobs.stack.api.get(f"/jobs/{uuid4()}", params={"wait": 11}).status_code == 422


def test_a_key_is_one_job_however_often_and_concurrently_it_is_sent(jobs: Jobs) -> None:
    """With the same body always the same Location; with another one a conflict."""
    key = str(uuid4())

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: jobs.submit(5.0, key=key), range(16)))

    assert {answer.status_code for answer in answers} == {202}
    (location,) = {answer.headers["Location"] for answer in answers}
    assert jobs.result(location)["state"] == "completed"
    assert jobs.submit(5.0, key=key).headers["Location"] == location
    other = jobs.submit(6.0, key=key)
    assert other.status_code == 409
    assert "Idempotency-Key" in other.json()["detail"]


def test_a_job_that_the_model_cannot_answer_fails_with_the_problem(jobs: Jobs) -> None:
    """As POST /predict would have said at once; nothing is logged."""
    report = jobs.result(jobs.submit(1.7e308).headers["Location"])

    assert report["state"] == "failed"
    assert report["problem"]["status"] == 422
    assert "finite" in report["problem"]["detail"]
    assert jobs.sql(f"SELECT count(*) FROM predictions WHERE id = '{report['id']}'") == ["0"]  # noqa: S608


def test_prometheus_finds_the_worker(jobs: Jobs) -> None:
    """By its service's name in Docker's DNS."""

    def up() -> bool:
        return len(jobs.stack.query('up{job="worker"} == 1')) == 1

    jobs.eventually(up, 30, "Prometheus to scrape the worker")
