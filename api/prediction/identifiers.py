"""Time-ordered prediction ids (UUIDv7, RFC 9562 section 5.7), the idempotency key of the log."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from typing import NamedTuple

from mlstack.web.request_ids import request_id

Headers = Mapping[bytes, bytes]  # names in lower case

_KEY = re.compile(rb"(\d{1,11})\.(\d{3})-([0-9a-f]{32})")
_LOW_62, _LOW_48 = (1 << 62) - 1, (1 << 48) - 1
_bits = random.Random(random.SystemRandom().getrandbits(128)).getrandbits  # noqa: S311 unique, not secret


class PredictionId(NamedTuple):
    """A UUIDv7 and the milliseconds since the epoch it carries."""

    text: str
    milliseconds: int


class Identity(NamedTuple):
    """A request's ids: in the prediction log, and in the logs of all services."""

    prediction: PredictionId
    request: str


def identify(headers: Headers) -> Identity:
    """Return the ids of a request; the same idempotency key of nginx gives the same prediction id."""
    key = headers.get(b"x-idempotency-key")
    prediction = prediction_id(key) if key else new_prediction_id()
    return Identity(prediction, request_id(headers.get(b"x-request-id")))


def new_prediction_id() -> PredictionId:
    """Return a new id with the present time."""
    return _uuid7(time.time_ns() // 1_000_000, _bits(74))


def prediction_id(idempotency_key: bytes | None) -> PredictionId:
    """Return the id for nginx's idempotency key, the same for every attempt at one request.

    The key is `$msec-$request_id`; if it is missing or has another form, the id is new.
    """
    match = _KEY.fullmatch(idempotency_key) if idempotency_key else None
    if match is None:
        return new_prediction_id()
    seconds, milliseconds, request = match.groups()
    return _uuid7(int(seconds + milliseconds), int(request, 16) & ((1 << 74) - 1))


def _uuid7(milliseconds: int, bits: int) -> PredictionId:
    """Return 48 bits of time, the version, 12 random bits, the variant, 62 random bits."""
    low = bits & _LOW_62
    text = (
        f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7{bits >> 62:03x}"
        f"-{0x8000 | low >> 48:04x}-{low & _LOW_48:012x}"
    )
    return PredictionId(text, milliseconds)
