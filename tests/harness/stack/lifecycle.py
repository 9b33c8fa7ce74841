"""Starts the stack for a folder of tests, and removes it with all its data."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack


@contextmanager
def clean_project(session: pytest.Session, name: str) -> Iterator[Stack]:
    """Give an empty project; afterwards delete it, with its logs in build/logs if a test failed."""
    stack = Stack()
    _delete(stack)
    _refuse_taken_ports(stack)
    failed_before = session.testsfailed
    try:
        yield stack
    finally:
        stack.close_clients()
        if session.testsfailed > failed_before:
            _save_logs(stack, name)
        _delete(stack)


@contextmanager
def running_stack(session: pytest.Session, name: str, *options: str) -> Iterator[Stack]:
    """Give the whole stack, healthy, started with `options`; images are built only if they are missing."""
    with clean_project(session, name) as stack:
        started = stack.compose("up", "--wait", *options, check=False)
        if started.returncode != 0:
            _save_logs(stack, name)
            pytest.fail(
                f"the stack did not become healthy, see build/logs/{name}.log:\n{started.stderr[-3000:]}"
            )
        yield stack


def _refuse_taken_ports(stack: Stack) -> None:
    check = subprocess.run(
        ["scripts/bootstrap/ports.sh"],
        cwd=ROOT,
        env=stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if check.returncode != 0:
        pytest.exit(check.stderr.strip(), returncode=1)


def _delete(stack: Stack) -> None:
    """Delete what any file and profile has made under the project's name."""
    stack.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "2", check=False)
    label = f"label=com.docker.compose.project={stack.project}"
    command = ["docker", "volume", "ls", "--quiet", "--filter", label]
    left = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    if left:
        subprocess.run(["docker", "volume", "rm", *left], check=False, capture_output=True)


def _save_logs(stack: Stack, name: str) -> None:
    path = ROOT / "build" / "logs" / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    states = stack.compose("ps", "--all", check=False).stdout
    logs = stack.compose("logs", "--no-color", "--timestamps", check=False).stdout
    path.write_text(states + logs, encoding="utf-8")
