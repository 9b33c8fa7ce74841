"""Checks and decodes a request's body: declared as JSON, not too long, of the expected form."""

from __future__ import annotations

import json
import math
from typing import Any, TypeVar

import msgspec

from mlstack.web.problems import InvalidInput, MalformedJSON, TooLarge, UnsupportedMediaType

T = TypeVar("T")

# A client, or nginx, that is disconnected while it sends never sees the answer: up to this much of a refused
# body is read and dropped.
LARGEST_DISCARD = 64 << 20  # bytes


def check_json(content_type: str | None) -> None:
    """Raise UnsupportedMediaType unless the header declares JSON."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
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


def decode_json(decoder: msgspec.json.Decoder[T], body: bytes, expected: str) -> T:
    """Parse a body with `decoder`; raise MalformedJSON, or InvalidInput that names what was `expected`."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _explain(body, error, expected) from None


def _explain(body: bytes, error: Exception, expected: str) -> MalformedJSON | InvalidInput:
    """Distinguish invalid JSON, JSON of the wrong shape, and NaN, which only Python's parser accepts.

    The decoder stops at the first wrong type and does not see the rest, so the whole body is parsed again.
    """
    try:
        parsed: Any = json.loads(body)
    except RecursionError:
        return InvalidInput(f"expected {expected}; the body is nested too deeply")
    except ValueError as syntax:
        return MalformedJSON(f"the body is not valid JSON: {syntax}")
    if _has_non_finite(parsed):
        return InvalidInput(f"expected {expected}: no NaN, no Infinity, no number over 1.8e308")
    if isinstance(error, msgspec.ValidationError):
        return InvalidInput(f"expected {expected}: {error}")
    return MalformedJSON(f"the body is not valid JSON: {error}")


def _has_non_finite(parsed: Any) -> bool:
    stack = [parsed]
    while stack:
        item = stack.pop()
        if isinstance(item, float) and not math.isfinite(item):
            return True
        if isinstance(item, int) and abs(item) > 1.8e308:
            return True
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return False
