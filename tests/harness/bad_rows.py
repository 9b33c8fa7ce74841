"""Bad rows of a model of mixed columns, and what each problem must name; both servers agree on every one.

The model is that of mixed_models.publish_houses: area (number), city (text), rooms (number or null), garden
(true or false).
"""

from __future__ import annotations

import json

from tests.harness.bad_inputs import BadInput


def _row(name: str, row: object, expects: str) -> BadInput:
    body = json.dumps({"instances": [row]}).encode()
    return BadInput(name, body, 422, expects)


def _body(name: str, body: bytes, expects: str, status: int = 422) -> BadInput:
    return BadInput(name, body, status, expects)


_GOOD = {"area": 120, "city": "Hanoi", "rooms": 3, "garden": True}
_LIST = [120, "Hanoi", 3, True]

WRONG_KIND = [
    _row("text for a number", [*["120"], *_LIST[1:]], "column area: expected a number"),
    _row("true for a number", [True, *_LIST[1:]], "column area: expected a number"),
    _row("null in a column that is never null", [None, *_LIST[1:]], "got null in row 1"),
    _row("number for a text", [120, 5, 3, True], "column city: expected a string"),
    _row("null for a text", [120, None, 3, True], "column city: expected a string"),
    _row("false for a text", [120, False, 3, True], "got false in row 1"),
    _row("zero byte in a text", [120, "Ha\0noi", 3, True], "u+0000"),
    _row("text for a number or null", [120, "Hanoi", "3", True], "column rooms: expected a number"),
    _row("number for a boolean", [120, "Hanoi", 3, 1], "column garden: expected true or false"),
    _row("text for a boolean", [120, "Hanoi", 3, "true"], "column garden: expected true or false"),
    _row("null for a boolean", [120, "Hanoi", 3, None], "column garden: expected true or false"),
    _row("list for a number", [[120], *_LIST[1:]], "instances"),
    _row("object for a text", [120, {"city": "Hanoi"}, 3, True], "instances"),
    _row("wrong kind by name", _GOOD | {"area": "120"}, "column area: expected a number"),
    _row("list by name", _GOOD | {"city": ["Hanoi"]}, "instances"),
    _body(
        "wrong kind in the second row",
        json.dumps({"instances": [_GOOD, _GOOD | {"garden": 0}]}).encode(),
        "column garden: expected true or false; got a number in row 2",
    ),
]

WRONG_NAMES = [
    _row("name missing", {"area": 120, "city": "Hanoi", "rooms": 3}, "column garden is missing in row 1"),
    _row("no names", {}, "column area is missing in row 1"),
    _row("unknown name", _GOOD | {"colour": "red"}, "no column colour, as in row 1"),
    _row("name in upper case", {"AREA": 1, "city": "", "rooms": 1, "garden": True}, "column area is missing"),
    _row("empty name", _GOOD | {"": 1}, "no column"),
    _row("a name of a million characters", _GOOD | {"x" * 1_000_000: 1}, "no column xxx"),
    _row("names with a null too many", _GOOD | {"colour": None}, "no column colour"),
]

WRONG_SHAPE = [
    _row("too few values", _LIST[:3], "expected rows of 4 values"),
    _row("too many values", [*_LIST, 1], "area, city, rooms, garden; got 5 in row 1"),
    _row("empty row", [], "expected rows of 4 values"),
    _row("single text", "Hanoi", "expected rows of 4 values"),
    _body("numbers alone", b'{"instances": [[1, 2, 3, 4]]}', "column city: expected a string"),
    _body("rows and values mixed", b'{"instances": [[1, "a", 3, true], 4]}', "expected rows of 4 values"),
    _body("rows by name and values mixed", b'{"instances": [{"area": 1}, 4]}', "expected rows of 4 values"),
    _body("empty list", b'{"instances": []}', "expected rows of 4 values"),
    _body("object for the list", json.dumps({"instances": _GOOD}).encode(), "expected"),
    _body("two of the keys", b'{"values": ["a"], "features": ["b"]}', "exactly one"),
    _body("three levels", b'{"instances": [[[1, "Hanoi", 3, true]]]}', "expected"),
    _body("an object in an object", b'{"instances": [{"area": {"m2": 120}}]}', "expected"),
    _body("100,000 open objects in rows", b'{"instances": [' + b'{"a":' * 100_000, "deep"),
    _body("150,000 empty objects", b'{"instances": [' + b"{}," * 150_000 + b"{}]}", "lists altogether"),
    _body("10,001 rows", b'{"instances": [' + b'["a"],' * 10_000 + b'["a"]]}', "10000 rows"),
    _body("150,000 texts", b'{"instances": [' + b'"a",' * 150_000 + b'"a"]}', "10000 rows"),
    _body("text for the version", b'{"instances": ["a"], "model_version": "1"}', "model_version"),
]

NOT_FINITE = [
    _body("NaN beside a text", b'{"instances": [[NaN, "Hanoi", 3, true]]}', "no nan"),
    _body("Infinity by name", b'{"instances": [{"area": Infinity}]}', "no nan"),
    _body("1e400 beside a text", b'{"instances": [[120, "Hanoi", 1e400, true]]}', "out of range"),
    _body(
        "1e400 by name in a long body",
        b'{"pad": "'
        + b"x" * 5_000
        + b'", "instances": [{"area": 1e400, "city": "", "rooms": 1, "garden": true}]}',
        "column area: expected a number up to 1.8e308; got a number in row 1",
    ),
    _body(
        "whole number of 400 digits in a long body",
        b'{"pad": "' + b"x" * 5_000 + b'", "instances": [["a", ' + b"9" * 400 + b"]]}",
        "out of range",
    ),
    _body("overflow", b'{"instances": [[1.7e308, "Hanoi", 3, true]]}', "expected numbers within"),
]

MALFORMED = [
    _body("lone surrogate", b'{"instances": [[1, "\\ud800", 3, true]]}', "json", 400),
    _body("invalid UTF-8", b'{"instances": [[1, "\xc3\x28", 3, true]]}', "json", 400),
    _body("text cut off", b'{"instances": [[1, "Hano', "json", 400),
    _body("control character in a text", b'{"instances": [[1, "\x01", 3, true]]}', "json", 400),
    _body("True as Python writes it", b'{"instances": [[1, "Hanoi", 3, True]]}', "json", 400),
]

BAD_ROWS = [*WRONG_KIND, *WRONG_NAMES, *WRONG_SHAPE, *NOT_FINITE, *MALFORMED]
