"""Request ids: a client's id is kept if it is safe to log, so that logs can be joined."""

from __future__ import annotations

import random
import re

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_bits = random.Random(random.SystemRandom().getrandbits(128)).getrandbits  # noqa: S311 unique, not secret


def request_id(given: str | bytes | None) -> str:
    """Return the header's value if it is short and safe to log, else a new id like nginx's $request_id."""
    if given:
        text = given if isinstance(given, str) else given.decode("latin-1")
        if _SANE.fullmatch(text):
            return text
    return _bits(128).to_bytes(16).hex()
