"""SIGTERM for the api: received requests are answered and logged, new ones are not accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.load_until_stop import stop_under_load
from tests.harness.processes.serving import eventually, publish_line


@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept connections", "new connections"])
def test_sigterm_under_load_fails_no_request_and_exits_with_0(
    real_stores: Stores, tmp_path: Path, keep_alive: bool
) -> None:
    """And what was answered is logged, once."""
    publish_line(tmp_path / "models", 2.0)
    with undisturbed(tmp_path / "models", tmp_path / "log", real_stores) as server:
        answers = stop_under_load(server, keep_alive=keep_alive)

    logged = real_stores.times_logged([answer.json()["id"] for answer in answers])
    assert set(logged.values()) == {1}


def test_a_draining_service_is_not_ready_and_ends_its_connections(
    real_stores: Stores, tmp_path: Path
) -> None:
    """A kept connection still gets an answer: 503, and that it was the last one."""
    publish_line(tmp_path / "models", 2.0)
    with undisturbed(tmp_path / "models", tmp_path / "log", real_stores) as server:
        assert server.client.get("/readyz").status_code == 200

        server.process.terminate()
        assert eventually(lambda: '"draining"' in server.log_path.read_text())
        answer = server.client.get("/readyz")

    assert (answer.status_code, answer.headers["connection"]) == (503, "close")
    assert answer.json()["detail"] == "the service is draining"


def test_a_clean_end_reports_no_loss(real_stores: Stores, tmp_path: Path) -> None:
    """The service closes its connections itself, so it logs no warnings at the end."""
    publish_line(tmp_path / "models", 2.0)
    with undisturbed(tmp_path / "models", tmp_path / "log", real_stores) as server:
        assert server.terminate() == 0
        events = [line["event"] for line in server.log_lines()]

    assert events[events.index("Waiting for application shutdown.") + 1 : -1] == [
        "Application shutdown complete."
    ]
