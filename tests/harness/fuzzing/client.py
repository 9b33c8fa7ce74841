"""Sends random requests over a few connections and counts what comes back."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from random import Random

from tests.harness.fuzzing.requests import Request, any_request
from tests.harness.fuzzing.truths import KNOWN

CLOSED, SILENT = 0, 1  # in the place of a status: the connection ended; nothing came
_SECONDS = 20.0
_CONNECTIONS = 8
_LOGGED = Request(  # so that there is a prediction which true values may be of
    "/predict",
    "POST",
    b"POST /predict HTTP/1.1\r\nHost: fuzz\r\nContent-Type: application/json\r\n"
    b'Content-Length: 15\r\n\r\n{"values": [5]}',
)
_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')

Statuses = Counter[tuple[str, str, int]]  # by path, method and status


def fuzz(host: str, port: int, paths: list[str], count: int, seed: int) -> tuple[Statuses, list[Request]]:
    """Send `count` requests; return how often each status came, and the requests that failed."""
    return asyncio.run(_fuzz(host, port, paths, count, seed))


def table(statuses: Statuses) -> str:
    """Return the counts as text, a line for each path and method."""
    columns = sorted({status for _, _, status in statuses})
    names = {CLOSED: "closed", SILENT: "silent"}
    lines = [f"{'':52}" + "".join(f"{names.get(status, status):>8}" for status in columns)]
    for path, method in sorted({(path, method) for path, method, _ in statuses}):
        counts = [statuses[path, method, status] for status in columns]
        lines.append(f"{method:8}{path[:43]:44}" + "".join(f"{count or '':>8}" for count in counts))
    lines.append(f"{'all':52}" + "".join(f"{_sum(statuses, status):>8}" for status in columns))
    return "\n".join(lines)


def _sum(statuses: Statuses, status: int) -> int:
    return sum(count for (_, _, one), count in statuses.items() if one == status)


async def _fuzz(
    host: str, port: int, paths: list[str], count: int, seed: int
) -> tuple[Statuses, list[Request]]:
    statuses: Statuses = Counter()
    failed: list[Request] = []

    async def send_some(number: int) -> None:
        random = Random(f"{seed}/{number}")  # noqa: S311 - repeatable
        connection = _Connection(host, port)
        await connection.ask(_LOGGED)
        for _ in range(count // _CONNECTIONS):
            request = any_request(random, paths)
            status = await connection.ask(request)
            statuses[request.path, request.method, status] += 1
            if status >= 500 or status == SILENT:
                failed.append(request)
        connection.close()

    await asyncio.gather(*[send_some(number) for number in range(_CONNECTIONS)])
    return statuses, failed


class _Connection:
    """A connection that is opened anew when the server has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._writer: asyncio.StreamWriter | None = None
        self._reader = asyncio.StreamReader()
        self._id = KNOWN.encode()  # of the last answer that had one

    async def ask(self, request: Request) -> int:
        try:
            async with asyncio.timeout(_SECONDS):
                if self._writer is None:
                    self._reader, self._writer = await asyncio.open_connection(*self._address)
                self._writer.write(request.content.replace(KNOWN.encode(), self._id))
                status, ends = await self._receive(request.method == "HEAD")
        except TimeoutError:
            status, ends = SILENT, True
        except (OSError, EOFError, ValueError):
            status, ends = CLOSED, True
        if ends:
            self.close()
        return status

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _receive(self, is_head: bool) -> tuple[int, bool]:
        """Return the status, and whether the connection ends."""
        status, headers = await self._head()
        while status < 200:
            status, headers = await self._head()
        if is_head or status in {204, 304}:
            pass
        elif "content-length" in headers:
            content = await self._reader.readexactly(int(headers["content-length"]))
            self._id = found[1] if status < 300 and (found := _ID.search(content)) else self._id
        elif "transfer-encoding" in headers:
            while size := int(await self._reader.readline(), 16):
                await self._reader.readexactly(size + 2)
            await self._reader.readline()
        else:
            await self._reader.read()
            return status, True
        return status, headers.get("connection", "").lower() == "close"

    async def _head(self) -> tuple[int, dict[str, str]]:
        line = await self._reader.readline()
        if not line:
            raise EOFError
        headers = {}
        while header := (await self._reader.readline()).strip():
            name, _, value = header.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return int(line.split()[1]), headers
