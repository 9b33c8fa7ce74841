"""The load that recomputes answers: it finds what is of another version, whole or in part."""

from __future__ import annotations

import pytest

from tests.harness.stack.checked_load import Outcome, is_of

MODELS = {1: {"x": 2.0, "intercept": 1.0}, 2: {"x": 2.001, "intercept": 1.0}}


@pytest.mark.parametrize(
    ("server", "predictions", "version", "found"),
    [
        ("api", [5.0, 9.0], 1, True),
        ("api", [5.0, 9.0], 2, False),
        ("api", [5.0, 9.004], 1, False),
        ("api", [5.0], 1, False),
        ("model-serve", [[5.0], [9.0]], 1, True),
        ("model-serve", [[5.002], [9.004]], 2, True),
        ("model-serve", [[5.0], [9.004]], 2, False),
    ],
)
def test_every_row_must_be_of_the_version_that_is_named(
    server: str, predictions: list[object], version: int, found: bool
) -> None:
    body = {"predictions": predictions, "model_version": version}

    assert is_of(Outcome(server, 0.0, [[2.0], [4.0]], 200, body), MODELS) == found
