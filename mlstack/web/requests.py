"""Decodes a request's body for models of any columns; rows are lists, or objects by the columns' names.

Numbers alone are decoded by instances.py. What it refuses is decoded here, if it is JSON: rows with text,
true, false and null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from mlstack.inference.encoding import Cell
from mlstack.web.bodies import decode_json
from mlstack.web.instances import FIELDS, MEMBERS, Version, decode_request, only_list
from mlstack.web.problems import InvalidInput, Problem

Element = Cell | Sequence[Cell] | Mapping[str, Cell]
Elements = Sequence[Element]
_Elements = list[Cell | list[Cell] | dict[str, Cell]]


class _MixedRequest(msgspec.Struct):
    values: _Elements | None = None
    features: _Elements | None = None
    instances: _Elements | None = None
    model_version: Version | None = None


class Asked(NamedTuple):
    """A decoded body; `refusal` is the problem if the model takes nothing but numbers in lists."""

    elements: Elements
    model_version: int | None
    refusal: Problem | None = None


_decode_numbers = msgspec.json.Decoder(list[list[float]]).decode
_decode_cells = msgspec.json.Decoder(list[list[Cell]]).decode
_decoder = msgspec.json.Decoder(_MixedRequest)


def decode_rows(body: bytes, max_rows: int) -> Asked:
    """Parse a body; raise MalformedJSON or InvalidInput, each naming what was expected."""
    try:
        request = decode_request(body, max_rows)
    except InvalidInput as refusal:
        mixed = _decode_mixed(body, max_rows, refusal)
        return Asked(only_list(mixed.values, mixed.features, mixed.instances), mixed.model_version, refusal)
    return Asked(request.rows(), request.model_version)


def decode_stored(rows: bytes) -> Asked:
    """Return rows that were accepted earlier, a JSON list for each, so that a model can be asked."""
    try:
        return Asked(_decode_numbers(rows), None)
    except msgspec.ValidationError as error:
        return Asked(_decode_cells(rows), None, InvalidInput(f"expected rows of numbers: {error}"))


def _decode_mixed(body: bytes, max_rows: int, refusal: InvalidInput) -> _MixedRequest:
    """Parse a body that the strict decoder has refused; if both refuse the same place, raise its refusal."""
    expected = f"an object with {FIELDS}, a list of at most {max_rows} rows: lists, or objects by column name"
    try:
        return decode_json(_decoder, body, expected, max_rows + len(MEMBERS) + 1, objects=True)
    except InvalidInput as mixed:
        raise refusal if _place(mixed) == _place(refusal) else mixed from None


def _place(problem: Problem) -> str:
    """Return where in the body the problem is, or what it is if that is not known."""
    _, at, place = problem.detail.rpartition(" - at ")
    return place if at else problem.detail.rpartition(": ")[2]
