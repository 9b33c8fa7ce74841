"""The api without RabbitMQ, as without the profile async: jobs are refused, everything else works."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from tests.harness.processes.inference import Stores, inference, is_healthy
from tests.harness.processes.serving import ServingProcess, eventually, publish_line

UNREACHABLE = "amqp://jobs:jobs@127.0.0.1:1/"


@pytest.fixture(scope="module", params=["", UNREACHABLE], ids=["no broker configured", "broker out of reach"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, real_stores: Stores
) -> Iterator[ServingProcess]:
    """An api with a model and without a broker."""
    directory = tmp_path_factory.mktemp("api")
    publish_line(directory / "models", 2.0)
    with inference(directory / "models", directory / "log", real_stores, AMQP_URL=request.param) as process:
        assert eventually(lambda: is_healthy(process))
        yield process


def test_a_job_is_refused_with_what_to_do(server: ServingProcess, real_stores: Stores) -> None:
    """The job is not stored, because no worker would process it."""
    answer = server.client.post("/jobs", json={"features": [1.0]}, headers={"Idempotency-Key": "k"})

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    assert "docker compose --profile async up" in answer.json()["detail"]
    assert real_stores.sql("SELECT count(*) FROM jobs") == [(0,)]


def test_predictions_and_health_do_not_mind(server: ServingProcess) -> None:
    """Neither depends on the broker."""
    assert server.predict({"features": [1.0]}).status_code == 200
    assert server.client.get("/health").json()["status"] == "healthy"


def test_an_unknown_job_is_not_found(server: ServingProcess) -> None:
    """With and without waiting."""
    for query in ("", "?wait=1"):
        answer = server.client.get(f"/jobs/{uuid4()}{query}")
        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("there is no job")


@pytest.mark.parametrize("path", ["/jobs/17", f"/jobs/{UUID(int=0)}?wait=11", f"/jobs/{UUID(int=0)}?wait=-1"])
def test_a_question_that_makes_no_sense_is_a_problem(server: ServingProcess, path: str) -> None:
    """An id is a UUID, and the wait is limited."""
    answer = server.client.get(path)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_log_is_not_flooded(server: ServingProcess) -> None:
    """A missing broker is normal without the profile."""
    assert len([line for line in server.log_lines() if "rabbit" in line["event"].lower()]) == 0
    assert len([line for line in server.log_lines() if "amqp" in line["event"].lower()]) == 0


def test_openapi_describes_both_routes(server: ServingProcess) -> None:
    """Body, answer, and each problem as problem+json."""
    document = server.client.get("/openapi.json").json()
    submit, report = document["paths"]["/jobs"]["post"], document["paths"]["/jobs/{job_id}"]["get"]

    body = submit["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert body.rpartition("/")[2] in document["components"]["schemas"]
    assert submit["responses"].keys() >= {"202", "400", "409", "413", "415", "422", "503"}
    assert report["responses"].keys() >= {"200", "404", "422", "503"}
    problems = [r for s, r in (submit["responses"] | report["responses"]).items() if int(s) >= 400]
    assert all("application/problem+json" in problem["content"] for problem in problems)
