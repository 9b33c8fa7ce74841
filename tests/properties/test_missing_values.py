"""pandas' NaN in a body of MLflow's client is NULL, and a text stays the text that it is."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from api.mlflow_scoring.json_body import read_json
from mlstack.registry.columns import Column

COLUMNS = (
    Column(name="number", kind="number", nullable=True),
    Column(name="text", kind="category", categories=("a",)),
)
_texts = st.one_of(st.text(), st.text(alphabet='\\\\"Na,\n\x01'))
_numbers = st.one_of(st.just(math.nan), st.integers(-9, 9))


@given(st.lists(st.tuples(_numbers, _texts), min_size=1), st.booleans())
def test_a_missing_number_is_null_and_texts_are_kept(rows: list[tuple[float, str]], ascii_only: bool) -> None:
    frame = {"columns": ["number", "text"], "data": rows}

    body = json.dumps({"dataframe_split": frame}, ensure_ascii=ascii_only).encode()

    expected = [[None if math.isnan(number) else number, text] for number, text in rows]
    assert read_json(body, COLUMNS, 10_000) == expected
