"""Polling with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import httpx

Result = TypeVar("Result")


def wait_until(
    probe: Callable[[], Result], seconds: float = 30.0, what: str = "it", pause: float = 0.25
) -> Result:
    """Return the first true result of `probe`; fail with `what` was awaited after `seconds`.

    A probe that cannot connect counts as false; `pause` seconds lie between two looks.
    """
    deadline = time.monotonic() + seconds
    seen: object = None
    while time.monotonic() < deadline:
        try:
            result = probe()
        except httpx.TransportError as error:
            seen = repr(error)
        else:
            if result:
                return result
            seen = result
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {seconds:g} s (last seen: {seen!r})")
