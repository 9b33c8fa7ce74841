"""The Flask server as it runs in its container: 90-serve_model.py as a process, with a real model volume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from mlstack.inference.artifact import save_estimator
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.training.config import TrainingConfig
from mlstack.training.train import train
from tests.harness.processes.stores import free_port
from tests.harness.repository_root import ROOT

NO_DATABASE = "postgresql://reader:reader@127.0.0.1:1/dsproject"  # nothing listens there


def publish_line(root: Path, slope: float) -> int:
    """Publish and promote a model of y = slope · x + 1; return its version."""
    rng = np.random.default_rng(667)
    x = rng.uniform(0, 20, 100)
    table = np.column_stack([x, slope * x + 1 + rng.normal(0, 0.5, 100)])
    estimator, manifest = train(table, TrainingConfig(), f"slope {slope}", "linear_data")
    store = ModelStore(root)
    version = store.publish(manifest, lambda directory: save_estimator(estimator, directory))
    store.record(version, Evaluation(verdict="promoted"))
    return version


def eventually(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Return whether `condition` becomes true before the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@dataclass
class ServingProcess:
    """A running server and a client for it."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    port: int
    model_dir: Path
    log_path: Path

    def predict(self, body: object) -> httpx.Response:
        """POST `body` as JSON to /predict."""
        return self.client.post("/predict", json=body)

    def terminate(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def log_lines(self) -> list[dict[str, Any]]:
        """Return what was logged; raise ValueError at a line that is no JSON."""
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]

    def metric(self, sample: str) -> float:
        """Return the value of one sample, such as `model_version` or `x_total{route="/"}`."""
        lines = self.client.get("/metrics").text.splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{sample} "))


@contextmanager
def serving(
    model_dir: Path, log_path: Path, database_url: str = NO_DATABASE, *prefix: str, **more: str
) -> Iterator[ServingProcess]:
    """Run the server until the block ends; its log is a file, because a full pipe would stop it.

    `prefix` is put before its command.
    """
    port = free_port()
    settings = {"PORT": str(port), "MODEL_DIR": str(model_dir), "DATABASE_URL": database_url, **more}
    command = [*prefix, sys.executable, "90-serve_model.py"]
    with (
        log_path.open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=log, stderr=log) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        try:
            assert eventually(lambda: _is_alive(client)), log_path.read_text()
            yield ServingProcess(process, client, port, model_dir, log_path)
        finally:
            process.kill()


def _is_alive(client: httpx.Client) -> bool:
    try:
        return client.get("/livez").status_code == 200
    except httpx.TransportError:
        return False
