"""The rows that a model is asked for: arranged in the order of its columns, checked and encoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from mlstack.inference.encoding import Cell, CellRefused, encode_rows
from mlstack.inference.loaded_model import LoadedModel
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
    return encode(arrange(asked.elements, model.features), model, max_rows)


def encode(rows: Sequence[Sequence[Cell]], model: LoadedModel, max_rows: int) -> Rows:
    """Return rows of one value per column as `model` takes them; raise InvalidInput."""
    if not rows:
        raise InvalidInput(f"{_shape(model.features)}; got none")
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


def arrange(elements: Elements, names: Sequence[str]) -> list[Sequence[Cell]]:
    """Return a list for each row, in the order of the columns' names."""
    nested = [isinstance(element, list | dict) for element in elements]
    if not any(nested):  # values: a row, or with one column a row each
        flat: list[Cell] = list(elements)  # type: ignore[arg-type]
        elements = [[cell] for cell in flat] if len(names) == 1 else [flat] if flat else []
    elif not all(nested):
        raise InvalidInput(f"{_shape(names)}; got rows and single values in one list")
    return [_row(number, element, names) for number, element in enumerate(elements, 1)]


def _row(number: int, element: Element, names: Sequence[str]) -> Sequence[Cell]:
    if isinstance(element, dict):
        try:
            row = [element[name] for name in names]
        except KeyError as missing:
            name = missing.args[0]
            raise InvalidInput(f"{_shape(names)}; column {name} is missing in row {number}") from None
        if len(element) != len(names):
            unknown = next(iter(element.keys() - set(names)))[:_SHOWN_CHARACTERS]
            raise InvalidInput(f"{_shape(names)}; there is no column {unknown}, as in row {number}")
        return row
    assert isinstance(element, list)
    if len(element) != len(names):
        raise InvalidInput(f"{_shape(names)}; got {len(element)} in row {number}")
    return element


def _shape(names: Sequence[str]) -> str:
    """Return the sentence that names the shape a model of these columns takes."""
    shown = ", ".join([*names[:_SHOWN_NAMES], *(["…"] if len(names) > _SHOWN_NAMES else [])])
    return f"expected rows of {len(names)} values, as lists or by name: {shown}"
