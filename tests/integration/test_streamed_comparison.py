"""The quality gate on a table that is streamed: both versions' metrics are those of all hold-out rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as reference

from mlstack.data.database import connected
from mlstack.data.generation import Generation
from mlstack.data.loading import load
from mlstack.data.reading import data_digest, read_table
from mlstack.evaluation.report import write_report
from mlstack.evaluation.streamed_comparison import compare_streamed
from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import TrainingConfig
from mlstack.training.splitting import is_held_out, row_hashes
from mlstack.training.streamed import train_streamed
from mlstack.training.streaming import StreamedTable
from mlstack.training.train import publish
from tests.harness.model_versions import promote


def _publish(store: ModelStore, table: FloatArray) -> int:
    """Train on a streamed table, publish the version as the latest; return its number."""
    rows = StreamedTable(2, 0.2)
    rows.add_table(table)
    digest = data_digest(table, "linear_data", ("x", "y"))
    version = publish(store, *train_streamed(rows, TrainingConfig(), digest, "linear_data"))
    store.set_latest(version)
    return version


def test_the_former_versions_metrics_are_those_of_all_rows(database_url: str, tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    with connected(database_url) as connection:
        load(connection, Generation(rows=150_000))
        table = read_table(connection, "linear_data", ("x", "y"))
        former = table.copy()
        former[:, -1] += 3
        promote(store, _publish(store, former))
        version = _publish(store, table)

        comparison = compare_streamed(store, version, connection, 0.05)
        write_report(comparison, store.path(version))

    held_out = table[is_held_out(row_hashes(table), 0.2)]
    found, actual = load_model(store.path(1)).predict(held_out[:, :1].copy()), held_out[:, 1]
    evaluation = comparison.evaluation
    assert (evaluation.verdict, evaluation.current_version) == ("promoted", 1)
    assert evaluation.current_rows == evaluation.rows == len(held_out)
    assert evaluation.current_metrics == pytest.approx(
        {
            "mse": reference.mean_squared_error(actual, found.values),
            "rmse": reference.root_mean_squared_error(actual, found.values),
            "mae": reference.mean_absolute_error(actual, found.values),
            "r2": reference.r2_score(actual, found.values),
            "coverage": np.mean((found.lower <= actual) & (actual <= found.upper)),
            "interval_width": np.mean(found.upper - found.lower),
        },
        rel=1e-9,
    )
    assert evaluation.metrics["coverage"] == pytest.approx(0.95, abs=0.01)
    page = (store.path(version) / "report.html").read_text("utf-8")
    assert f"{evaluation.current_metrics['mae']:.6g}" in page
