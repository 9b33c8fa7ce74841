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
from tests.harness.processes.steps import Steps
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
from mlstack.training.train import train

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

url, what, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
if what == "train":  # imports and a first fit are no part of it
    train(np.random.default_rng(0).normal(size=(100, 2)), TrainingConfig(), "digest", "t")
before = peak()
with connected(url) as connection:
    if what == "load":
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
