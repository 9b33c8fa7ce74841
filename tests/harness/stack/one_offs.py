"""Containers beside the stack's: one more server, another model volume; and a failed step's error lines."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.harness.stack.compose import Finished, Stack
from tests.harness.stack.containers import Container, inspect


def error_lines(output: str) -> list[str]:
    """Return the events of the log lines of level error; fail if there is a traceback."""
    assert "Traceback" not in output, output
    lines = [json.loads(line[line.index("{") :]) for line in output.splitlines() if '"level":' in line]
    return [str(line["event"]) for line in lines if line["level"] == "error"]


def only_error(finished: Finished) -> str:
    """Return the one error line of a step that has exited with 1."""
    assert finished.returncode == 1, finished.stdout + finished.stderr
    (line,) = error_lines(finished.stdout)
    return line


@contextmanager
def another_server(stack: Stack, service: str, *options: str) -> Iterator[Container]:
    """Run one more container of a server that is no replica: nginx does not know it."""
    started = stack.compose("run", "--detach", "--no-deps", *options, service).stdout.split()
    try:
        yield inspect(started[-1:])[0]
    finally:
        _docker("rm", "--force", started[-1])


@contextmanager
def small_volume(size: str) -> Iterator[str]:
    """Give the name of an empty volume in memory; what is in it lasts as long as a container uses it."""
    name = f"ml-stack-test-{uuid.uuid4().hex[:8]}"
    options = ("type=tmpfs", "device=tmpfs", f"o=size={size},uid=10001,gid=10001")
    _docker("volume", "create", *(part for option in options for part in ("--opt", option)), name)
    try:
        yield name
    finally:
        _docker("volume", "rm", name)


def get(container: Container, port: int, path: str) -> tuple[int, Any]:
    """Return status and JSON of a server's own answer, not through nginx."""
    answer = httpx.get(f"http://{container.address}:{port}{path}", trust_env=False, timeout=5)
    return answer.status_code, answer.json()


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True)
    return done.stdout
