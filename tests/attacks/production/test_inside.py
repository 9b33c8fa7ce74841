"""What an attacker finds in a production container, or by reading what the engine reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.harness.attacks.benchmark import CHECKS, NONE, declared_writable, privileges, writable
from tests.harness.attacks.reachable import reachable, targets
from tests.harness.production.external_stores import PASSWORD, run
from tests.harness.production.secret_files import KEYS, OWN_PASSWORDS
from tests.harness.production.stack import Production
from tests.harness.stack.containers import Container, find

SECRETS = (PASSWORD, *OWN_PASSWORDS.values(), *KEYS)


@pytest.fixture(scope="module")
def containers(stack: Production) -> list[Container]:
    """All of the project's, ended ones too."""
    return find(stack.environment["COMPOSE_PROJECT_NAME"])


@pytest.fixture(scope="module")
def running(containers: list[Container]) -> list[Container]:
    """The servers."""
    return [each for each in containers if each.is_server]


@pytest.mark.parametrize("check", CHECKS)
def test_every_container_passes_the_benchmark(running: list[Container], check: str) -> None:
    failing = [each.service for each in running if not CHECKS[check](each.inspected)]

    assert len(running) >= 5
    assert failing == []


def test_no_process_has_a_capability_or_may_gain_one(running: list[Container]) -> None:
    assert {each.service for each in running if privileges(each) != NONE} == set()


def test_only_tmpfs_and_volumes_are_writable(running: list[Container]) -> None:
    for each in running:
        assert writable(each) <= declared_writable(each), each.service


def test_no_secret_is_told_by_the_engine(containers: list[Container]) -> None:
    """Neither in a container's definition, nor in its image, nor in how the image was made."""
    images = {str(each.inspected["Image"]) for each in containers}
    told = json.dumps([each.inspected for each in containers])
    told += run("docker", "image", "inspect", *images)
    told += "".join(run("docker", "history", "--no-trunc", image) for image in images)

    assert [secret for secret in SECRETS if secret in told] == []


def test_no_secret_is_in_an_environment_or_a_command_line(running: list[Container]) -> None:
    """Not even of the processes themselves: they read files."""
    for each in running:
        seen = run(
            "docker",
            "exec",
            each.id,
            "sh",
            "-c",
            "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'",
        )
        assert [secret for secret in SECRETS if secret in seen] == [], each.service


def test_a_container_sees_its_own_secrets_only(stack: Production, running: list[Container]) -> None:
    given = json.loads(stack.compose("config", "--format", "json"))["services"]
    for each in running:
        listed = run("docker", "exec", each.id, "sh", "-c", "ls /run/secrets 2>/dev/null || true").split()
        targets = [Path(mount["target"]) for mount in given[each.service].get("volumes", [])]
        assert set(listed) == {path.name for path in targets if path.parent == Path("/run/secrets")}


def test_no_store_is_reached_from_the_front_network(stack: Production, running: list[Container]) -> None:
    project = stack.environment["COMPOSE_PROJECT_NAME"]
    (store,) = (each for each in running if each.service == "redis")
    (server,) = (each for each in running if each.service == "model-serve")
    front = {("nginx", 8000), ("nginx", 8443), ("api", 8000)}

    reached = reachable(f"{project}_ml-network", str(server.inspected["Image"]), front | targets(store))

    assert reached == front
