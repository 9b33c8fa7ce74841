"""Reads true values from a body: JSON, or CSV with a line for each row."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from itertools import groupby
from uuid import UUID

import msgspec

from api.feedback.schemas import Entry, Truth, Value
from mlstack.web.bodies import check_json, decode_json, media_type_of
from mlstack.web.problems import InvalidInput, MalformedJSON, UnsupportedMediaType

CSV = "text/csv"
_HEADER = ["id", "actual"]
_EXPECTED = 'an object such as {"id": "…", "actual": [11.3]}, or a list of at most %d of them'
_WORDS: dict[str, Value] = {"": None, "true": True, "false": False}
_decoder = msgspec.json.Decoder(Truth | list[Truth])


def read_entries(body: bytes, content_type: str, most: int) -> tuple[list[Entry], bool]:
    """Return the entries, and whether the body is a single object; raise a Problem."""
    if media_type_of(content_type) == CSV:
        return _checked([*_of_csv(body)], most), False
    try:
        check_json(content_type)
    except UnsupportedMediaType:
        raise UnsupportedMediaType(
            f"expected Content-Type: application/json or {CSV}, got {content_type or 'none'}"
        ) from None
    found = decode_json(_decoder, body, _EXPECTED % most, 2 * most + 1)
    if isinstance(found, Truth):
        return [found.entry()], True
    return _checked([truth.entry() for truth in found], most), False


def _checked(entries: list[Entry], most: int) -> list[Entry]:
    if not 0 < len(entries) <= most:
        raise InvalidInput(f"expected 1 to {most} predictions in one request; got {len(entries)}")
    if len({entry.id for entry in entries}) < len(entries):
        raise InvalidInput("expected each id once in one request: two entries have no order")
    return entries


def _of_csv(body: bytes) -> Iterator[Entry]:
    """Yield an entry for each run of lines with the same id."""
    try:
        lines = csv.reader(body.decode("utf-8-sig").splitlines(), strict=True)
        if next(lines, None) != _HEADER:
            raise InvalidInput(f"expected CSV with the header {','.join(_HEADER)}")
        for name, rows in groupby(_cells(lines), key=lambda cells: cells[0]):
            yield Truth(_uuid(name), [_value(text) for _, text in rows]).entry()
    except UnicodeDecodeError:
        raise MalformedJSON("expected CSV in UTF-8") from None
    except csv.Error as error:
        raise MalformedJSON(f"the body is not valid CSV: {error}") from None


def _cells(lines: Iterable[list[str]]) -> Iterator[list[str]]:
    for number, cells in enumerate(lines, 2):
        if cells and len(cells) != len(_HEADER):
            raise InvalidInput(f"expected an id and a value in line {number}; got {len(cells)} cells")
        if cells:
            yield cells


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(f"expected the id of a prediction; got {text[:40]!r}") from None


def _value(text: str) -> Value:
    if text in _WORDS:
        return _WORDS[text]
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        raise InvalidInput(f"expected finite numbers; got {text[:40]!r}")
    return number
