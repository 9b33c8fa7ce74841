"""Many clients at the same moment, and what a server's memory does meanwhile."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')
_BEGINNING = 200  # bytes of an answer, which have its id


@dataclass
class Memory:
    """Resident bytes of a process: at the start, and the most that was seen."""

    start: int
    peak: int


@contextmanager
def watched_memory(pid: int) -> Iterator[Memory]:
    """Look at a process' memory fifty times a second until the block ends."""
    process, over = psutil.Process(pid), threading.Event()
    memory = Memory(process.memory_info().rss, 0)

    def watch() -> None:
        while not over.wait(0.02):
            memory.peak = max(memory.peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield memory
    finally:
        over.set()
        watcher.join()


def resident(pid: int) -> int:
    """Return the resident bytes of a process."""
    return int(psutil.Process(pid).memory_info().rss)


def ask_at_once(port: int, requests: list[bytes], seconds: float = 60.0) -> Counter[int]:
    """Send each request on a connection of its own, all at once; return how often each status came.

    0 stands for a connection that ended without an answer.
    """
    return Counter(status for status, _ in asyncio.run(_ask_at_once(port, requests, seconds)))


def predict_at_once(
    port: int, requests: list[bytes], seconds: float = 60.0
) -> tuple[Counter[int], list[str]]:
    """Do the same; return the ids of the predictions that were answered with 200 as well."""
    answers = asyncio.run(_ask_at_once(port, requests, seconds))
    ids = [found[1].decode() for _, content in answers if (found := _ID.search(content))]
    return Counter(status for status, _ in answers), ids


async def _ask_at_once(port: int, requests: list[bytes], seconds: float) -> list[tuple[int, bytes]]:
    async with asyncio.timeout(seconds):
        return await asyncio.gather(*[_answer(port, request) for request in requests])


async def _answer(port: int, request: bytes) -> tuple[int, bytes]:
    """Return the status and the first bytes of the body."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            await writer.drain()
            status = int((await reader.readline()).split()[1])
            length = 0
            while (line := await reader.readline()).strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            content = await reader.readexactly(length)
        finally:
            writer.close()
    except (OSError, EOFError, IndexError):
        return 0, b""
    else:
        return status, content[:_BEGINNING]
