"""What an attacker gets inside a container: no privilege, no place to stay, no secret of another."""

from __future__ import annotations

import pytest

from tests.harness.attacks.benchmark import CHECKS, NONE, declared_writable, privileges, writable
from tests.harness.stack.compose import Stack
from tests.harness.stack.containers import Container


@pytest.fixture(scope="module")
def running(stack: Stack) -> list[Container]:
    """All servers."""
    return [each for each in stack.containers() if each.is_server]


@pytest.mark.parametrize("check", CHECKS)
def test_every_container_passes_the_benchmark(running: list[Container], check: str) -> None:
    failing = [each.service for each in running if not CHECKS[check](each.inspected)]

    assert len(running) >= 9
    assert failing == []


def test_no_process_has_a_capability_or_may_gain_one(running: list[Container]) -> None:
    found = {each.service: privileges(each) for each in running}

    assert {service: rights for service, rights in found.items() if rights != NONE} == {}


def test_only_tmpfs_and_volumes_are_writable(running: list[Container]) -> None:
    for each in running:
        assert writable(each) <= declared_writable(each), each.service


def test_a_server_cannot_read_the_environment_of_another(stack: Stack) -> None:
    """Every container has processes of its own: what it finds in /proc is its own."""
    script = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'"

    seen = stack.compose("exec", "-T", "nginx", "sh", "-c", script).stdout

    assert "daemon off" in seen
    assert not [line for line in seen.splitlines() if "PASSWORD" in line or "://" in line]
