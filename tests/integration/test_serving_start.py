"""How the Flask server starts, refuses to start, and is probed."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness.processes.serving import NO_DATABASE, publish_line, serving
from tests.harness.processes.stores import free_port
from tests.harness.repository_root import ROOT

Healthcheck = Callable[..., int]


def start(**settings: str) -> subprocess.CompletedProcess[str]:
    """Run the server with settings it cannot start with."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | settings
    command = [sys.executable, "90-serve_model.py"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "DATABASE_URL"),
        ({"DATABASE_URL": NO_DATABASE, "PORT": "five thousand"}, "PORT"),
        ({"DATABASE_URL": NO_DATABASE, "MAX_ROWS": "0"}, "MAX_ROWS"),
        ({"DATABASE_URL": "mysql://a@b/c"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://a:b@c:port/d"}, "DATABASE_URL"),
    ],
)
def test_a_wrong_setting_is_one_readable_line(settings: dict[str, str], named: str) -> None:
    """It names the variable, and the exit code is 1."""
    run = start(**settings)

    assert run.returncode == 1
    [line] = (run.stdout + run.stderr).splitlines()
    assert named in json.loads(line)["event"]


def test_a_taken_port_is_one_readable_line() -> None:
    """At once, not after five attempts."""
    with socket.create_server(("", 0)) as taken:
        run = start(DATABASE_URL=NO_DATABASE, PORT=str(taken.getsockname()[1]))

    assert run.returncode == 1
    [line] = (run.stdout + run.stderr).splitlines()
    assert "in use" in json.loads(line)["event"]


def test_every_line_of_the_log_is_json(tmp_path: Path) -> None:
    """From the first to the last, gunicorn's own included; quotes in a header break nothing."""
    publish_line(tmp_path / "models", 2.0)
    with serving(tmp_path / "models", tmp_path / "log") as process:
        process.client.get("/", headers={"User-Agent": '"}\\'})
        process.predict({"values": [5]})
        assert process.terminate() == 0

    lines = process.log_lines()

    assert {line["service"] for line in lines} == {"model-serve"}
    [request] = [line for line in lines if line.get("route") == "/predict"]
    assert request["model_version"] == 1
    assert request["request_id"]


def test_a_client_that_stops_sending_gets_408(tmp_path: Path) -> None:
    """It must not block a thread for ever."""
    with (
        serving(tmp_path / "models", tmp_path / "log", RECEIVE_TIMEOUT="1") as process,
        socket.create_connection(("127.0.0.1", process.port), timeout=10) as connection,
    ):
        head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        connection.sendall(head + b'Content-Length: 99\r\n\r\n{"values"')
        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer


class OneStatus(http.server.BaseHTTPRequestHandler):
    """Answers /ok with 200, /starting with 200 from a moment on, everything else with 503."""

    ready_at = float("inf")
    asked = 0

    def do_GET(self) -> None:
        """Answer."""
        OneStatus.asked += 1
        starting = self.path == "/starting" and time.monotonic() >= self.ready_at
        self.send_response(200 if self.path == "/ok" or starting else 503)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """A server for the health check to ask."""
    with http.server.HTTPServer(("127.0.0.1", 0), OneStatus) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def healthcheck(tmp_path: Path) -> Healthcheck:
    """Returns the exit code of the script that the containers run, in a container that has just started."""

    def run(*arguments: object) -> int:
        command = [sys.executable, "-I", "-S", "mlstack/runtime/healthcheck.py", *map(str, arguments)]
        environment = {"TMPDIR": str(tmp_path)}
        return subprocess.run(command, cwd=ROOT, env=environment, timeout=10, check=False).returncode

    return run


def test_the_health_check_can_fail(port: int, healthcheck: Healthcheck) -> None:
    """0 for 200, 1 for any other status, for a closed port and for silence."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert healthcheck(silent.getsockname()[1]) == 1
    assert healthcheck(port, "/ok") == 0
    assert healthcheck(port) == 1
    assert healthcheck(free_port(), "/ok") == 1


def test_the_health_check_waits_for_a_server_that_is_starting(port: int, healthcheck: Healthcheck) -> None:
    OneStatus.ready_at = time.monotonic() + 0.6

    assert healthcheck(port, "/starting") == 0
    assert time.monotonic() > OneStatus.ready_at


def test_a_later_health_check_watches_for_some_seconds(port: int, healthcheck: Healthcheck) -> None:
    """So that a process is started in the container every five seconds, and not every second."""
    assert healthcheck(port, "/ok") == 0
    started, asked = time.monotonic(), OneStatus.asked

    assert healthcheck(port, "/ok") == 0

    assert 4 <= time.monotonic() - started < 9
    assert OneStatus.asked - asked >= 4


def test_a_health_check_that_watches_ends_when_the_server_fails(port: int, healthcheck: Healthcheck) -> None:
    OneStatus.ready_at = 0.0
    assert healthcheck(port, "/starting") == 0
    started = time.monotonic()
    threading.Timer(0.5, setattr, (OneStatus, "ready_at", float("inf"))).start()

    assert healthcheck(port, "/starting") == 1

    assert time.monotonic() - started < 4
