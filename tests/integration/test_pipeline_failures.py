"""A step that cannot do its work says why in one line and ends with 1."""

from __future__ import annotations

import subprocess

import pytest

from mlstack.registry.store import ModelStore
from tests.harness.processes.steps import STEPS, Outcome, Steps
from tests.harness.processes.stores import free_port


def _assert_one_line(outcome: Outcome, reason: str) -> None:
    assert outcome.code == 1
    assert len(outcome.errors()) == 1
    assert reason in outcome.errors()[0]
    assert "\n" not in outcome.errors()[0]
    assert outcome.stderr == ""


@pytest.mark.parametrize("script", STEPS[:3])
def test_a_wrong_password(steps: Steps, script: str) -> None:
    url = steps.database_url.replace(":postgres@", ":wrong-secret@")

    outcome = steps.run(script, DATABASE_URL=url)

    _assert_one_line(outcome, "password authentication failed")
    assert "check the password in DATABASE_URL" in outcome.errors()[0]
    assert "wrong-secret" not in str(outcome.lines)


@pytest.mark.parametrize("script", STEPS[:3])
def test_an_unknown_host(steps: Steps, script: str) -> None:
    outcome = steps.run(script, DATABASE_URL="postgresql://pipeline:secret@database.invalid:5432/dsproject")

    _assert_one_line(outcome, "check the host in DATABASE_URL")
    assert "secret" not in str(outcome.lines)


def test_nobody_listening(steps: Steps) -> None:
    url = f"postgresql://pipeline:secret@127.0.0.1:{free_port()}/dsproject"

    _assert_one_line(steps.run("10-train_model.py", DATABASE_URL=url), "is the database running")


@pytest.mark.parametrize("url", ["postgresql://pipeline:secret@database:five/dsproject", "pipeline secret"])
def test_a_malformed_url(steps: Steps, url: str) -> None:
    outcome = steps.run("00-prepare_data.py", DATABASE_URL=url)

    _assert_one_line(outcome, "DATABASE_URL")
    assert "secret" not in str(outcome.lines)


def test_no_database_url(steps: Steps) -> None:
    _assert_one_line(steps.run("00-prepare_data.py", DATABASE_URL=""), "DATABASE_URL is not set")


@pytest.mark.parametrize("script", ["00-prepare_data.py", "05-validate_data.py", "10-train_model.py"])
def test_a_missing_table(steps: Steps, script: str) -> None:
    _assert_one_line(steps.run(script, DATA_TABLE="nowhere"), "nowhere")


def test_a_missing_permission(steps: Steps) -> None:
    steps.execute("CREATE TABLE hidden (x float8, y float8); CREATE ROLE nosy LOGIN PASSWORD 'nosy'")
    url = steps.database_url.replace("postgres:postgres@", "nosy:nosy@")

    outcome = steps.run("10-train_model.py", DATA_TABLE="hidden", DATABASE_URL=url)

    _assert_one_line(outcome, "permission denied for table hidden")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"DATA_SAMPLES": "many"}, "DATA_SAMPLES must be a whole number"),
        ({"DATA_SAMPLES": "0"}, "DATA_SAMPLES must be at least 1"),
        ({"DATA_MIN": "5", "DATA_MAX": "5"}, "DATA_MIN (5.0) must be less than DATA_MAX (5.0)"),
        ({"DATA_NOISE": "-1"}, "DATA_NOISE must be a finite number"),
    ],
)
def test_a_wrong_setting(steps: Steps, settings: dict[str, str], reason: str) -> None:
    _assert_one_line(steps.run("00-prepare_data.py", **settings), reason)


def test_evaluating_before_training(steps: Steps) -> None:
    _assert_one_line(steps.run("20-evaluate_model.py"), "no version has been trained yet: run model-train")


@pytest.mark.parametrize(
    ("options", "reason"),
    [("size=8k", "the volume is full"), ("ro", "mounted read-only")],
)
def test_a_volume_that_takes_nothing(trained: Steps, options: str, reason: str) -> None:
    prefix = ("unshare", "--mount", "--map-root-user", "sh", "-c", _MOUNT, options, str(trained.model_dir))
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces here: a small tmpfs cannot be mounted")

    outcome = trained.run("10-train_model.py", *prefix)

    _assert_one_line(outcome, reason)


_MOUNT = 'mount -t tmpfs -o "$0" tmpfs "$1" && shift && exec "$@"'


def test_a_volume_that_fills_up_keeps_the_version_it_has(trained: Steps) -> None:
    before = sorted(path.name for path in (trained.model_dir / "versions").iterdir())
    limit = ("prlimit", "--fsize=1000", "--")

    outcome = trained.run("10-train_model.py", *limit, MODEL_PARAMETERS='{"copy_X": false}')

    _assert_one_line(outcome, "cannot write to")
    assert sorted(path.name for path in (trained.model_dir / "versions").iterdir()) == before
    assert ModelStore(trained.model_dir).verified(1).version == 1
