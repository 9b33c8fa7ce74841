"""Time-outs for calls that may hang, as with an unreachable database or a slow DNS server."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
_Work = tuple["Future[Any]", Callable[[], Any]]


class CallerWithTimeout:
    """Runs calls on a few daemon threads; a hanging call blocks a thread, never the caller or the exit.

    The threads start with the first call, so an instance may be created before a fork.
    """

    def __init__(self, name: str, threads: int, backlog: int) -> None:
        """At most `backlog` calls wait for one of the `threads`."""
        self._name = name
        self._missing = threads
        self._queue: queue.Queue[_Work] = queue.Queue(backlog)
        self._lock = threading.Lock()

    def call(self, work: Callable[[], T], timeout: float) -> T:
        """Return what `work` returns; raise TimeoutError after `timeout` seconds or if too many wait."""
        self._start_threads()
        future: Future[T] = Future()
        try:
            self._queue.put_nowait((future, work))
        except queue.Full:
            raise TimeoutError from None
        try:
            return future.result(timeout)
        finally:
            future.cancel()

    def _start_threads(self) -> None:
        with self._lock:
            missing, self._missing = self._missing, 0
        for number in range(missing):
            threading.Thread(target=self._run, name=f"{self._name}-{number}", daemon=True).start()

    def _run(self) -> None:
        while True:
            future, work = self._queue.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
                future.set_exception(error)
