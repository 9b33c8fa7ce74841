"""A task of the worker that makes no progress is reported by name."""

from __future__ import annotations

import threading

from api.worker.heartbeat import Heartbeat


def test_a_part_that_is_silent_for_too_long_hangs_and_recovers() -> None:
    """The others do not hide it."""
    heartbeat = Heartbeat(limit=0.05)
    heartbeat.beat("job loop 0")
    heartbeat.beat("job loop 1")
    assert heartbeat.hung() == []

    threading.Event().wait(0.1)
    heartbeat.beat("job loop 1")
    assert heartbeat.hung() == ["job loop 0"]

    heartbeat.beat("job loop 0")
    assert heartbeat.hung() == []
