"""The demonstration data of "Multi-Container Data Pipeline Project": the same every time, for any size."""

from __future__ import annotations

import numpy as np
import pytest

from mlstack.data.generation import Generation, generate
from mlstack.runtime.arrays import FloatArray


def _table(generation: Generation) -> FloatArray:
    return np.concatenate(list(generate(generation)))


def test_100_rows_of_2x_plus_1_with_the_noise_asked_for() -> None:
    table = _table(Generation())

    noise = table[:, 1] - (2 * table[:, 0] + 1)
    assert table.shape == (100, 2)
    assert (table[0, 0], table[-1, 0]) == (0.0, 20.0)
    assert 0.4 < noise.std() < 0.6
    assert abs(noise.mean()) < 0.15


def test_the_same_settings_give_the_same_rows_and_another_seed_others() -> None:
    assert np.array_equal(_table(Generation()), _table(Generation()))
    assert not np.array_equal(_table(Generation()), _table(Generation(seed=1)))


@pytest.mark.parametrize("rows", [1, 65_536, 65_537, 200_000])
def test_any_number_of_rows_in_chunks_of_bounded_size(rows: int) -> None:
    chunks = list(generate(Generation(rows=rows)))

    x = np.concatenate(chunks)[:, 0]
    assert sum(map(len, chunks)) == rows
    assert max(map(len, chunks)) <= 65_536
    assert (np.diff(x) > 0).all()
    np.testing.assert_allclose(x, np.linspace(0, 20, rows), atol=1e-12)


def test_several_features_all_count() -> None:
    table = _table(Generation(features=("a", "b", "c"), rows=1000, noise=0.0))

    np.testing.assert_allclose(table[:, -1], 2 * table[:, :-1].sum(axis=1) + 1)
    assert np.linalg.matrix_rank(table[:, :-1]) == 3


def test_every_setting_is_in_the_tables_comment() -> None:
    others = [
        Generation(),
        Generation(rows=101),
        Generation(low=1.0),
        Generation(high=21.0),
        Generation(noise=0.6),
        Generation(seed=1),
        Generation(features=("z",)),
        Generation(target="z"),
    ]

    assert len({generation.comment for generation in others}) == len(others)
