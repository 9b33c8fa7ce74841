"""A shadow is scored on the requests that were answered: never at their expense, and dropped first."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psycopg2
import pytest

from mlstack.inference.loading import load_model
from mlstack.models.__main__ import main
from mlstack.registry.store import ModelStore
from mlstack.registry.trials import begin_shadow, end_trial
from tests.harness.processes.inference import Stores, is_healthy, undisturbed
from tests.harness.processes.serving import ServingProcess, eventually
from tests.harness.processes.tried_versions import volume_of_lines

FOLLOW_SECONDS = 2.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve version 1; version 2 is of twice its slope."""
    root: Path = tmp_path_factory.mktemp("shadow")
    store = volume_of_lines(root / "models", 2.0, 4.0)
    with undisturbed(store.root, root / "log", real_stores) as process:
        yield process


@pytest.fixture
def store(server: ServingProcess, real_stores: Stores) -> Iterator[ModelStore]:
    """The server's volume, without a shadow before and after."""
    real_stores.sql("TRUNCATE predictions, shadow_predictions, feedback")
    store = ModelStore(server.model_dir)
    yield store
    if (store.root / "shadow.json").exists():
        end_trial(store.root, "shadow")
    await_shadow(server, 0)


def scores(real_stores: Stores) -> dict[str, list[Any]]:
    """Return what version 2 says, by the id of the prediction."""
    query = "SELECT id::text, prediction FROM shadow_predictions WHERE version = 2"
    return dict(real_stores.sql(query))


def counted(server: ServingProcess, result: str) -> float:
    return server.metric(f'shadow_rows_total{{result="{result}"}}')


def await_shadow(server: ServingProcess, version: int) -> None:
    """Return when the server has noticed, which must be soon."""
    assert eventually(lambda: server.metric("shadow_version") == version, FOLLOW_SECONDS)


def test_every_answered_request_is_scored_cached_ones_too(
    server: ServingProcess, store: ModelStore, real_stores: Stores
) -> None:
    """With what version 2 itself would answer; the clients see version 1 only."""
    begin_shadow(store.root, 2)
    await_shadow(server, 2)
    before = counted(server, "scored")
    answers = [server.predict({"values": rows}).json() for rows in ([5], [5], [1, 2.5], [[7]])]

    assert {answer["model_version"] for answer in answers} == {1}
    assert [answer["cached"] for answer in answers] == [False, True, False, False]
    assert eventually(lambda: len(scores(real_stores)) == len(answers), 30)
    model, found = load_model(store.path(2)), scores(real_stores)
    for answer, rows in zip(answers, ([[5]], [[5]], [[1], [2.5]], [[7]]), strict=True):
        assert found[answer["id"]] == pytest.approx(model.predict(np.array(rows)).values.tolist())
    assert counted(server, "scored") - before == 5


def test_without_a_shadow_nothing_is_scored(
    server: ServingProcess, store: ModelStore, real_stores: Stores
) -> None:
    begin_shadow(store.root, 2)
    await_shadow(server, 2)
    end_trial(store.root, "shadow")
    await_shadow(server, 0)

    assert server.predict({"values": [5]}).status_code == 200

    time.sleep(1.0)  # several rounds
    assert scores(real_stores) == {}


def test_the_shadow_goes_on_beside_a_new_current_version(server: ServingProcess, store: ModelStore) -> None:
    """Promoted itself it is no shadow any more, and after the next promotion it is not one again."""
    begin_shadow(store.root, 2)
    await_shadow(server, 2)

    store.promote(2)

    await_shadow(server, 0)
    store.promote(1)
    assert eventually(lambda: server.metric("model_version") == 1, FOLLOW_SECONDS)
    assert server.metric("shadow_version") == 0


def test_a_share_is_scored(store: ModelStore, tmp_path: Path, real_stores: Stores) -> None:
    """By another replica, with a setting of its own."""
    begin_shadow(store.root, 2)
    with undisturbed(store.root, tmp_path / "log", real_stores, SHADOW_SHARE=0.25) as server:
        await_shadow(server, 2)
        for number in range(200):
            server.predict({"values": [number / 10]})
        assert eventually(lambda: counted(server, "scored") >= 20, 30)
        time.sleep(0.5)

        assert 20 <= counted(server, "scored") <= 85  # 50 ± 5 standard deviations
        assert counted(server, "dropped") == 0


