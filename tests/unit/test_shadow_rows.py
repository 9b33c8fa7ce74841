"""Rows that one version has answered, as another one takes them; and what waits to be scored is bounded."""

from __future__ import annotations

import json
from typing import Any, cast

import numpy as np
import pytest

from api import metrics
from api.challengers.rows import Translation
from api.challengers.waiting import Waiting
from api.prediction.identifiers import Identity, new_prediction_id
from api.prediction.pending import PendingPrediction, Respondent
from mlstack.inference.encoding import encode_rows
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.columns import Column
from tests.harness.processes.tried_versions import volume_of_lines

AREA = Column(name="area", kind="number")
GARDEN = Column(name="garden", kind="boolean", nullable=True)
CITY = Column(name="city", kind="category", categories=("Hanoi", "Lima"))
MORE_CITIES = Column(name="city", kind="category", categories=("Athens", "Lima", "Oslo"))
ROWS: list[list[Any]] = [[120.0, "Lima", None], [80.0, "Oslo", True], [60.0, "Hanoi", False]]


def translated(served: list[Column], other: list[Column], rows: list[list[Any]], sent: bool = True) -> Any:
    """Return the rows as the other version gets them."""
    content = encode_rows(served, rows).tobytes()
    found = Translation(served, other).content(content, json.dumps(rows) if sent else None)
    return None if found is None else np.frombuffer(found).reshape(-1, len(other))


def test_the_same_columns_need_no_copy() -> None:
    content = encode_rows([AREA, CITY], [[1.0, "Lima"]]).tobytes()

    assert Translation([AREA, CITY], [AREA, CITY]).content(content, None) is content


def test_a_category_that_only_the_other_version_knows_is_taken_from_what_was_sent() -> None:
    """Encoded for the version that has answered it is as unseen as any other."""
    found = translated([AREA, CITY, GARDEN], [MORE_CITIES, AREA], ROWS)

    assert found.tolist() == [[1.0, 120.0], [2.0, 80.0], [-1.0, 60.0]]


def test_fewer_columns_are_taken_by_their_names() -> None:
    found = translated([AREA, CITY, GARDEN], [GARDEN, AREA], ROWS, sent=False)

    assert found[:, 1].tolist() == [120.0, 80.0, 60.0]
    assert np.isnan(found[0, 0])
    assert found[1:, 0].tolist() == [1.0, 0.0]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A line with one column."""
    store = volume_of_lines(tmp_path_factory.mktemp("shadow") / "models", 2.0)
    return load_model(store.path(1))


def asked(model: LoadedModel, rows: int, sent: str | None = None) -> PendingPrediction:
    identity = Identity(new_prediction_id(), "request")
    pending = PendingPrediction(identity, model, bytes(8 * rows), 0.0, cast("Respondent", None))
    pending.sent = sent
    return pending


def dropped() -> float:
    return next(iter(metrics.shadow_rows["dropped"].collect())).samples[0].value


def taking(model: LoadedModel, share: float = 1.0) -> Waiting:
    waiting = Waiting(share)
    waiting.answered_by = model.digest
    return waiting


@pytest.mark.parametrize(
    ("requests", "rows", "sent", "kept"),
    [(3000, 1, None, 2048), (30, 1000, None, 20), (30, 1, "x" * (1 << 20), 7)],
    ids=["requests", "rows", "bytes"],
)
def test_what_waits_is_bounded(
    model: LoadedModel, requests: int, rows: int, sent: str | None, kept: int
) -> None:
    """By requests, rows and bytes; the rest is dropped and counted."""
    waiting, before = taking(model), dropped()
    for _ in range(requests):
        waiting.offer([asked(model, rows, sent)], 0)

    taken = waiting.take(10_000, 10_000_000)

    assert len(taken) == kept
    assert dropped() - before == (requests - kept) * rows
    waiting.offer([asked(model, rows, sent)], 0)  # there is room again
    assert len(waiting.take(1, 1)) == 1


def test_while_many_wait_for_their_answers_nothing_is_taken(model: LoadedModel) -> None:
    waiting, before = taking(model), dropped()

    waiting.offer([asked(model, 2), asked(model, 3)], 257)

    assert waiting.take(10, 10) == []
    assert dropped() - before == 5


def test_a_share_of_the_requests_is_taken(model: LoadedModel) -> None:
    waiting = taking(model, 0.25)

    waiting.offer([asked(model, 1) for _ in range(2000)], 0)

    assert 400 <= len(waiting.take(5000, 5000)) <= 600  # 500 ± 5 standard deviations


def test_what_another_version_has_answered_is_not_taken(model: LoadedModel) -> None:
    """A version that the client has asked for, the canary, or the one before a promotion."""
    waiting = Waiting(1.0)
    waiting.answered_by = "of another version"

    waiting.offer([asked(model, 1)], 0)

    assert waiting.take(10, 10) == []


def test_a_round_takes_at_least_one_request_and_then_what_fits(model: LoadedModel) -> None:
    waiting = taking(model)
    waiting.offer([asked(model, rows) for rows in (500, 100, 100, 100)], 0)

    assert [[each.n_rows for each in waiting.take(2, 200)] for _ in range(3)] == [[500], [100, 100], [100]]
