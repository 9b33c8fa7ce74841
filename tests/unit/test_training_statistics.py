"""Passes in blocks give what one pass over everything gives."""

from __future__ import annotations

import numpy as np
import pytest

from mlstack.training.statistics import BLOCK_ROWS, blocks, measure, residuals, sum_of_squares


@pytest.mark.parametrize("rows", [5, BLOCK_ROWS - 1, BLOCK_ROWS, 2 * BLOCK_ROWS + 7])
def test_moments_in_blocks_are_those_of_the_whole(rows: int) -> None:
    table = np.random.default_rng(0).normal([1e6, -3.0, 0.0], [1.0, 50.0, 1e-3], size=(rows, 3))

    statistics = measure(table)

    scatter = np.cov(table.T, bias=True) * rows
    np.testing.assert_allclose(statistics.mean, table.mean(axis=0))
    np.testing.assert_allclose(statistics.root.T @ statistics.root, scatter, rtol=1e-7, atol=1e-7)
    assert statistics.target_variance == pytest.approx(table[:, -1].var())


def test_the_points_have_the_moments_of_all_rows() -> None:
    table = np.random.default_rng(0).normal([3.0, -3.0, 8.0], [1.0, 50.0, 2.0], size=(1000, 3))

    points = measure(table).points()

    assert points.shape == (6, 3)
    np.testing.assert_allclose(points.mean(axis=0), table.mean(axis=0))
    np.testing.assert_allclose(np.cov(points.T, bias=True) * 6, np.cov(table.T, bias=True) * 1000)


def test_residuals_in_blocks_are_those_of_the_whole() -> None:
    x = np.random.default_rng(0).normal(size=(BLOCK_ROWS + 3, 2))
    y = x.sum(axis=1) + 1

    errors = residuals(lambda rows: rows[:, 0], x, y)

    np.testing.assert_allclose(errors, x[:, 1] + 1)
    assert sum_of_squares(lambda rows: rows[:, 0], x, y) == pytest.approx(float(errors @ errors))


@pytest.mark.parametrize("rows", [0, 1, BLOCK_ROWS, BLOCK_ROWS + 1])
def test_blocks_cover_every_row_once(rows: int) -> None:
    covered = [index for part in blocks(rows) for index in range(part.start, part.stop)]

    assert covered == list(range(rows))
