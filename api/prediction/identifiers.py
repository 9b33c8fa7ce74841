"""Time-ordered prediction ids (UUIDv7, RFC 9562 section 5.7), the idempotency key of the log."""

from __future__ import annotations

import random
import re
import time
from typing import NamedTuple

_KEY = re.compile(rb"(\d{1,11})\.(\d{3})-([0-9a-f]{32})")
_bits = random.Random(random.SystemRandom().getrandbits(128)).getrandbits  # noqa: S311 unique, not secret


class PredictionId(NamedTuple):
    """A UUIDv7 and the milliseconds since the epoch it carries."""

    text: str
    milliseconds: int


def new_prediction_id() -> PredictionId:
    """Return an id for now."""
    return _uuid7(time.time_ns() // 1_000_000, _bits(74))


def prediction_id(idempotency_key: bytes | None) -> PredictionId:
    """Return the id that belongs to the front door's key, the same for every attempt at one request.

    The key is nginx's `$msec-$request_id`; without one, or with another form, the id is new.
    """
    match = _KEY.fullmatch(idempotency_key) if idempotency_key else None
    if match is None:
        return new_prediction_id()
    seconds, milliseconds, request_id = match.groups()
    return _uuid7(int(seconds + milliseconds), int(request_id, 16) & ((1 << 74) - 1))


def _uuid7(milliseconds: int, bits: int) -> PredictionId:
    time_high, time_low = milliseconds >> 16, milliseconds & 0xFFFF
    variant = 0x8000 | (bits >> 48) & 0x3FFF
    text = f"{time_high:08x}-{time_low:04x}-7{bits >> 62:03x}-{variant:04x}-{bits & 0xFFFFFFFFFFFF:012x}"
    return PredictionId(text, milliseconds)
