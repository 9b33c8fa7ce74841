"""The error on true values: measured for each version that answered, beside its hold-out's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import psycopg2
import pytest
from sklearn.metrics import accuracy_score, log_loss

from api.prediction.identifiers import new_prediction_id
from mlstack.evaluation.comparison import compare_on_holdout
from mlstack.inference.loading import load_model
from mlstack.live.errors import LiveError, live_errors
from mlstack.live.truths import read_truths
from mlstack.registry.columns import Column
from mlstack.registry.store import ModelStore
from tests.harness.mixed_tables import classified, publish_table
from tests.harness.processes.drift_log import monitor
from tests.harness.processes.steps import Steps
from tests.harness.stack.waiting import wait_until


class Log:
    """A prediction log with true values, as the api writes both."""

    def __init__(self, connection: psycopg2.extensions.connection) -> None:
        self._cursor = connection.cursor()

    def answer(self, version: int, **columns: object) -> str:
        """Log an answer of `version`; return its id."""
        prediction, milliseconds = new_prediction_id()
        row = {"input_data": [], "prediction": [], "confidence": [], "intervals": None} | columns
        names = ", ".join(row)
        self._cursor.execute(
            f'INSERT INTO predictions (id, "timestamp", model_version, cached, request_id, latency, {names})'  # noqa: S608
            f" VALUES (%s, to_timestamp(%s / 1000.0), %s, false, 'r', 0.1{', %s' * len(row)})",
            [
                prediction,
                milliseconds,
                version,
                *(None if value is None else json.dumps(value) for value in row.values()),
            ],
        )
        return prediction

    def truth(self, prediction: str, *revisions: list[object], hours_ago: float = 0.0) -> None:
        """Add true values; later ones correct earlier ones."""
        for revision, actual in enumerate(revisions, 1):
            self._cursor.execute(
                "INSERT INTO feedback VALUES (%s, %s, %s, now() - make_interval(secs => %s))",
                [prediction, revision, json.dumps(actual), hours_ago * 3600],
            )


@pytest.fixture
def log(log_url: str) -> Iterator[Log]:
    """An empty log."""
    with closing(psycopg2.connect(log_url)) as connection:
        connection.autocommit = True
        yield Log(connection)


def measured(log_url: str, store: ModelStore) -> dict[int, LiveError]:
    """Return the live error by version, with true values of the last hour."""
    return {each.model_version: each for each in live_errors(read_truths(log_url, 1.0), store)}


def test_numbers_are_measured_by_version(log: Log, log_url: str, trained: Steps) -> None:
    """RMSE, MAE and the intervals' coverage, over all rows of all requests, beside the hold-out's."""
    errors = np.random.default_rng(1).normal(size=(40, 2))
    for first, second in errors.tolist():
        answered = log.answer(1, prediction=[5.0, 7.0], intervals=[[4.0, 6.0], [6.0, 8.0]])
        log.truth(answered, [5.0 + first, 7.0 + second])
    log.truth(log.answer(9, prediction=[1.0], intervals=[[0.0, 2.0]]), [3.0])

    found = measured(log_url, ModelStore(trained.model_dir))

    assert found[1].rows == 80
    assert found[1].measures == pytest.approx(
        {
            "rmse": np.sqrt(np.mean(errors**2)),
            "mae": np.mean(np.abs(errors)),
            "coverage": np.mean(np.abs(errors) <= 1),
        }
    )
    store = ModelStore(trained.model_dir)
    coverage = store.evaluation(1).metrics["coverage"]
    assert 0.5 < coverage <= 1.0
    assert found[1].holdout == {
        "rmse": store.verified(1).metrics["rmse"],
        "mae": store.verified(1).metrics["mae"],
        "coverage": coverage,
    }
    assert (found[9].measures["rmse"], found[9].measures["coverage"], found[9].holdout) == (2.0, 0.0, {})


def test_the_newest_correction_counts_and_old_truths_do_not(log: Log, log_url: str, tmp_path: Path) -> None:
    """null is not known; a true value of another kind is counted as unusable."""
    interval = [[0.0, 2.0]]
    log.truth(log.answer(1, prediction=[1.0], intervals=interval), [99.0], [1.5])
    log.truth(log.answer(1, prediction=[1.0], intervals=interval), [50.0], hours_ago=2)
    log.truth(log.answer(1, prediction=[1.0, 1.0], intervals=interval * 2), [None, "yes"])

    found = measured(log_url, ModelStore(tmp_path))

    assert (found[1].rows, found[1].unusable, found[1].measures["rmse"]) == (1, 1, 0.5)


@pytest.mark.parametrize("labels", [("no", "yes"), (False, True), (0, 1)])
def test_classes_are_measured_as_scikit_learn_does(
    log: Log, log_url: str, tmp_path: Path, labels: tuple[str | bool | int, ...]
) -> None:
    """Log loss and accuracy, the sets' coverage, and how far the confidence exceeds the accuracy."""
    random = np.random.default_rng(2)
    chances, actual = random.uniform(0.05, 0.95, 50), random.integers(2, size=50)
    keys = [json.dumps(label).strip('"') for label in labels]
    for chance, true in zip(chances.tolist(), actual.tolist(), strict=True):
        answered = log.answer(
            2,
            prediction=[labels[chance > 0.5]],
            probabilities=[dict(zip(keys, (1 - chance, chance), strict=True))],
            prediction_sets=[
                [label for label, p in zip(labels, (1 - chance, chance), strict=True) if p > 0.3]
            ],
        )
        log.truth(answered, [labels[true]])
    log.truth(
        log.answer(2, prediction=[labels[0]], probabilities=[{keys[0]: 1.0}], prediction_sets=[[]]), ["?"]
    )

    found = measured(log_url, ModelStore(tmp_path))[2]

    accuracy = accuracy_score(actual, chances > 0.5)
    assert (found.rows, found.unusable) == (50, 1)
    assert found.measures == pytest.approx(
        {
            "log_loss": log_loss(actual, chances),
            "accuracy": accuracy,
            "coverage": np.mean(np.where(actual == 1, chances, 1 - chances) > 0.3),
            "overconfidence": np.mean(np.maximum(chances, 1 - chances)) - accuracy,
        }
    )


