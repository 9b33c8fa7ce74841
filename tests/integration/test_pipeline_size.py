"""Long tables: memory stays at one array of the table, and a person at a terminal sees a progress bar."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
from contextlib import suppress

import pytest

from mlstack.data.database import connected
from mlstack.data.generation import Generation
from mlstack.data.loading import load
from mlstack.registry.store import ModelStore
from tests.harness.processes.steps import STEPS, Steps
from tests.harness.repository_root import ROOT

ROWS = 3_000_000

# Peak memory in bytes of a step of work, in a separate process, above its memory before.
_PEAK = """
import json, resource, sys
import numpy as np
from mlstack.data.database import connected
from mlstack.data.reading import data_digest, read_table
from mlstack.data.generation import Generation
from mlstack.data.loading import load
from mlstack.training.config import TrainingConfig
from mlstack.training.input import read_training_input
from mlstack.training.streamed import train_on
from mlstack.training.train import train

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

url, what, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
if what in {"train", "stream"}:  # imports and a first fit are no part of it
    train(np.random.default_rng(0).normal(size=(100, 2)), TrainingConfig(), "digest", "t")
before = peak()
with connected(url) as connection:
    if what == "stream":
        train_on(read_training_input(connection, sys.argv[4], TrainingConfig()), TrainingConfig(), "t")
    elif what == "load":
        load(connection, Generation(table="other", rows=rows))
    else:
        table = read_table(connection, "linear_data", ("x", "y"))
        data_digest(table, "linear_data", ("x", "y"))
if what == "train":
    train(table, TrainingConfig(), "digest", "t")
print(peak() - before)
"""


@pytest.fixture
def url(database_url: str) -> str:
    with connected(database_url) as connection:
        load(connection, Generation(rows=ROWS))
    return database_url


@pytest.mark.parametrize(("what", "tables"), [("load", 0.0), ("read", 1.0), ("train", 1.0)])
def test_peak_memory_is_one_array_of_the_table(url: str, what: str, tables: float) -> None:
    command = [sys.executable, "-c", _PEAK, url, what, str(ROWS)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    array = ROWS * 2 * 8
    # An eighth to grow into, and blocks of fixed size.
    assert int(done.stdout) < tables * array * 1.125 + 24e6


def test_least_squares_needs_no_more_memory_for_twice_as_many_rows(url: str) -> None:
    with connected(url) as connection:
        twice = "CREATE VIEW twice AS SELECT * FROM linear_data UNION ALL SELECT * FROM linear_data"
        connection.cursor().execute(twice)
    peaks = []
    for name in ("linear_data", "twice"):
        command = [sys.executable, "-c", _PEAK, url, "stream", str(ROWS), name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))

    assert peaks[1] - peaks[0] < 8e6
    assert (
        peaks[0] < 1_000_000 * 2 * 8 * 1.125 + 48e6
    )  # what is held until the table proves long, and a sample


def test_a_long_table_passes_every_step_and_is_not_trained_again(steps: Steps) -> None:
    settings = {"DATA_SAMPLES": "1100000"}

    first, second = steps.run_all(**settings), steps.run_all(**settings)

    assert [outcome.code for outcome in (*first, *second)] == [0] * 8
    store = ModelStore(steps.model_dir)
    manifest, evaluation = store.verified(1), store.evaluation(1)
    assert (store.versions(), store.current()) == ([1], 1)
    assert manifest.provenance.split == "hashed"
    assert manifest.coefficients["x"] == pytest.approx(2, abs=1e-3)
    assert evaluation.rmse == pytest.approx(manifest.metrics["rmse"], rel=1e-9)
    assert evaluation.baseline_rmse == pytest.approx(manifest.metrics["baseline_rmse"], rel=1e-9)
    assert evaluation.rows == pytest.approx(220_000, rel=0.02)
    assert (store.path(1) / "report.svg").exists()
    assert second[2].line("nothing to do: this version is up to date")["model_version"] == 1


def test_a_long_table_that_changed_is_not_promoted(steps: Steps) -> None:
    settings = {"DATA_SAMPLES": "1100000"}
    for step in STEPS[:3]:
        assert steps.run(step, **settings).code == 0
    steps.execute("UPDATE linear_data SET y = 0 WHERE x = 20")

    outcome = steps.run(STEPS[3], **settings)

    assert outcome.code == 1
    assert "the table changed since version 1 was trained" in outcome.errors()[0]


def test_a_person_at_a_terminal_sees_a_bar_and_a_log_does_not(steps: Steps) -> None:
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 100))
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": steps.database_url, "DATA_SAMPLES": "1000000"}

    command = [sys.executable, "00-prepare_data.py"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=slave
    ) as process:
        os.close(slave)
        shown = _read_all(master)
        log, _ = process.communicate()

    assert process.returncode == 0
    assert "loading: 100%" in shown
    assert all(json.loads(line) for line in log.splitlines())


def _read_all(terminal: int) -> str:
    """Return what is shown until the last process has left the terminal (EIO)."""
    parts = []
    with suppress(OSError):
        while part := os.read(terminal, 4096):
            parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()
