"""The api and the model volume: which version answers, and what happens when one is missing or damaged."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from mlstack.registry.store import ModelStore
from tests.harness.processes.inference import Stores, inference
from tests.harness.processes.serving import ServingProcess, eventually, publish_line


@pytest.fixture
def server(tmp_path: Path, real_stores: Stores) -> Iterator[ServingProcess]:
    """A service with its own volume, empty at first."""
    (tmp_path / "models").mkdir()
    with inference(tmp_path / "models", tmp_path / "log", real_stores) as process:
        yield process


def answering(server: ServingProcess) -> int | None:
    """Return the version that answers by default."""
    answer = server.predict({"values": [5]})
    return int(answer.json()["model_version"]) if answer.status_code == 200 else None


def answers_from(server: ServingProcess, version: int) -> bool:
    """Return whether it is `version`."""
    return answering(server) == version


def test_without_a_model_it_is_alive_but_not_ready_and_picks_up_the_first(server: ServingProcess) -> None:
    """503 with a reason, not 500; then the version is noticed without a restart."""
    answers = {path: server.client.get(path) for path in ("/livez", "/readyz", "/health")}
    refused = server.predict({"values": [5]})

    assert {path: answer.status_code for path, answer in answers.items()} == {
        "/livez": 200,
        "/readyz": 503,
        "/health": 503,
    }
    assert answers["/health"].json()["model_version"] is None
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert "no model" in refused.json()["detail"]

    publish_line(server.model_dir, 2.0)

    assert eventually(partial(answers_from, server, 1), 20)
    assert server.client.get("/readyz").json() == {"ready": True, "model_version": 1}


def test_promotion_and_rollback_are_followed(server: ServingProcess) -> None:
    """Each answer names the version it is from; a version rolled back can't be asked for."""
    publish_line(server.model_dir, 2.0)
    publish_line(server.model_dir, 3.0)
    assert eventually(partial(answers_from, server, 2), 20)

    assert server.predict({"values": [5], "model_version": 1}).json()["model_version"] == 1
    assert server.predict({"values": [5], "model_version": 3}).status_code == 404

    ModelStore(server.model_dir).rollback()

    assert eventually(partial(answers_from, server, 1), 20)
    assert server.predict({"values": [5], "model_version": 2}).status_code == 404


@pytest.mark.parametrize("damage", [b"", b"not a model", None], ids=["empty", "corrupt", "truncated"])
def test_a_damaged_version_is_refused_and_the_one_before_goes_on_answering(
    server: ServingProcess, damage: bytes | None
) -> None:
    """Degraded, with the reason, until a good version is current again."""
    publish_line(server.model_dir, 2.0)
    assert eventually(partial(answers_from, server, 1), 20)
    artifact = server.model_dir / "versions" / "1" / "model.skops"
    whole = artifact.read_bytes()

    artifact.write_bytes(whole[: len(whole) // 2] if damage is None else damage)

    assert eventually(lambda: server.metric("model_refused") == 1)
    health = server.client.get("/health")
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert "SHA-256" in health.json()["model_refused"]
    assert answering(server) == 1

    artifact.write_bytes(whole)

    assert eventually(lambda: server.metric("model_refused") == 0)
    assert server.client.get("/health").json()["status"] == "healthy"


def test_many_rows_of_a_version_asked_for_are_of_that_version(server: ServingProcess) -> None:
    """No answer mixes two versions, also when a batch holds requests to both."""
    for slope in (2.0, 3.0, 4.0):
        publish_line(server.model_dir, slope)
    assert eventually(partial(answers_from, server, 3), 20)

    for version in (1, 2, 3, None):
        body = {"values": list(range(100))} | ({} if version is None else {"model_version": version})
        answer = server.predict(body).json()

        slope = 1.0 + (version or 3)
        assert answer["model_version"] == (version or 3)
        assert answer["predictions"] == pytest.approx([slope * x + 1 for x in range(100)], abs=2)
