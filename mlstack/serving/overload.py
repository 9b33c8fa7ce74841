"""Overload: no more requests wait for a thread than were allowed to; the rest is told so at once.

Requests past the limit get threads of their own, which answer 503 without doing what was asked.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, request

from mlstack.web.problems import Unavailable

REFUSING_THREADS = 2
_PROBES = frozenset({"/livez", "/readyz", "/health", "/metrics"})

_thread = threading.local()


@contextmanager
def refusing() -> Iterator[None]:
    """Let this thread refuse what it is asked in the block."""
    _thread.refuses = True
    try:
        yield
    finally:
        _thread.refuses = False


def refuse_overload(app: Flask) -> None:
    """Answer 503 in the threads that refuse; probes and the scrape are answered all the same."""

    @app.before_request
    def check() -> None:
        if getattr(_thread, "refuses", False) and request.path not in _PROBES:
            raise Unavailable("too many requests wait already: try again")
