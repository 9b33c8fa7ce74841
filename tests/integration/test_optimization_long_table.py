"""The search on a table too long to be held: candidates are compared on a sample of its training rows."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import psycopg2
import pytest

from mlstack.data.database import connected
from mlstack.registry.store import ModelStore
from mlstack.training.config import TrainingConfig
from mlstack.training.input import TrainingInput, read_training_input
from mlstack.training.streamed import train_on
from mlstack.training.streaming import StreamedTable
from mlstack.training.train import publish
from mlstack.tuning import compared_rows
from mlstack.tuning.search import Gate, optimize

_HELD, _ROWS = 1_000, 6_000
_LINE = TrainingConfig()
_CURVE = TrainingConfig(
    estimator="sklearn.preprocessing.PolynomialFeatures,sklearn.linear_model.LinearRegression"
)
_WEAK = TrainingConfig(estimator="sklearn.linear_model.LogisticRegression", target="kind")
_TREE = TrainingConfig(
    estimator="sklearn.tree.DecisionTreeClassifier", parameters={"max_depth": 4}, target="kind"
)
# A parabola; classes that lie between others of the same name, and one that a sample holds at most once.
_TABLE = """
CREATE TABLE linear_data AS
SELECT x, x * x AS y,
       CASE WHEN n <= 2 THEN 'rare' WHEN floor(x)::int %% 2 = 0 THEN 'even' ELSE 'odd' END AS kind
  FROM (SELECT n, n * 4.0 / %(rows)s AS x FROM generate_series(1, %(rows)s) AS n) AS points
"""


@pytest.fixture
def long_table(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A table that counts as too long to be held; return its database's URL."""
    monkeypatch.setattr(compared_rows, "HELD_ROWS", _HELD)
    with closing(psycopg2.connect(database_url)) as connection, connection:
        connection.cursor().execute(_TABLE, {"rows": _ROWS})
    return database_url


def read(url: str, config: TrainingConfig) -> TrainingInput:
    """Return the table as step 10 reads it."""
    with connected(url, snapshot=True) as connection:
        return read_training_input(connection, "linear_data", config)


@pytest.mark.parametrize("config", [_LINE, _WEAK], ids=["numbers", "classes"])
def test_the_sample_is_of_training_rows_only(long_table: str, config: TrainingConfig) -> None:
    source = compared_rows.read_table_or_sample(long_table, "linear_data", config)

    assert isinstance(source.rows, StreamedTable)
    assert source.digest == read(long_table, config).digest
    compared = compared_rows.compared_rows(source, config)
    n_training = round(_ROWS * (1 - config.test_fraction))
    assert len(compared.table) == pytest.approx(n_training, rel=0.05)
    held_out = source.rows.holdout.sample.rows()
    assert not set(held_out[:, 0]) & set(compared.table[:, 0])
    if config is _WEAK:
        assert set(np.unique(compared.table[:, -1])) <= {0.0, 1.0}


@pytest.mark.parametrize(
    ("configured", "better"), [(_LINE, _CURVE), (_WEAK, _TREE)], ids=["numbers", "classes"]
)
def test_a_better_candidate_is_trained_on_all_rows(
    long_table: str, tmp_path: Path, configured: TrainingConfig, better: TrainingConfig
) -> None:
    store = ModelStore(tmp_path / "models")
    publish(store, *train_on(read(long_table, configured), configured, "linear_data"))
    gate = Gate(long_table, 0.05)

    found, searched = optimize(store, "linear_data", [configured, better], 60.0, gate)
    again, repeated = optimize(store, "linear_data", [configured, better], 60.0, gate)

    assert (searched, repeated) == (True, False)
    assert again == found
    assert found.estimator == better.estimator
    assert found.model_version == 2
    assert store.verified(2).provenance.rows == _ROWS
