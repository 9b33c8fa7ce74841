"""The rows that a model is asked for: arranged in the order of its columns, checked and encoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from mlstack.registry.columns import Column
from mlstack.registry.encoding import Cell, CellRefused, encode_rows
from mlstack.registry.loaded_model import LoadedModel
from mlstack.runtime.arrays import FloatArray
from mlstack.web.classes import check_answer_size
from mlstack.web.instances import to_rows
from mlstack.web.problems import InvalidInput
from mlstack.web.requests import Asked, Element, Elements

_SHOWN_NAMES, _SHOWN_CHARACTERS = 20, 64  # in messages
_encode_json = msgspec.json.Encoder().encode


class Rows(NamedTuple):
    """Encoded rows [n, k]; and as JSON, as they were sent, a list for each, where that says more.

    `named`: their meaning depends on the columns, not on their number alone.
    """

    encoded: FloatArray
    sent: str | None = None
    named: bool = False


def read_rows(asked: Asked, model: LoadedModel, max_rows: int) -> Rows:
    """Return the rows that `model` is asked for; raise InvalidInput naming the column and the row."""
    if model.plain and not _by_name(asked):
        if asked.refusal is not None:
            raise asked.refusal
        rows = Rows(to_rows(asked.elements, model.n_features, max_rows))  # type: ignore[arg-type]
        check_answer_size(model, len(rows.encoded), max_rows)
        return rows
    if len(asked.elements) > max(max_rows, model.n_features):
        raise InvalidInput(f"expected at most {max_rows} rows in one request; got {len(asked.elements)}")
    return encode(_arranged(asked.elements, model.columns), model, max_rows)


def encode(rows: Sequence[Sequence[Cell]], model: LoadedModel, max_rows: int) -> Rows:
    """Return rows of one value per column as `model` takes them; raise InvalidInput."""
    if not rows:
        raise InvalidInput(f"{_shape(model.columns)}; got none")
    if len(rows) > max_rows:
        raise InvalidInput(f"expected at most {max_rows} rows in one request; got {len(rows)}")
    check_answer_size(model, len(rows), max_rows)
    try:
        encoded = encode_rows(model.columns, rows)
    except CellRefused as refused:
        raise InvalidInput(str(refused)) from None
    return Rows(encoded, None if model.plain else _encode_json(rows).decode(), named=True)


def _by_name(asked: Asked) -> bool:
    return asked.refusal is not None and any(isinstance(element, dict) for element in asked.elements)


def _arranged(elements: Elements, columns: Sequence[Column]) -> list[Sequence[Cell]]:
    """Return a list for each row, in the order of the columns."""
    nested = [isinstance(element, list | dict) for element in elements]
    if not any(nested):  # values: a row, or with one column a row each
        flat: list[Cell] = list(elements)  # type: ignore[arg-type]
        elements = [[cell] for cell in flat] if len(columns) == 1 else [flat] if flat else []
    elif not all(nested):
        raise InvalidInput(f"{_shape(columns)}; got rows and single values in one list")
    return [_row(number, element, columns) for number, element in enumerate(elements, 1)]


def _row(number: int, element: Element, columns: Sequence[Column]) -> Sequence[Cell]:
    if isinstance(element, dict):
        try:
            row = [element[column.name] for column in columns]
        except KeyError as missing:
            raise InvalidInput(
                f"{_shape(columns)}; column {missing.args[0]} is missing in row {number}"
            ) from None
        if len(element) != len(columns):
            raise InvalidInput(
                f"{_shape(columns)}; there is no column {_unknown(element, columns)}, as in row {number}"
            )
        return row
    assert isinstance(element, list)
    if len(element) != len(columns):
        raise InvalidInput(f"{_shape(columns)}; got {len(element)} in row {number}")
    return element


def _unknown(element: Mapping[str, Cell], columns: Sequence[Column]) -> str:
    known = {column.name for column in columns}
    return next(name for name in element if name not in known)[:_SHOWN_CHARACTERS]


def _shape(columns: Sequence[Column]) -> str:
    """Return the sentence that names the shape a model of these columns takes."""
    names = [column.name for column in columns[:_SHOWN_NAMES]]
    more = ["…"] if len(columns) > _SHOWN_NAMES else []
    return f"expected rows of {len(columns)} values, as lists or by name: {', '.join(names + more)}"
