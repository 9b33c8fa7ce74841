"""scripts/operate/rolling-update.sh: afterwards all replicas are new, or all old; no request fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.documents.program import program as on_terminal
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack
from tests.harness.stack.kept_load import Load
from tests.harness.stack.releases import Releases, release_of_image, running
from tests.harness.stack.scripts import OPERATE, only_line, operate, succeed
from tests.harness.stack.waiting import wait_until

_SCRIPT = "rolling-update.sh"


@pytest.fixture(scope="module")
def releases(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    """Two replicas of release 1 of the api; afterwards the stack is as it was."""
    releases = Releases.beside(stack, tmp_path_factory.mktemp("releases"))
    releases.write("api", "1")
    releases.start("api", 2)
    yield releases
    stack.compose("up", "--detach", "--build", "--wait", "--no-deps", "api", "model-serve")


@pytest.fixture
def load(stack: Stack) -> Load:
    """Predictions of the api."""
    return Load(f"http://localhost:{stack.port('API_PORT')}/predict", {"features": [1.0, 2.0, 3.0]})


def test_two_replicas_get_a_changed_image_without_a_failed_request(
    stack: Stack, releases: Releases, load: Load
) -> None:
    before = running(stack.project, "api")
    releases.write("api", "2")

    with load:
        load.wait_for(50)
        succeed(operate(_SCRIPT, "api", environment=stack.environment))
        load.wait_for(50)

    load.assert_all_answered()
    acknowledged = {answer.json()["id"] for answer in load.answers}
    assert len(acknowledged) == len(load.answers)
    assert acknowledged <= stack.logged_ids()
    after = running(stack.project, "api")
    assert list(after.values()) == ["2", "2"]
    assert not set(before) & set(after)


def test_the_next_up_recreates_nothing(stack: Stack, releases: Releases) -> None:
    before = running(stack.project, "api")

    releases.stack.compose("up", "--detach", "--no-deps", "api", env={"API_REPLICAS": "2"})

    assert running(stack.project, "api") == before


@pytest.mark.parametrize("program", ["raise SystemExit(1)", "import time; time.sleep(600)"])
def test_a_replica_that_does_not_become_healthy_is_removed(
    stack: Stack, releases: Releases, load: Load, program: str
) -> None:
    before = running(stack.project, "api")
    releases.write("api", "3", command=["python", "-c", program], stop_grace_period="1s")

    with load:
        load.wait_for(50)
        environment = stack.environment | {"UPDATE_SECONDS": "8"}
        done = operate(_SCRIPT, "api", environment=environment)
        load.wait_for(50)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "ml-stack: a new replica of api did not become healthy" in done.stderr
    assert running(stack.project, "api") == before
    assert release_of_image(stack.project, "api") == "2"
    load.assert_all_answered()


def test_ctrl_c_leaves_the_old_replicas(stack: Stack, releases: Releases, load: Load) -> None:
    before = running(stack.project, "api")
    releases.write("api", "4")

    with load, on_terminal(f"{OPERATE}/{_SCRIPT} api", stack.environment, str(ROOT)) as update:
        wait_until(lambda: len(running(stack.project, "api")) == 3, 60, "a new replica")
        update.press_ctrl_c()
        code = update.wait(60)
        load.wait_for(50)

    assert code == 130, update.output
    assert running(stack.project, "api") == before
    assert release_of_image(stack.project, "api") == "2"
    load.assert_all_answered()


def test_one_replica_is_replaced_without_a_failed_request(stack: Stack, releases: Releases) -> None:
    releases.write("model-serve", "1")
    releases.start("model-serve", 1)
    before = running(stack.project, "model-serve")
    releases.write("model-serve", "2")

    with Load(f"http://localhost:{stack.port('SERVE_PORT')}/predict", {"values": [5]}) as load:
        load.wait_for(50)
        succeed(operate(_SCRIPT, "model-serve", environment=stack.environment))
        load.wait_for(50)

    load.assert_all_answered()
    after = running(stack.project, "model-serve")
    assert list(after.values()) == ["2"]
    assert not set(before) & set(after)


def test_without_the_files_of_the_running_replicas_nothing_is_updated(
    stack: Stack, releases: Releases
) -> None:
    before = running(stack.project, "api")
    kept = releases.file.rename(releases.file.with_suffix(".kept"))

    refused = operate(_SCRIPT, "api", environment=stack.environment)

    kept.rename(releases.file)
    assert f"was started with {releases.file}, which is gone" in only_line(refused)
    assert running(stack.project, "api") == before


def test_a_service_that_does_not_run_is_named(stack: Stack) -> None:
    refused = operate(_SCRIPT, "worker", environment=stack.environment)

    assert only_line(refused) == "ml-stack: worker does not run: start it by `docker compose up -d`"
