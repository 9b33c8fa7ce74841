"""Least squares from streamed statistics: the fit of all rows, in any order and however badly scaled."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from mlstack.registry.intervals import LeastSquaresInterval
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused
from mlstack.training.config import TrainingConfig
from mlstack.training.regressor import metrics
from mlstack.training.splitting import is_held_out, row_hashes
from mlstack.training.statistics import measure, no_rows
from mlstack.training.streamed import train_streamed
from mlstack.training.streaming import Sample, StreamedTable

_FEATURES = ("a", "b", "c")


def _rows(centre: float = 5.0, spread: float = 1.0, rows: int = 40_000) -> FloatArray:
    random = np.random.default_rng(3)
    x = random.normal(centre, spread, size=(rows, 3)) * [1.0, 0.1, 10.0]
    return np.column_stack([x, x @ [2.0, -30.0, 0.1] + 1 + random.normal(0, 0.5, rows)])


def _streamed(table: FloatArray, block: int = 7001) -> StreamedTable:
    streamed = StreamedTable(table.shape[1], 0.2)
    for start in range(0, len(table), block):
        streamed.add(np.ascontiguousarray(table[start : start + block]))
    return streamed


def _split(table: FloatArray) -> tuple[FloatArray, FloatArray]:
    held_out = is_held_out(row_hashes(table), 0.2)
    return table[~held_out], table[held_out]


@pytest.mark.parametrize(
    ("centre", "spread"), [(0.0, 1.0), (1e6, 1.0), (1e8, 1e-1)], ids=["centred", "far", "very far"]
)
def test_badly_conditioned_rows_give_the_exact_fit_as_closely_as_scikit_learn(
    centre: float, spread: float
) -> None:
    table = _rows(centre, spread)
    training, _ = _split(table)
    exact = _exact_slopes(training)
    plain = LinearRegression().fit(training[:, :-1], training[:, -1]).coef_

    _, manifest = train_streamed(_streamed(table), TrainingConfig(_FEATURES), "digest", "t")

    found = np.array([manifest.coefficients[name] for name in _FEATURES])
    assert np.abs(found / exact - 1).max() < np.abs(plain / exact - 1).max() + 1e-12


def _exact_slopes(training: FloatArray) -> FloatArray:
    """Return the slopes from scaled, centred rows in extended precision."""
    rows = training.astype(np.longdouble)
    rows -= rows.mean(axis=0)
    scale = np.sqrt((rows * rows).sum(axis=0))
    scatter = ((rows / scale).T @ (rows / scale)).astype(np.float64)
    slopes = np.linalg.solve(scatter[:-1, :-1], scatter[:-1, -1])
    return np.asarray(slopes * (scale[-1] / scale[:-1]).astype(np.float64))


def test_the_metrics_are_those_of_all_hold_out_rows() -> None:
    table = _rows()
    training, holdout = _split(table)

    estimator, manifest = train_streamed(_streamed(table), TrainingConfig(_FEATURES), "digest", "t")

    errors = holdout[:, -1] - estimator.predict(holdout[:, :-1])
    assert manifest.metrics == pytest.approx(metrics(errors, holdout[:, -1], float(training[:, -1].mean())))
    assert manifest.provenance.split == "hashed"
    assert manifest.provenance.rows == len(table)
    residual = training[:, -1] - estimator.predict(training[:, :-1])
    assert isinstance(manifest.interval, LeastSquaresInterval)
    assert manifest.interval.residual_variance == pytest.approx(residual @ residual / (len(training) - 4))


def test_blocks_of_any_size_give_the_statistics_of_all_rows() -> None:
    table = _rows(1e6)
    whole = measure(table)

    for block in (1, 33, 40_000):
        part, statistics = table[: 50 * block], no_rows(4)
        for start in range(0, len(part), block):
            statistics = statistics.with_rows(part[start : start + block])
        whole = measure(part)
        np.testing.assert_allclose(statistics.mean, whole.mean, rtol=1e-12)
        np.testing.assert_allclose(np.abs(statistics.root), np.abs(whole.root), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.9])
def test_the_hash_holds_out_the_given_share_of_evenly_spaced_rows(fraction: float) -> None:
    x = np.linspace(0, 20, 100_000)

    held_out = is_held_out(row_hashes(np.column_stack([x, 2 * x + 1])), fraction)

    deviation = np.sqrt(fraction * (1 - fraction) / len(x))
    assert held_out.mean() == pytest.approx(fraction, abs=5 * deviation)
    halves = held_out[: len(x) // 2].mean(), held_out[len(x) // 2 :].mean()
    assert halves == pytest.approx((fraction, fraction), abs=7 * deviation)


def test_the_side_of_a_row_depends_on_nothing_but_the_row() -> None:
    table = _rows(rows=1000)
    order = np.random.default_rng(1).permutation(1000)

    np.testing.assert_array_equal(row_hashes(table)[order], row_hashes(np.ascontiguousarray(table[order])))


def test_a_sample_is_the_same_in_any_order_and_bounded() -> None:
    table = _rows(rows=5000)
    samples: list[FloatArray] = []
    for rows in (table, np.ascontiguousarray(table[::-1])):
        sample = Sample(4, 100)
        for start in range(0, 5000, 130):
            block = rows[start : start + 130]
            sample.add(block, row_hashes(block))
        samples.append(sample.rows())

    assert samples[0].shape == (100, 4)
    np.testing.assert_array_equal(samples[0], samples[1])


def test_a_constant_target_is_refused() -> None:
    table = _rows(rows=1000)
    table[:, -1] = 0.1

    with pytest.raises(TrainingRefused, match="nothing to learn"):
        train_streamed(_streamed(table), TrainingConfig(_FEATURES), "digest", "t")


def test_rows_that_are_all_equal_are_refused() -> None:
    with pytest.raises(TrainingRefused, match="too much alike"):
        train_streamed(_streamed(np.ones((1000, 4))), TrainingConfig(_FEATURES), "digest", "t")
