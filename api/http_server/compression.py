"""Content codings of bodies: gzip and deflate, which in HTTP is the zlib format (RFC 9110, section 8.4.1)."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator

from mlstack.web.problems import DamagedBody, UnsupportedCoding

CODINGS = ("gzip", "deflate")
PAYS_FROM = 16 << 10  # bytes of an answer; a shorter one is sent sooner than it is compressed

_WINDOW = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_PIECE = 64 << 10  # bytes that are decompressed at a time
_LONG = 64 << 10  # bytes that would hold up the event loop for milliseconds
_LEVEL = 1  # higher ones take twice the time for a tenth less of JSON


class Decompressor:
    """Decompresses a body as it comes, in pieces that the caller counts one by one."""

    def __init__(self, coding: str) -> None:
        """Raise UnsupportedCoding for anything but one of CODINGS."""
        window = _WINDOW.get(coding)
        if window is None:
            raise UnsupportedCoding(coding[:40], CODINGS)
        self._stream = zlib.decompressobj(window)
        self._coding = coding

    def pieces(self, part: bytes) -> Iterator[bytes]:
        """Yield the content of the next part of the body; raise DamagedBody."""
        try:
            while part:
                if self._stream.eof:
                    raise self._damaged("bytes follow its end")
                piece = self._stream.decompress(part, _PIECE)
                part = self._stream.unconsumed_tail or self._stream.unused_data
                yield piece
            while piece := self._stream.decompress(b"", _PIECE):  # what is still buffered
                yield piece
        except zlib.error as error:
            raise self._damaged(str(error)) from None

    def finish(self) -> None:
        """Raise DamagedBody if the end has not come."""
        if not self._stream.eof:
            raise self._damaged("its end is missing")

    def _damaged(self, reason: str) -> DamagedBody:
        return DamagedBody(f"expected a body of one {self._coding} stream; {reason}")


def accepted_coding(header: str) -> str | None:
    """Return the coding to use for a client that sends this Accept-Encoding; None for none."""
    weights = dict(_weight(part) for part in header.lower().split(","))
    for coding in CODINGS:
        if weights.get(coding, weights.get("*", 0.0)) > 0:
            return coding
    return None


def _weight(part: str) -> tuple[str, float]:
    """Return a coding and its weight; a weight that is no number counts as 0."""
    name, _, parameter = part.partition(";")
    key, _, value = parameter.partition("=")
    try:
        return name.strip(), float(value) if key.strip() == "q" else 1.0
    except ValueError:
        return name.strip(), 0.0


async def encode_answer(body: bytes, accept_encoding: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return an answer's body, compressed if the client accepts it and it pays, and the headers for it."""
    if len(body) < PAYS_FROM:
        return body, []
    coding = accepted_coding(accept_encoding.decode("latin-1"))
    vary = [(b"vary", b"accept-encoding")]
    if coding is None:
        return body, vary
    if len(body) > _LONG:
        compressed = await asyncio.to_thread(_compress, body, coding)
    else:
        compressed = _compress(body, coding)
    return compressed, [*vary, (b"content-encoding", coding.encode())]


def _compress(body: bytes, coding: str) -> bytes:
    return zlib.compress(body, _LEVEL, _WINDOW[coding])
