"""Looks host names up, so that one that is never answered holds up no other.

Event loops look names up on a few threads that all names share (uvloop on two). While a store is away, its
name may be unknown and its look-up not be answered for seconds. As every attempt to connect would start
another one, they would fill those threads, and no store could be found that is back.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from functools import partial
from typing import Any

_PATIENCE_SECONDS = 0.4  # for a name that was answered before; connecting may take 0.5 s in all

Question = tuple[bytes | str | None, bytes | str | int | None, int, int, int, int]  # for socket.getaddrinfo
Answer = list[Any]  # what socket.getaddrinfo returns


class Lookups:
    """One look-up at a time for each name, on a thread of its own; who asks meanwhile gets its answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Call the rest on that loop only."""
        self._loop = loop
        self._running: dict[Question, asyncio.Future[Answer]] = {}
        self._earlier: dict[Question, Answer] = {}

    async def find(self, question: Question) -> Answer:
        """Return addresses; raise socket.gaierror for an unknown name.

        While no server answers, return the earlier answer: a store that restarts mostly keeps its address.
        """
        running, earlier = self._running.get(question) or self._start(question), self._earlier.get(question)
        if earlier is None:
            return await asyncio.shield(running)
        await asyncio.wait([running], timeout=_PATIENCE_SECONDS)
        if not running.done() or _is_unanswered(running.exception()):
            return earlier
        return running.result()

    def _start(self, question: Question) -> asyncio.Future[Answer]:
        running: asyncio.Future[Answer] = self._loop.create_future()
        running.add_done_callback(partial(self._finish, question))
        self._running[question] = running
        threading.Thread(target=self._look_up, args=(question, running), name="look-up", daemon=True).start()
        return running

    def _look_up(self, question: Question, running: asyncio.Future[Answer]) -> None:
        try:
            report = partial(running.set_result, socket.getaddrinfo(*question))
        except (OSError, UnicodeError) as error:
            report = partial(running.set_exception, error)
        with suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(report)

    def _finish(self, question: Question, running: asyncio.Future[Answer]) -> None:
        del self._running[question]
        error = running.exception()
        if error is None:
            self._earlier[question] = running.result()
        elif not _is_unanswered(error):
            self._earlier.pop(question, None)


def _is_unanswered(error: BaseException | None) -> bool:
    return isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
