"""Rows of mixed columns: any JSON has an answer or a refusal, and one question has one key."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.prediction.answer import read_answer
from api.prediction.cache import cache_key
from api.prediction.computation import answer_rows
from mlstack.inference.encoding import CellRefused, encode_rows
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from mlstack.web.problems import InvalidInput, MalformedJSON
from mlstack.web.requests import decode_rows
from mlstack.web.rows import Rows, read_rows
from tests.harness.mixed_models import CITIES, HOUSE, publish_flowers, publish_houses, publish_passengers

MOST = 50
PUBLISH = {"houses": publish_houses, "passengers": publish_passengers, "flowers": publish_flowers}

numbers = st.floats(-1e6, 1e6) | st.integers(-1000, 1000)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
houses = st.fixed_dictionaries(
    {
        "area": numbers,
        "city": st.sampled_from(CITIES) | texts,
        "rooms": st.none() | numbers,
        "garden": st.booleans(),
    }
)
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=6), inner, max_size=5),
    max_leaves=12,
)
cells = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9)


@functools.cache
def model(name: str) -> LoadedModel:
    """Return a published model, as a server loads it."""
    with tempfile.TemporaryDirectory() as directory:
        store = ModelStore(Path(directory))
        return load_model(store.path(PUBLISH[name](store)))


def read(name: str, instances: object) -> Rows:
    """Return the rows that the model is asked for by this body."""
    return read_rows(decode_rows(json.dumps({"instances": instances}).encode(), MOST), model(name), MOST)


def key_of(rows: Rows) -> bytes:
    """Return the cache key of rows."""
    return cache_key("a" * 64, len(rows.encoded), rows.encoded.tobytes())


@settings(deadline=None)
@given(st.lists(houses, min_size=1, max_size=5), st.randoms())
def test_rows_by_name_and_by_position_are_one_question(houses: list[dict[str, Any]], random: Any) -> None:
    """In whatever order the names come: the same key, the same answer, the same text in the log."""
    shuffled = [dict(random.sample([*house.items()], len(house))) for house in houses]

    by_name = read("houses", shuffled)
    by_position = read("houses", [[house[column.name] for column in HOUSE] for house in houses])

    assert key_of(by_name) == key_of(by_position)
    assert by_name.sent == by_position.sent
    assert json.loads(by_name.sent or "") == [[house[column.name] for column in HOUSE] for house in houses]


@pytest.mark.parametrize("name", PUBLISH)
@pytest.mark.parametrize("values", [anything, st.lists(st.lists(cells, min_size=2, max_size=4), max_size=3)])
def test_any_json_is_answered_or_refused(name: str, values: st.SearchStrategy[Any]) -> None:
    """By a problem: whatever else were raised would be a server error."""

    @settings(deadline=None, max_examples=150)
    @given(values)
    def check(instances: Any) -> None:
        try:
            rows = read(name, instances)
            answer = answer_rows(model(name), rows.encoded)
        except (InvalidInput, MalformedJSON):
            return
        members = json.loads(f"{{{answer.members}}}", parse_constant=pytest.fail)
        assert len(members["predictions"]) == len(rows.encoded)

    check()


@settings(deadline=None)
@given(st.lists(houses, min_size=1, max_size=5))
def test_a_cached_answer_is_the_answer(houses: list[dict[str, Any]]) -> None:
    """Read from the members that the cache holds; it is no longer than it was counted."""
    answer = answer_rows(model("houses"), read("houses", houses).encoded)

    assert read_answer(answer.members.encode()) == answer
    assert len(answer.members) <= 100 + len(houses) * model("houses").answer_bytes


@pytest.mark.parametrize("name", ["passengers", "flowers"])
def test_a_cached_classification_is_the_classification(name: str) -> None:
    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.tuples(st.floats(0, 1e6), st.sampled_from([0.0, 1.0])), min_size=1, max_size=5))
    def check(pairs: list[tuple[float, float]]) -> None:
        rows = np.array([[first, second, 1.0][: model(name).n_features] for first, second in pairs])
        answer = answer_rows(model(name), rows)

        assert read_answer(answer.members.encode()) == answer
        assert len(answer.members.encode()) <= 100 + len(rows) * model(name).answer_bytes

    check()


@settings(deadline=None)
@given(st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=4))
def test_each_cell_is_encoded_as_the_table_is(rows: list[tuple[Any, ...]]) -> None:
    """Number itself, boolean 0 or 1, category its position or -1, NULL NaN; or the first misfit is named."""
    expected = [[_code(n, cell) for n, cell in enumerate(row)] for row in rows]

    misfits = [(n, number) for n in range(4) for number, row in enumerate(expected, 1) if row[n] is None]

    if not misfits:
        found = encode_rows(HOUSE, rows)
        np.testing.assert_array_equal(found, np.array(expected, dtype=np.float64))
        return
    with pytest.raises(CellRefused) as refused:
        encode_rows(HOUSE, rows)
    column, number = misfits[0]
    assert str(refused.value).startswith(f"column {HOUSE[column].name}: expected ")
    assert str(refused.value).endswith(f"in row {number}")


def _code(position: int, cell: Any) -> float | None:
    """Return the code of a cell as the documentation of the columns has it, None where it does not fit."""
    kind, boolean = HOUSE[position].kind, isinstance(cell, bool)
    if cell is None:
        return float("nan") if HOUSE[position].nullable else None
    if kind == "boolean":
        return float(cell) if boolean else None
    if kind == "category":
        fits = isinstance(cell, str) and "\0" not in cell
        return float(CITIES.index(cell) if cell in CITIES else -1) if fits else None
    fits = isinstance(cell, int | float) and not boolean and abs(cell) < float("inf")
    return float(cell) if fits else None
