"""Rows of mixed_models.publish_houses as tensors of the Open Inference Protocol, right and wrong ones."""

from __future__ import annotations

import struct
from typing import Any

from tests.harness.mixed_models import HOUSE_ROW

ROWS = [HOUSE_ROW, HOUSE_ROW | {"city": "Đà Nẵng", "rooms": 3, "area": 80}]
DATATYPES = {"area": "FP64", "city": "BYTES", "rooms": "FP64", "garden": "BOOL"}


def column(name: str) -> list[Any]:
    return [row[name] for row in ROWS]


def tensors(**changed: Any) -> list[dict[str, Any]]:
    """Return the rows as JSON tensors, with other members for some of them; None leaves a tensor out."""
    inputs = {
        name: {"name": name, "shape": [len(ROWS)], "datatype": datatype, "data": column(name)}
        for name, datatype in DATATYPES.items()
    }
    kept = {name: tensor for name, tensor in inputs.items() if changed.get(name, {}) is not None}
    return [tensor | changed.get(name, {}) for name, tensor in kept.items()]


_COLOUR = {"name": "colour", "shape": [2], "datatype": "FP64", "data": [1, 2]}
WRONG: dict[str, tuple[list[dict[str, Any]], str]] = {
    "missing": (tensors(city=None), "city is missing"),
    "unknown": (
        [*tensors(), {"name": "colour", "shape": [2], "datatype": "FP64", "data": [1, 2]}],
        "no column colour",
    ),
    "another name": (tensors(city={"name": "town"}), "no column town"),
    "twice": (tensors(city={"name": "area"}), "area is there 2 times"),
    "text for a number": (tensors(area={"datatype": "BYTES", "data": ["1", "2"]}), "column area"),
    "numbers for a text": (tensors(city={"datatype": "FP64", "data": [1, 2]}), "column city"),
    "numbers for booleans": (tensors(garden={"datatype": "INT8", "data": [1, 0]}), "column garden"),
    "other data than declared": (tensors(city={"data": [1, 2]}), "input city"),
    "booleans as numbers": (tensors(area={"data": [True, False]}), "input area"),
    "null where there is none": (tensors(area={"data": [1, None]}), "column area"),
    "null text": (tensors(city={"data": ["Oslo", None]}), "column city"),
    "of another length": (tensors(city={"shape": [1], "data": ["Oslo"]}), "one length"),
    "two values a row": (tensors(city={"shape": [1, 2]}), "column city"),
    "ragged": (tensors(city={"data": [["Oslo"], ["Lima", "x"]]}), "input city"),
    "10^400": (tensors(area={"data": [1, 10**400]}), "out of range"),
}


def element(text: bytes, length: int | None = None) -> bytes:
    return struct.pack("<I", len(text) if length is None else length) + text


BINARY: dict[str, bytes] = {
    "nothing": b"",
    "half a length": b"\x04\0",
    "a length alone": element(b"", 4),
    "one element": element(b"Oslo"),
    "a length beyond the data": element(b"Oslo") + element(b"Lima", 5),
    "a length of 4 GiB": element(b"Oslo") + element(b"Lima", 2**32 - 1),
    "a length that is too short": element(b"Oslo") + element(b"Lima", 3),
    "three elements": element(b"Oslo") * 3,
    "big-endian": struct.pack(">I", 4) + b"Oslo" + struct.pack(">I", 4) + b"Lima",
    "not UTF-8": element(b"Oslo") + element(b"\xff"),
    "a zero byte": element(b"Oslo") + element(b"\0"),
}
