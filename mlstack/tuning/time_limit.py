"""A time limit, by SIGALRM, for code that cannot be given one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class TimeIsUp(BaseException):
    """The limit has passed. A BaseException, so that `except Exception` in the block does not catch it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeIsUp in the block once `seconds` have passed. Main thread only; cannot be nested.

    Compiled code is interrupted only when it returns to Python, so the block may take longer.
    """
    before = signal.signal(signal.SIGALRM, _raise)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _raise(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise TimeIsUp