def test_what_does_not_fit_is_dropped_and_clients_do_not_wait(
    server: ServingProcess, store: ModelStore, real_stores: Stores
) -> None:
    """While its table is locked nothing can be stored; answers come as ever."""
    begin_shadow(store.root, 2)
    await_shadow(server, 2)
    large = {"values": [[number / 1000] for number in range(9000)]}
    with closing(psycopg2.connect(real_stores.postgres.url("predictions"))) as blocking:
        blocking.cursor().execute("LOCK TABLE shadow_predictions IN EXCLUSIVE MODE")
        before = {result: counted(server, result) for result in ("dropped", "failed")}
        times = [timed(server, large) for _ in range(6)]
        assert eventually(lambda: counted(server, "dropped") - before["dropped"] >= 9000, 10)
        assert eventually(lambda: counted(server, "failed") - before["failed"] >= 9000, 10)
        blocking.rollback()

    assert max(times) < 2.0, times  # an INSERT of the shadow waits for 2 s
    assert eventually(lambda: is_healthy(server) and scored_again(server), 60)


def scored_again(server: ServingProcess) -> bool:
    """Return whether a request is scored, as when the api has found its way to PostgreSQL again."""
    before = counted(server, "scored")
    server.predict({"values": [5]})
    return eventually(lambda: counted(server, "scored") > before, 6)


def timed(server: ServingProcess, body: object) -> float:
    began = time.monotonic()
    assert server.predict(body).status_code == 200
    return time.monotonic() - began


def test_the_comparison_says_which_version_errs_less(
    server: ServingProcess,
    store: ModelStore,
    real_stores: Stores,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The truth is y = 4x + 1: `models compare` and GET /models/compare find version 2 better."""
    begin_shadow(store.root, 2)
    await_shadow(server, 2)
    ids = {server.predict({"values": [x]}).json()["id"]: x for x in range(40)}
    assert eventually(lambda: len(scores(real_stores)) == len(ids), 30)
    truths = [{"id": id_, "actual": [4.0 * x + 1]} for id_, x in ids.items()]
    assert server.client.post("/feedback", json=truths).json()["accepted"] == 40
    monkeypatch.setenv("MODEL_DIR", str(store.root))
    monkeypatch.setenv("LOG_DATABASE_URL", real_stores.postgres.url("predictions"))

    assert [main(["compare", "2"]), main(["compare", "2", "--json"])] == [0, 0]

    text, _, document = capsys.readouterr().out.partition("{")
    assert "requests compared   40 with 40 rows" in text
    assert "Version 2 errs less than version 1, and not by chance" in text
    found = json.loads("{" + document)
    assert found["truths"]["challenger"] < 0.5 < found["truths"]["current"]
    assert found["truths"]["p_value"] < 0.01
    assert found["mean_difference"] == pytest.approx(2 * 19.5, rel=0.05)
    assert server.client.get("/models/compare").json() == found
    assert server.client.get("/models/compare", params={"version": 2}).json() == found


@pytest.mark.usefixtures("store")
def test_what_cannot_be_compared_is_a_problem(server: ServingProcess) -> None:
    asked = {"": 404, "?version=9": 404, "?version=1": 409, "?version=x": 422}

    answers = {query: server.client.get(f"/models/compare{query}") for query in asked}

    assert {query: answer.status_code for query, answer in answers.items()} == asked
    assert {answer.headers["content-type"] for answer in answers.values()} == {"application/problem+json"}


def test_scores_expire_with_their_predictions(real_stores: Stores) -> None:
    """After 90 days at the latest, whatever the log keeps; the api can only add and read."""
    old, new = "018bcfe5-6800-7000-8000-000000000001", f"{int(time.time() * 1000):012x}70008{'0' * 15}"
    for id_ in (old, new):
        real_stores.sql("INSERT INTO shadow_predictions VALUES (%s, 3, '[1]')", id_)

    real_stores.sql("SELECT maintain_predictions()", url=real_stores.inference_url)

    kept = real_stores.sql("SELECT replace(id::text, '-', '') FROM shadow_predictions WHERE version = 3")
    assert kept == [(new,)]
    for statement in ("DELETE FROM shadow_predictions", "UPDATE shadow_predictions SET version = 1"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            real_stores.sql(statement, url=real_stores.inference_url)


def test_a_share_above_one_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from api.settings import Settings  # noqa: PLC0415
    from mlstack.runtime.settings import SettingsError  # noqa: PLC0415

    url = "postgresql://inference:secret@postgres:5432/predictions"
    for name, value in {"DATABASE_URL": url, "REDIS_URL": "redis://a:b@redis/0", "SHADOW_SHARE": "2"}.items():
        monkeypatch.setitem(os.environ, name, value)

    with pytest.raises(SettingsError, match="SHADOW_SHARE must be a number from 0 to 1, not 2"):
        Settings.from_env()
