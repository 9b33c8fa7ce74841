"""A step that fails says so in one line and exits with 1; nothing after it starts, nothing old stops."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.harness.stack.compose import Stack
from tests.harness.stack.one_offs import another_server, error_lines, get, only_error, small_volume
from tests.harness.stack.waiting import wait_until

_WRONG = "DATABASE_URL=postgresql://pipeline:wrong@database:5432/dsproject"


@pytest.fixture
def repaired(stack: Stack) -> Iterator[None]:
    """Afterwards everything is as `up` leaves it."""
    yield
    stack.psql("database", "dsproject", "DROP TABLE IF EXISTS linear_data")
    stack.compose("up", "--wait")


@pytest.mark.parametrize("step", ["data-prep", "data-validate", "model-train"])
def test_wrong_database_password(stack: Stack, step: str) -> None:
    line = only_error(stack.run_step(step, "--env", _WRONG))

    assert "password authentication failed" in line
    assert "wrong@" not in line


@pytest.mark.parametrize("step", ["data-prep", "data-validate", "model-train"])
def test_missing_table(stack: Stack, step: str) -> None:
    line = only_error(stack.run_step(step, "--env", "DATA_TABLE=absent"))

    assert "absent" in line
    assert ("does not exist" in line) != ("there is no table" in line)


def test_own_table_with_holes_gets_a_line_for_each_finding(stack: Stack) -> None:
    stack.psql(
        "database",
        "dsproject",
        "CREATE TABLE broken AS SELECT n AS x, CASE WHEN n % 2 = 0 THEN n END AS y, 'NaN'::float8 AS z"
        " FROM generate_series(1, 30) AS n",
    )

    refused = stack.run_step("data-validate", "--env", "DATA_TABLE=broken", "--env", "DATA_FEATURES=x,z")

    assert refused.returncode == 1
    out_of_range, nan, null = error_lines(refused.stdout)
    assert out_of_range.startswith("broken.x: 10 of 30 values lie outside [0, 20] (found 1 to 30)")
    assert nan == "broken.z: 30 of 30 values are NaN"
    assert null == "broken.y: 15 of 30 values are NULL, and it is the target"
    stack.psql("database", "dsproject", "DROP TABLE broken")


@pytest.mark.usefixtures("repaired")
def test_a_column_of_another_kind_than_in_the_served_version(stack: Stack) -> None:
    stack.psql("database", "dsproject", "ALTER TABLE linear_data ALTER x TYPE text")

    line = only_error(stack.run_step("data-validate"))
    meant = stack.run_step("data-validate", "--env", "DATA_CHANGED_COLUMNS=x")

    assert line.startswith("linear_data.x: holds text, but held numbers when version ")
    assert "name it in DATA_CHANGED_COLUMNS" in line
    assert meant.returncode == 0, meant.stdout


@pytest.mark.usefixtures("repaired")
def test_refused_data_keep_what_depends_on_them_down_and_the_old_version_up(stack: Stack) -> None:
    serving = stack.container("model-serve")
    trained = stack.container("model-train").started
    stack.psql("database", "dsproject", "UPDATE linear_data SET y = 'NaN' WHERE x < 5")

    failed = stack.compose("up", "-d", check=False)

    assert failed.returncode != 0
    assert 'service "data-validate" didn\'t complete successfully' in failed.stderr
    assert stack.container("data-validate").exit_code == 1
    assert stack.container("model-train").started == trained
    assert stack.container("model-serve").started == serving.started
    assert stack.serve.post("/predict", json={"values": [5]}).json()["predictions"] == [[11.0]]
    assert stack.api.get("/health").json()["status"] == "healthy"

    stack.compose("rm", "--stop", "--force", "model-serve")
    stack.compose("up", "-d", check=False)

    assert stack.container("model-serve").state == "created"
    assert stack.serve.get("/readyz").status_code == 503
    assert stack.api.get("/readyz").status_code == 200


@pytest.mark.usefixtures("repaired")
def test_damaged_model_is_not_served_and_the_next_up_heals_it(stack: Stack) -> None:
    version = stack.api.get("/readyz").json()["model_version"]
    asked = {"features": [1.0, 2.0, 3.0]}
    before = stack.api.post("/predict", json=asked).json()["predictions"]

    _in_model_volume(stack, "echo damaged > $(readlink -f /models/current)/model.skops")

    assert f"/models/versions/{version}/model.skops" in only_error(stack.run_step("model-evaluate"))
    for client in (stack.serve, stack.api):
        _await_health(client, "degraded")
        assert client.get("/health").status_code == 200
    assert stack.api.post("/predict", json=asked).json()["predictions"] == before
    _assert_fresh_server_is_not_ready(stack, "model-serve", 5000)
    _assert_fresh_server_is_not_ready(stack, "api", 8000)

    stack.compose("up", "--wait")

    _await_health(stack.api, "healthy")
    assert stack.api.get("/readyz").json()["model_version"] > version
    assert stack.api.post("/predict", json=asked).json()["predictions"] == before


def test_full_volume_at_the_first_training(stack: Stack) -> None:
    with small_volume("16k") as volume:
        mount = ("--volume", f"{volume}:/models")

        line = only_error(stack.run_step("model-train", *mount))

        assert "the volume is full" in line
        assert "no version has been trained yet" in only_error(stack.run_step("model-evaluate", *mount))


def test_full_volume_later_on_leaves_the_old_version_serving(stack: Stack) -> None:
    with small_volume("1m") as volume:
        mount = ("--volume", f"{volume}:/models")
        with another_server(stack, "model-serve", *mount) as server:
            wait_until(lambda: get(server, 5000, "/livez")[0] == 200, 30, "the server")
            assert get(server, 5000, "/readyz")[0] == 503
            for step in ("model-train", "model-evaluate"):
                assert stack.run_step(step, *mount).returncode == 0
            wait_until(lambda: get(server, 5000, "/readyz")[0] == 200, 20, "version 1 to be served")
            _in_model_volume(stack, "cat /dev/zero > /models/filler || true", *mount)

            line = only_error(stack.run_step("model-train", *mount, "--env", "TEST_FRACTION=0.3"))

            assert "the volume is full" in line
            assert get(server, 5000, "/readyz") == (200, {"ready": True, "model_version": 1})


def _await_health(client: httpx.Client, status: str) -> None:
    wait_until(lambda: client.get("/health").json()["status"] == status, 30, status)


def _assert_fresh_server_is_not_ready(stack: Stack, service: str, port: int) -> None:
    with another_server(stack, service) as fresh:
        wait_until(lambda: get(fresh, port, "/livez")[0] == 200, 60, "a fresh server")
        assert get(fresh, port, "/readyz")[0] == 503
        assert get(fresh, port, "/health")[0] == 503


def _in_model_volume(stack: Stack, script: str, *options: str) -> None:
    done = stack.compose(
        "run", "--rm", "--no-deps", "-T", "--entrypoint", "sh", *options, "models", "-c", script
    )
    assert done.returncode == 0
