"""A prediction log as the api writes it, and the drift monitor as a process beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import psycopg2
from psycopg2.extras import execute_values

from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from tests.harness.processes.stores import free_port
from tests.harness.repository_root import ROOT

_INSERT = """
    INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp", model_version,
                             cached, intervals, request_id, latency) VALUES %s"""
_AGO = "(now() - make_interval(hours => %s))"


def create_log(url: str) -> None:
    """Make the table, as postgres/init.sql does."""
    with closing(psycopg2.connect(url)) as connection, connection:
        connection.cursor().execute((ROOT / "postgres" / "init.sql").read_text("utf-8"))


def log_predictions(
    url: str, model_dir: Path, rows: FloatArray, version: int = 1, hours_ago: int = 0
) -> None:
    """Log one request per row of `rows` [n, k], answered by `version`."""
    found = load_model(ModelStore(model_dir).path(version)).predict(rows)
    log_answers(url, rows.tolist(), found.values.tolist(), version, hours_ago)


def log_answers(
    url: str, rows: Sequence[Sequence[object]], answers: Sequence[object], version: int, hours_ago: int = 0
) -> None:
    """Log one request per row, as it was sent, with its prediction."""
    values = [
        (
            str(uuid4()),
            json.dumps([row]),
            json.dumps([value]),
            "[1]",
            hours_ago,
            version,
            False,
            "[[0, 0]]",
            "r",
            0.001,
        )
        for row, value in zip(rows, answers, strict=True)
    ]
    template = f"(%s, %s, %s, %s, {_AGO}, %s, %s, %s, %s, %s)"
    with closing(psycopg2.connect(url)) as connection, connection:
        execute_values(connection.cursor(), _INSERT, values, template)


def like_training(rows: int) -> FloatArray:
    """Return rows [n, 1] from where the demo model was trained."""
    return np.random.default_rng(667).uniform(0, 20, size=(rows, 1))


def one_pass(log_url: str, training_url: str, model_dir: Path) -> tuple[int, dict[str, Any]]:
    """Run 95-monitor_model.py --once; return the exit code and the line that says what it found."""
    command = [sys.executable, "95-monitor_model.py", "--once"]
    environment = os.environ | _settings(log_url, training_url, model_dir)
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found = next((line for line in lines if line["event"].startswith("drift: ")), lines[-1])
    return done.returncode, found


@contextmanager
def monitor(
    log_url: str, training_url: str, model_dir: Path
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """Run 95-monitor_model.py as a service; give the process and a client for it."""
    port = free_port()
    settings = _settings(log_url, training_url, model_dir)
    settings |= {"PORT": str(port), "DRIFT_INTERVAL_SECONDS": "1"}
    command = [sys.executable, "95-monitor_model.py"]
    with (
        subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.DEVNULL) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client,
    ):
        try:
            yield process, client
        finally:
            process.kill()


def _settings(log_url: str, training_url: str, model_dir: Path) -> dict[str, str]:
    return {"DATABASE_URL": log_url, "TRAINING_DATABASE_URL": training_url, "MODEL_DIR": str(model_dir)}
