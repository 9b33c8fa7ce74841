"""An api and a Flask server that all attacks of a module share; both must still answer at its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.processes.inference import Stores, inference, is_healthy
from tests.harness.processes.serving import ServingProcess, eventually, serving


@pytest.fixture(scope="module")
def api(model_dir: Path, real_stores: Stores) -> Iterator[ServingProcess]:
    """The inference service, with the settings it ships with."""
    with inference(model_dir, model_dir.parent / "api.log", real_stores) as process:
        assert eventually(lambda: is_healthy(process)), process.log_path.read_text()
        yield process
        assert_still_serving(process)


@pytest.fixture(scope="module")
def flask(model_dir: Path) -> Iterator[ServingProcess]:
    """The Flask server, with the settings it ships with."""
    with serving(model_dir, model_dir.parent / "flask.log") as process:
        yield process
        assert_still_serving(process)


def assert_still_serving(server: ServingProcess) -> None:
    """Assert that the process has survived, answers, and has logged no unexpected failure."""
    assert server.process.poll() is None
    assert server.predict({"values": [5]}).status_code == 200
    lines = [line for line in server.log_lines() if line.get("exception")]
    assert lines == []
