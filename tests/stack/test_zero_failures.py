"""With two replicas of both servers nothing that is done to one of them, or to the model, fails a request."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.harness.repository_root import ROOT
from tests.harness.stack.checked_load import PORTS, CheckedLoad
from tests.harness.stack.compose import Stack
from tests.harness.stack.following import await_followed, health_pages, retrain, served_version
from tests.harness.stack.tried_versions import try_a_version
from tests.harness.stack.waiting import wait_until

SERVERS = tuple(PORTS)


@pytest.fixture(scope="module")
def replicated(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack with two replicas of both servers, and a Compose file more, which can change their images."""
    release = tmp_path_factory.mktemp("release") / "release.yaml"
    names = f"docker-compose.yaml:docker-compose.override.yaml:{release}"
    twice = Stack(stack.environment | {"COMPOSE_FILE": names})
    write_release(twice, "1")
    twice.compose("build", "--quiet", *SERVERS, seconds=600)
    scale(twice, 2, "--force-recreate")  # all of them with that file
    yield twice
    retrain(stack)
    stack.compose("build", "--quiet", *SERVERS, seconds=600)
    stack.compose("up", "--detach", "--wait", "--no-deps", *SERVERS)


def write_release(stack: Stack, release: str) -> None:
    """Let the next build give both servers an image with another label, as a change of their code would."""
    path = Path(stack.environment["COMPOSE_FILE"].rpartition(":")[2])
    definitions = {server: {"build": {"labels": {"release": release}}} for server in SERVERS}
    path.write_text(yaml.safe_dump({"services": definitions}), encoding="utf-8")


def scale(stack: Stack, replicas: int, recreate: str = "--no-recreate") -> None:
    counts = [part for server in SERVERS for part in ("--scale", f"{server}={replicas}")]
    stack.compose("up", "--detach", "--wait", "--no-deps", recreate, *counts, *SERVERS)


def kill_a_replica(stack: Stack) -> None:
    """End one of each server by SIGKILL; the engine restarts it."""
    killed = [stack.containers(server)[0] for server in SERVERS]
    for container in killed:
        container.kill()
    await_healthy(stack)


def restart_a_replica(stack: Stack) -> None:
    """Stop one of each server by SIGTERM and start it again."""
    ids = [stack.containers(server)[0].id for server in SERVERS]
    subprocess.run(["docker", "restart", "--time", "20", *ids], check=True, capture_output=True)
    await_healthy(stack)


def scale_down_and_up(stack: Stack) -> None:
    """To one replica of each and back to two."""
    scale(stack, 1)
    scale(stack, 2)


def update_to_a_changed_image(stack: Stack) -> None:
    """Replace both servers' replicas by those of another image, by the operator's script."""
    before = {each.id for server in SERVERS for each in stack.containers(server)}
    write_release(stack, "2")
    for server in SERVERS:
        done = subprocess.run(
            ["scripts/operate/rolling-update.sh", server],
            cwd=ROOT, env=stack.environment, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    after = [each for server in SERVERS for each in stack.containers(server)]
    assert len(after) == 4
    assert not before & {each.id for each in after}
    assert {each.inspected["Config"]["Labels"]["release"] for each in after} == {"2"}


def retrain_on_other_data(stack: Stack) -> None:
    """Every replica follows to the version that is promoted."""
    urls, before = health_pages(stack), served_version(stack)
    retrain(stack, DATA_SEED="7")
    await_followed(stack, urls)
    assert served_version(stack) != before


def roll_back(stack: Stack) -> None:
    """Every replica follows to the version that was served before."""
    urls, before = health_pages(stack), served_version(stack)
    stack.compose("run", "--rm", "--no-deps", "-T", "models", "rollback")
    await_followed(stack, urls)
    assert served_version(stack) != before


def await_healthy(stack: Stack) -> None:
    def healthy() -> bool:
        found = [each.health for server in SERVERS for each in stack.containers(server)]
        return found == ["healthy"] * 4

    wait_until(healthy, 120, "two healthy replicas of both servers")


@pytest.mark.parametrize(
    "disturb",
    [
        kill_a_replica,
        restart_a_replica,
        retrain_on_other_data,
        roll_back,
        try_a_version,
        scale_down_and_up,
        update_to_a_changed_image,
    ],
)
def test_no_request_fails_and_no_answer_is_mixed(replicated: Stack, disturb: Callable[[Stack], None]) -> None:
    """Twelve clients; every row is recomputed from the version that its answer names."""
    await_healthy(replicated)

    with CheckedLoad(replicated) as load:
        load.wait_for(100)
        disturb(replicated)
        load.wait_for(100)

    load.assert_nothing_failed()
    load.assert_logged_once()