def test_classes_stand_beside_the_coverage_and_calibration_of_the_hold_out(
    log: Log, log_url: str, tmp_path: Path
) -> None:
    """The quality gate has measured them; a version of an earlier release has the manifest's figures only."""
    store, table = ModelStore(tmp_path), classified(classes=2)
    species = Column(name="species", kind="category", categories=("ant", "bee"))
    version = publish_table(store, table, species, "sklearn.ensemble.RandomForestClassifier")
    log.truth(
        log.answer(
            version, prediction=["ant"], probabilities=[{"ant": 0.9, "bee": 0.1}], prediction_sets=[["ant"]]
        ),
        ["ant"],
    )
    before = measured(log_url, store)[version].holdout
    manifest = store.verified(version)
    comparison = compare_on_holdout(store, version, table.copy(), manifest.provenance.data, 0.05)

    store.record(version, comparison.evaluation)

    holdout = comparison.holdout
    answers = load_model(store.path(version)).classify(np.ascontiguousarray(holdout.x))
    actual = holdout.y.astype(int)
    assert before == {name: manifest.metrics[name] for name in ("log_loss", "accuracy")}
    assert store.verified(version).digest == manifest.digest
    assert measured(log_url, store)[version].holdout == pytest.approx(
        before
        | {
            "coverage": answers.members[np.arange(len(actual)), actual].mean(),
            "overconfidence": answers.probabilities.max(axis=1).mean() - (answers.likeliest == actual).mean(),
        }
    )


def test_the_monitor_shows_it(log: Log, log_url: str, trained: Steps) -> None:
    """As metrics, and on its page."""
    log.truth(log.answer(1, prediction=[5.0], intervals=[[4.0, 6.0]]), [5.5])

    with monitor(log_url, trained.database_url, trained.model_dir) as (_, client):
        wait_until(lambda: 'live_truths{model_version="1"} 1.0' in client.get("/metrics").text, 60, "a check")
        metrics, page = client.get("/metrics").text, client.get("/").text

    assert 'live_error{measure="rmse",model_version="1"} 0.5' in metrics
    assert 'holdout_error{measure="rmse",model_version="1"} ' in metrics
    assert "Version 1: 1 true values" in page
    assert 'holdout_error{measure="coverage",model_version="1"} ' in metrics
