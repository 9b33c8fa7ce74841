"""Stopping and swapping under load: no request fails, no answer mixes two models."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.harness.processes.load_until_stop import load, stop_under_load
from tests.harness.processes.serving import ServingProcess, eventually, publish_line, serving


def is_answering(process: ServingProcess, version: int) -> bool:
    """Return whether new requests are answered from `version`."""
    return process.metric("model_version") == version


@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept connections", "new connections"])
def test_sigterm_under_load_fails_no_request_and_exits_with_0(tmp_path: Path, keep_alive: bool) -> None:
    """Its last line is gunicorn's shutdown message."""
    publish_line(tmp_path / "models", 2.0)
    with serving(tmp_path / "models", tmp_path / "log") as process:
        stop_under_load(process, keep_alive=keep_alive)

    assert process.log_lines()[-1]["event"].startswith("Shutting down")


def test_a_draining_server_is_not_ready(tmp_path: Path) -> None:
    """A kept connection still gets an answer, and it is 503."""
    publish_line(tmp_path / "models", 2.0)
    with serving(tmp_path / "models", tmp_path / "log") as process:
        assert process.client.get("/readyz").status_code == 200

        process.process.terminate()
        assert eventually(lambda: "Handling signal: term" in process.log_path.read_text())

        assert process.client.get("/readyz").status_code == 503


def test_a_swap_under_load_gives_whole_answers_of_one_version_each(tmp_path: Path) -> None:
    """Four versions in turn: each answer is exactly what its version says, and none fails."""
    publish_line(tmp_path / "models", 2.0)
    with (
        serving(tmp_path / "models", tmp_path / "log") as process,
        load(process.port, keep_alive=True) as seen,
    ):
        for slope in (3.0, 4.0, 5.0):
            published = publish_line(tmp_path / "models", slope)
            assert eventually(partial(is_answering, process, published))

    assert seen.failures == []
    assert {answer.status_code for answer in seen.answers} == {200}
    by_version = {answer.json()["model_version"]: answer.json() for answer in seen.answers}
    assert set(by_version) == {1, 2, 3, 4}
    assert all(answer.json() == by_version[answer.json()["model_version"]] for answer in seen.answers)
