"""A GET of a service beside this one: bounded in time and size, and never a thread that hangs."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 2.0


async def get(url: str, most_bytes: int) -> bytes | None:
    """Return the body of a 200 over plain HTTP, None if there is none in two seconds or it is too long."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
            try:
                request = f"GET {parts.path or '/'} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
                writer.write(request.encode("ascii"))
                return _body(await _read(reader, most_bytes))
            finally:
                writer.transport.abort()
    except (OSError, ValueError, TimeoutError):
        return None


async def _read(reader: asyncio.StreamReader, most_bytes: int) -> bytes:
    """Return what comes until the end; raise ValueError if it is more than that."""
    pieces, size = [], 0
    while piece := await reader.read(64 << 10):
        pieces.append(piece)
        size += len(piece)
        if size > most_bytes:
            raise ValueError("the answer is too long")
    return b"".join(pieces)


def _body(answer: bytes) -> bytes | None:
    """Return the content of a whole 200."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.split(b"\r\n")
    lengths = [int(field[15:]) for field in fields if field[:15].lower() == b"content-length:"]
    whole = all(length == len(body) for length in lengths)
    return body if status.split(b" ")[1:2] == [b"200"] and whole else None
