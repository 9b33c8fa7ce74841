"""What the page shows of the drift monitor: its state, its report, and that it need not run."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import create_server
from typing import Any

import pytest

from tests.harness.processes.inference import Stores
from tests.harness.processes.serving import ServingProcess, eventually
from tests.harness.processes.stores import free_port
from tests.harness.processes.watched import Watched, demonstration

KEY = "a-key-of-sixteen-characters"


@pytest.fixture(scope="module")
def watched(real_stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with demonstration(real_stores, tmp_path_factory.mktemp("watched") / "models") as running:
        yield running


def state(server: ServingProcess) -> dict[str, Any]:
    found: dict[str, Any] = server.client.get("/page/state").json()
    return found


def report(server: ServingProcess) -> dict[str, Any]:
    """Return what the last check found, empty before the page has it."""
    found = state(server)["monitor"]
    return (found or {}).get("report") or {}


def test_drift_and_the_error_on_true_values_come_from_the_monitor(watched: Watched, tmp_path: Path) -> None:
    with watched.api(tmp_path / "log") as server:
        assert state(server)["monitor"] is None  # the first answer does not wait for the monitor
        answers = [server.predict({"values": [index / 15]}).json() for index in range(300)]
        truths = [{"id": each["id"], "actual": [each["predictions"][0] + 0.25]} for each in answers]
        assert server.client.post("/feedback", json=truths).json()["accepted"] == 300

        assert eventually(lambda: report(server).get("window_rows", 0) >= 300, 30)
        assert eventually(lambda: bool(state(server)["monitor"]["live"]), 30)

        found = state(server)["monitor"]
        assert found["report"]["status"] == "stable"
        assert [column["name"] for column in found["report"]["columns"]].count("x") == 1
        (live,) = found["live"]
        assert (live["rows"], round(live["measures"]["rmse"], 6)) == (300, 0.25)
        assert live["holdout"]["rmse"] > 0
        assert 1 <= len(found["history"]) <= 60
        assert found["history"][-1]["live"] == pytest.approx(0.25)
        assert 0 <= found["history"][-1]["psi"] < 1


def test_the_drift_report_is_served_and_can_run_nothing(watched: Watched, tmp_path: Path) -> None:
    with watched.api(tmp_path / "log") as server:
        answer = server.client.get("/page/drift")

    assert answer.status_code == 200
    assert "<h1>Drift:" in answer.text
    assert "Reports of the quality gate" not in answer.text  # the page has its own links to them
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]


def test_with_keys_it_needs_one(watched: Watched, tmp_path: Path) -> None:
    with watched.api(tmp_path / "log", API_KEYS=KEY) as server:
        statuses = [
            server.client.get("/page/drift", headers=headers).status_code
            for headers in ({}, {"x-api-key": KEY})
        ]

    assert statuses == [401, 200]


def test_without_a_monitor_the_page_goes_on_at_once(watched: Watched, tmp_path: Path) -> None:
    """Nobody at its address, nobody who answers there, or no address."""
    with create_server(("127.0.0.1", 0)) as silent:
        hangs = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for address in ("http://127.0.0.1:9", hangs, ""):
            with watched.api(tmp_path / "log", MONITOR_URL=address) as server:
                assert eventually(lambda: state(server)["monitor"] is False, 10)
                began = time.monotonic()
                assert state(server)["health"]["status"] == "healthy"
                assert time.monotonic() - began < 1

                with ThreadPoolExecutor(8) as pool:  # together they wait for one attempt
                    refused = list(pool.map(lambda _: server.client.get("/page/drift"), range(8)))
                assert {answer.status_code for answer in refused} == {503}
                assert "--profile extended" in refused[0].json()["detail"]
                assert time.monotonic() - began < 8


def test_only_what_runs_is_linked(watched: Watched, tmp_path: Path) -> None:
    """What answers at the path of the probe runs; here a server of files stands at it."""
    (tmp_path / "-").mkdir()
    (tmp_path / "-" / "ready").write_text("ready")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "http.server",
        str(port),
        "--bind",
        "127.0.0.1",
        "--directory",
        str(tmp_path),
    ]
    runs = f"http://127.0.0.1:{port}"
    settings = {
        "PROMETHEUS_URL": runs, "PROMETHEUS_ADDRESS": "http://localhost:23909/",
        "GRAFANA_URL": "http://127.0.0.1:9", "GRAFANA_ADDRESS": "http://localhost:23930",
    }  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as files:
        with watched.api(tmp_path / "log", **settings) as server:
            linked = eventually(
                lambda: state(server)["links"] == {"Prometheus": "http://localhost:23909"}, 30
            )
        files.kill()
    assert linked
