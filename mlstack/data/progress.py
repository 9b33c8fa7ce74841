"""Progress of long operations: a progress bar on a terminal, a log line every few seconds elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

LONG = 1_000_000  # rows; below, the operation takes less than a second
_LINE_SECONDS = 5.0


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the number of rows that were just processed."""
    if total >= LONG and sys.stderr.isatty():
        from tqdm import tqdm  # noqa: PLC0415 - only a terminal needs it

        with tqdm(total=total, desc=what, unit="row", unit_scale=True) as bar:

            def advance(rows: int) -> None:
                bar.update(rows)

            yield advance
    else:
        yield _Lines(what, total).add


class _Lines:
    """Logs the progress every few seconds."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._done = what, total, 0
        self._next = time.monotonic() + _LINE_SECONDS

    def add(self, rows: int) -> None:
        self._done += rows
        if time.monotonic() >= self._next:
            self._next += _LINE_SECONDS
            share = round(100 * self._done / self._total)
            logger.info(self._what, extra={"rows": self._done, "of": self._total, "percent": share})
