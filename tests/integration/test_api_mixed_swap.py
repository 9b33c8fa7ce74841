"""A classifier of plain numbers and a regressor of columns with NULLs are promoted in turn, under load."""

from __future__ import annotations

import concurrent.futures
import functools
import json
import random
import threading
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from api.prediction.computation import answer_rows
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from tests.harness.mixed_models import publish_flowers, publish_gaps
from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.serving import ServingProcess, eventually

CLIENTS, TURNS = 4, 3
Row = list[float]


def test_no_answer_and_no_logged_row_mixes_two_kinds_of_models(tmp_path: Path, real_stores: Stores) -> None:
    """Both take the same rows, on the fast path and off it; each answer is wholly of the version it names."""
    store = ModelStore(tmp_path / "models")
    versions = [publish_flowers(store), publish_gaps(store)]
    models = {version: load_model(store.path(version)) for version in versions}
    with undisturbed(store.root, tmp_path / "log", real_stores) as server:
        answers = _ask_while_versions_change(server, store, versions)

    assert {answer["model_version"] for _, answer in answers} == set(versions)
    expect = functools.cache(lambda version, rows: _answer(models[version], json.loads(rows)))
    for rows, answer in answers:
        expected = expect(answer["model_version"], json.dumps(rows))
        assert {name: answer.get(name) for name in expected} == expected
        assert ("intervals" in answer) == ("probabilities" not in answer)
    columns = "model_version, input_data, prediction, intervals, probabilities, prediction_sets"
    logged = real_stores.sql(f"SELECT {columns} FROM predictions")  # noqa: S608
    assert len(logged) >= len(answers)
    for version, rows, *found in logged:
        expected = expect(version, json.dumps(rows))
        names = ("predictions", "intervals", "probabilities", "prediction_sets")
        assert found == [expected.get(name) for name in names]


def _ask_while_versions_change(
    server: ServingProcess, store: ModelStore, versions: list[int]
) -> list[tuple[list[Row], dict[str, Any]]]:
    over = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(_ask_until, over, server.port, seed) for seed in range(CLIENTS)]
        try:
            for version in versions * TURNS:
                store.promote(version, force=True)
                assert eventually(functools.partial(_serves, server, version))
        finally:
            over.set()
        return [answer for client in clients for answer in client.result()]


def _serves(server: ServingProcess, version: int) -> bool:
    return server.metric("model_version") == version


def _ask_until(over: threading.Event, port: int, seed: int) -> list[tuple[list[Row], dict[str, Any]]]:
    chance = random.Random(seed)  # noqa: S311
    answers = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        while not over.is_set():
            rows = [[float(chance.randrange(8)) for _ in range(2)] for _ in range(chance.choice([1, 1, 5]))]
            by_name = [dict(zip(("sepal", "petal"), row, strict=True)) for row in rows]
            instances = chance.choice([rows, by_name, rows[0] if len(rows) == 1 else rows])
            answer = client.post("/predict", json={"instances": instances})
            assert answer.status_code == 200, answer.text
            answers.append((rows, answer.json()))
    return answers


def _answer(model: LoadedModel, rows: list[Row]) -> dict[str, Any]:
    """Return what the model alone says of the rows."""
    found: dict[str, Any] = json.loads(f"{{{answer_rows(model, np.array(rows)).members}}}")
    return found
