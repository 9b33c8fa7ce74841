"""Versions are promoted in turn while clients ask: every answer is of the version that it names."""

from __future__ import annotations

import concurrent.futures
import itertools
import random
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.serving import ServingProcess, publish_line

CLIENTS = 6
SECONDS = 6.0


def test_no_answer_and_no_logged_row_mixes_two_versions(tmp_path: Path, real_stores: Stores) -> None:
    """Of one row and of many, and often the same ones: caches and batches hold both versions at once."""
    store = ModelStore(tmp_path / "models")
    versions = [publish_line(store.root, slope) for slope in (2.0, -3.0)]
    models = {version: load_model(store.path(version)) for version in versions}
    with undisturbed(store.root, tmp_path / "log", real_stores) as server:
        answers = _ask_while_versions_change(server, store, versions)

    assert len(answers) > 500
    assert {answer["model_version"] for _, answer in answers} == set(versions)
    for rows, answer in answers:
        assert _is_of(models[answer["model_version"]], rows, answer["predictions"])
    logged = real_stores.sql("SELECT model_version, input_data, prediction FROM predictions")
    assert len(logged) >= len(answers)
    for version, rows, predictions in logged:
        assert _is_of(models[version], [row[0] for row in rows], predictions)


def _ask_while_versions_change(
    server: ServingProcess, store: ModelStore, versions: list[int]
) -> list[tuple[list[float], dict[str, Any]]]:
    over = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(_ask_until, over, server.port, seed) for seed in range(CLIENTS)]
        deadline = time.monotonic() + SECONDS
        for version in itertools.cycle(versions):
            store.promote(version)
            time.sleep(0.3)
            if time.monotonic() > deadline:
                break
        over.set()
        return [answer for client in clients for answer in client.result()]


def _ask_until(over: threading.Event, port: int, seed: int) -> list[tuple[list[float], dict[str, Any]]]:
    chance = random.Random(seed)  # noqa: S311
    answers = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        while not over.is_set():
            rows = [float(chance.randrange(40)) for _ in range(chance.choice([1, 1, 2, 50, 200]))]
            answer = client.post("/predict", json={"features": rows})
            assert answer.status_code == 200, answer.text
            answers.append((rows, answer.json()))
    return answers


def _is_of(model: LoadedModel, rows: list[float], predictions: list[float]) -> bool:
    expected = model.predict(np.array(rows).reshape(-1, 1)).values
    return bool((np.array(predictions) == expected).all())
