"""Requests no server may answer with 5xx, and the status each deserves; both servers agree on every one.

The table assumes the demo's settings: a model with one feature, bodies of at most 1 MiB, at most 10,000 rows.
"""

from __future__ import annotations

from dataclasses import dataclass

JSON = "application/json"


@dataclass(frozen=True)
class BadInput:
    """One POST to /predict; `expects` is a word of the detail that says what was expected."""

    name: str
    body: bytes
    status: int
    expects: str
    content_type: str | None = JSON


def _malformed(name: str, body: bytes) -> BadInput:
    return BadInput(name, body, 400, "json")


def _invalid(name: str, body: bytes, expects: str = "expected") -> BadInput:
    return BadInput(name, body, 422, expects)


def _wrong_type(name: str, content_type: str | None) -> BadInput:
    return BadInput(name, b'{"values": [5]}', 415, "application/json", content_type)


MALFORMED = [
    _malformed("empty body", b""),
    _malformed("white space only", b" \r\n\t "),
    _malformed("cut off", b'{"values": [5'),
    _malformed("trailing comma", b'{"values": [5,]}'),
    _malformed("trailing data", b'{"values": [5]} {"values": [6]}'),
    _malformed("single quotes", b"{'values': [5]}"),
    _malformed("unquoted key", b"{values: [5]}"),
    _malformed("comment", b'{"values": [5] /* five */}'),
    _malformed("form data declared as JSON", b"values=5"),
    _malformed("invalid UTF-8 in a value", b'{"values": ["\xc3\x28"]}'),
    _malformed("byte order mark", b'\xef\xbb\xbf{"values": [5]}'),
    _malformed("UTF-16", '{"values": [5]}'.encode("utf-16")),
    _malformed("zero bytes", b"\x00" * 64),
    _malformed("lone surrogate", b'{"values": ["\\ud800"]}'),
    _malformed("control character in a string", b'{"values": ["\x01"]}'),
    _malformed("leading zero", b'{"values": [05]}'),
    _malformed("plus sign", b'{"values": [+5]}'),
    _malformed("hexadecimal", b'{"values": [0x5]}'),
    _malformed("word for a number", b'{"values": [five]}'),
]

NOT_FINITE = [
    _invalid("NaN", b'{"values": [NaN]}', "finite"),
    _invalid("Infinity", b'{"values": [Infinity]}', "finite"),
    _invalid("minus Infinity in a row", b'{"features": [[-Infinity]]}', "finite"),
    _invalid("NaN as the whole list", b'{"values": NaN}'),
    _invalid("1e400", b'{"values": [1e400]}', "finite"),
    _invalid("-1e400 in a row", b'{"instances": [[-1e400]]}', "finite"),
    _invalid("whole number of 400 digits", b'{"values": [' + b"9" * 400 + b"]}", "finite"),
    _invalid("prediction overflows", b'{"values": [1.7e308]}'),
]

WRONG_SHAPE = [
    _invalid("null body", b"null"),
    _invalid("number body", b"5"),
    _invalid("string body", b'"values"'),
    _invalid("true body", b"true"),
    _invalid("top-level list", b"[5]"),
    _invalid("empty object", b"{}", "values"),
    _invalid("unknown key only", b'{"x": [5]}', "values"),
    _invalid("key in upper case", b'{"VALUES": [5]}', "values"),
    _invalid("invalid UTF-8 in a key", b'{"val\xffues": [5]}'),
    _invalid("two of the keys", b'{"values": [5], "features": [5]}', "exactly one"),
    _invalid("null for the list", b'{"values": null}', "values"),
    _invalid("number for the list", b'{"values": 5}'),
    _invalid("string for the list", b'{"values": "5"}'),
    _invalid("object for the list", b'{"values": {"0": 5}}'),
    _invalid("empty list", b'{"values": []}'),
    _invalid("empty row", b'{"values": [[]]}'),
    _invalid("string for a number", b'{"values": ["5"]}'),
    _invalid("unicode digits", '{"values": ["٥"]}'.encode()),
    _invalid("emoji", '{"values": ["🍀"]}'.encode()),
    _invalid("null for a number", b'{"values": [null]}'),
    _invalid("null in a row", b'{"values": [[null]]}'),
    _invalid("true for a number", b'{"values": [true]}'),
    _invalid("false in a row", b'{"values": [[false]]}'),
    _invalid("object without the column", b'{"values": [{"y": 5}]}', "column x is missing in row 1"),
    _invalid("object with a column too many", b'{"values": [{"x": 5, "y": 5}]}', "no column y"),
    _invalid("object with a string", b'{"values": [{"x": "5"}]}', "column x: expected a number"),
    _invalid("object in a row", b'{"values": [[{"x": 5}]]}'),
    _invalid("two numbers in a row", b'{"values": [[1, 2]]}', "one number"),
    _invalid("rows of different lengths", b'{"values": [[1], [2, 3]]}'),
    _invalid("numbers and rows mixed", b'{"values": [1, [2]]}'),
    _invalid("three levels", b'{"values": [[[5]]]}'),
    _invalid("20 levels", b'{"values": ' + b"[" * 20 + b"5" + b"]" * 20 + b"}"),
    _invalid("100,000 open brackets", b"[" * 100_000, "deep"),
    _invalid("100,000 open brackets in values", b'{"values": ' + b"[" * 100_000, "deep"),
    _invalid("100,000 open objects", b'{"values":' * 100_000, "deep"),
    _invalid("100,000 brackets, closed", b"[" * 100_000 + b"]" * 100_000, "deep"),
    _invalid("duplicate key, the last one wrong", b'{"values": [5], "values": "5"}'),
    _invalid("10,001 rows", b'{"values": [' + b",".join([b"1"] * 10_001) + b"]}", "10000 rows"),
    _invalid("version zero", b'{"values": [5], "model_version": 0}'),
    _invalid("negative version", b'{"values": [5], "model_version": -1}'),
    _invalid("version as a string", b'{"values": [5], "model_version": "1"}'),
    _invalid("version as a fraction", b'{"values": [5], "model_version": 1.5}'),
    _invalid("version beyond 32 bits", b'{"values": [5], "model_version": 99999999999}'),
]

UNKNOWN_VERSION = [
    BadInput("version that does not exist", b'{"values": [5], "model_version": 2147483647}', 404, "version"),
]

TOO_LARGE = [
    BadInput("10 MB of numbers", b'{"values": [' + b"1," * 5_000_000 + b"1]}", 413, "1048576"),
    BadInput("10 MB of white space", b" " * 10_000_000, 413, "1048576"),
    BadInput("one byte too many", b'{"values": [5]}'.ljust(1_048_577), 413, "1048576"),
]

WRONG_TYPE = [
    _wrong_type("no content type", None),
    _wrong_type("what curl -d declares", "application/x-www-form-urlencoded"),
    _wrong_type("plain text", "text/plain"),
    _wrong_type("form with a file", "multipart/form-data; boundary=x"),
    _wrong_type("XML", "application/xml"),
    _wrong_type("a type that only begins with it", "application/jsonlines"),
    _wrong_type("nonsense", "json"),
]

BAD_INPUTS = [
    *MALFORMED,
    *NOT_FINITE,
    *WRONG_SHAPE,
    *UNKNOWN_VERSION,
    *TOO_LARGE,
    *WRONG_TYPE,
]
