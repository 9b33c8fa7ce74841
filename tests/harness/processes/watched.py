"""The demonstration's model with its drift monitor, and an api that knows the monitor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from tests.harness.processes.drift_log import monitor
from tests.harness.processes.inference import DATABASE, Stores, inference, is_healthy
from tests.harness.processes.serving import ServingProcess, eventually
from tests.harness.processes.steps import Steps


@dataclass
class Watched:
    """A model, a log, and a monitor of both."""

    stores: Stores
    models: Path
    monitor: httpx.Client

    @contextmanager
    def api(self, log: Path, **settings: object) -> Iterator[ServingProcess]:
        """Run an api that knows the monitor."""
        settings = {"MONITOR_URL": self.monitor.base_url, **settings}
        with inference(self.models, log, self.stores, **settings) as process:
            assert eventually(partial(is_healthy, process), 30)
            yield process


def train_demonstration(stores: Stores, models: Path) -> str:
    """Run the steps into a new model volume; return the URL of the training data."""
    stores.postgres.execute("CREATE DATABASE dsproject")
    training = stores.postgres.url("dsproject")
    assert [outcome.code for outcome in Steps(training, models).run_all()] == [0, 0, 0, 0]
    return training


@contextmanager
def demonstration(stores: Stores, models: Path) -> Iterator[Watched]:
    """Train the demonstration's model and start its monitor."""
    training = train_demonstration(stores, models)
    with monitor(stores.postgres.url(DATABASE), training, models) as (_, client):
        yield Watched(stores, models, client)
