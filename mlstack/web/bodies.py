"""Checks and decodes a request's body: declared as JSON, not too long, of the expected form."""

from __future__ import annotations

import re
from itertools import islice
from typing import TypeVar

import msgspec

from mlstack.web.problems import InvalidInput, MalformedJSON, TooLarge, UnsupportedMediaType

T = TypeVar("T")

# A client, or nginx, that is disconnected while it sends never sees the answer: up to this much of a refused
# body is read and dropped.
LARGEST_DISCARD = 64 << 20  # bytes

_SHORT = 16 << 10  # bytes; what a shorter body can cost is not worth counting
_BYTE = re.compile(r"\(byte (\d+)\)$")  # where msgspec says what is wrong
_NOT_FINITE = re.compile(rb"-?(NaN|Infinity)|(?<=-)(NaN|Infinity)")
_skip = msgspec.json.Decoder(msgspec.Raw).decode

_FEW_EXPONENTS = 500
_EXPONENT = re.compile(rb"[eE][-+]?[0-9]")
_LONG_NUMBER = 40  # characters for each comma, on average


def _as_float(text: str) -> float:  # in Python: other threads get their turn between two numbers
    return float(text)


_parse_slow_numbers = msgspec.json.Decoder(float_hook=_as_float).decode


def media_type_of(content_type: str | None) -> str:
    """Return the media type that the header declares, "" for none."""
    return (content_type or "").partition(";")[0].strip().lower()


def check_json(content_type: str | None) -> None:
    """Raise UnsupportedMediaType unless the header declares JSON."""
    media_type = media_type_of(content_type)
    if media_type == "application/json" or media_type.endswith("+json"):
        return
    raise UnsupportedMediaType(
        f"expected Content-Type: application/json, got {media_type or 'none'};"
        " with curl: -H 'Content-Type: application/json'"
    )


def check_length(length: int, limit: int) -> None:
    """Raise TooLarge if a body of `length` bytes exceeds `limit` bytes."""
    if length > limit:
        raise TooLarge(f"expected a body of at most {limit} bytes, got {length}")


def decode_json(
    decoder: msgspec.json.Decoder[T], body: bytes, expected: str, most_lists: int, *, objects: bool = False
) -> T:
    """Parse a body with `decoder`; raise MalformedJSON, or InvalidInput that names what was `expected`.

    A list costs thirty times the two bytes that it takes in a body, so no more than `most_lists` are parsed.
    With `objects` these count as lists do, and brackets in strings as neither.
    """
    slow = has_slow_numbers(body)
    if len(body) > _SHORT and _begins_more(body, most_lists, objects, slow):
        raise InvalidInput(
            f"expected {expected}, in at most {most_lists} lists altogether;"
            " the body has more, or is nested too deeply"
        )
    try:
        return msgspec.convert(_parse_slow_numbers(body), decoder.type) if slow else decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _explain(body, error, expected) from None


def _begins_more(body: bytes, most: int, objects: bool, slow: bool) -> bool:
    """Return whether more than `most` lists begin in a body; objects count, too, if they are not skipped."""
    if not objects:
        return body.count(b"[") + (body.count(b"{") if slow else 0) > most
    if body.count(b"[") + body.count(b"{") <= most:
        return False
    outside = b"".join(body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])
    return outside.count(b"[") + outside.count(b"{") > most


def has_slow_numbers(body: bytes) -> bool:
    """Return whether msgspec may need long for a body: 1e308 and 1e-310 take it 20 microseconds each.

    It is slow at numbers near the ends of float64 and halfway between two float64. Those have an exponent, or
    hundreds of digits. 1 MiB of them would take seconds. Such a body is parsed with Python's float, which has
    no slow numbers.
    """
    if len(body) <= _SHORT // 8:
        return False
    if body.count(b",") * _LONG_NUMBER < len(body):
        return True
    if body.count(b"e") + body.count(b"E") <= _FEW_EXPONENTS:
        return False
    return len([*islice(_EXPONENT.finditer(body), _FEW_EXPONENTS + 1)]) > _FEW_EXPONENTS


def _explain(body: bytes, error: Exception, expected: str) -> MalformedJSON | InvalidInput:
    """Distinguish invalid JSON, JSON of the wrong shape, and NaN, which only Python's parser accepts.

    The decoder stops at the first wrong type and does not see the rest, so the whole body is read again,
    without creating objects: that takes milliseconds, whatever the body.
    """
    try:
        body.decode()
        _skip(body)
    except RecursionError:
        return InvalidInput(f"expected {expected}; the body is nested too deeply")
    except ValueError as syntax:
        place = _BYTE.search(str(syntax))
        if place and _NOT_FINITE.match(body, int(place[1])):
            return InvalidInput(f"expected {expected}: no NaN, no Infinity, no number over 1.8e308")
        return MalformedJSON(f"the body is not valid JSON: {syntax}")
    if isinstance(error, RecursionError):
        return InvalidInput(f"expected {expected}; the body is nested too deeply")
    return InvalidInput(f"expected {expected}: {error}")
