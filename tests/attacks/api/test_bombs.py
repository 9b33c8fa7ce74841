"""Compressed bodies made to cost more than they are: little that becomes much, and streams that are slow."""

from __future__ import annotations

import zlib

import pytest

from tests.harness.processes.crowd import ask_at_once, resident, watched_memory
from tests.harness.processes.raw_http import request
from tests.harness.processes.serving import ServingProcess

MOST = 1 << 20  # MAX_BODY_BYTES
JSON = "Content-Type: application/json"
PATHS = ["/predict", "/v1/models/model:predict", "/v2/models/model/infer", "/invocations"]


def bomb(window: int, size: int) -> bytes:
    """Return a stream that decompresses to `size` spaces, a thousandth as long."""
    stream = zlib.compressobj(9, zlib.DEFLATED, window)
    pieces = [stream.compress(b" " * MOST) for _ in range(size // MOST)]
    return b"".join([*pieces, stream.flush()])


BOMBS = {"gzip": bomb(31, 900 * MOST), "deflate": bomb(15, 900 * MOST)}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("coding", BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(api: ServingProcess, coding: str, path: str) -> None:
    """0.9 MB that would become 900 MB, on sixty connections at once."""
    asked = request(BOMBS[coding], JSON, f"Content-Encoding: {coding}", path=path)
    before = resident(api.process.pid)

    with watched_memory(api.process.pid) as memory:
        statuses = ask_at_once(api.port, [asked] * 60)

    assert statuses.keys() <= {413, 503}, statuses
    assert statuses[413]
    assert memory.peak < before + (160 << 20)


def empty_blocks(size: int) -> bytes:
    """Return a zlib stream of blocks that hold nothing but a code table, 14 bytes each (RFC 1951, 3.2.7)."""
    lengths = ["000", "000", "100", "010", *["000"] * 13, "010"]  # of the codes 18, 0 and 1, low bits first
    table = ["0", "1111111", "0", "1101011", "11", "10"]  # 138 and 118 zeros, a one for the end, a zero
    block = "".join(["0", "01", "00000", "00000", "0111", *lengths, *table, "0"])
    bits = block * (size * 8 // len(block))
    return b"\x78\x9c" + int(bits[::-1], 2).to_bytes(size, "little")


def test_small_requests_are_answered_while_slow_streams_come(api: ServingProcess) -> None:
    """A megabyte that decompresses to nothing costs the most time that a stream can."""
    slow = request(empty_blocks(MOST - 2), JSON, "Content-Encoding: deflate")
    small = request({"values": [5]})

    statuses = ask_at_once(api.port, [slow] * 8 + [small] * 50)

    assert statuses == {400: 8, 200: 50}


@pytest.mark.parametrize("coding", BOMBS)
def test_random_damage_is_never_a_server_error(api: ServingProcess, coding: str) -> None:
    """One byte after the other of a valid stream is changed."""
    plain = b'{"values": [1, 2, 3]}'
    whole = zlib.compress(plain, 9, 31 if coding == "gzip" else 15)
    headers = {"content-type": "application/json", "content-encoding": coding}

    for place in range(len(whole)):
        body = whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]
        answer = api.client.post("/predict", content=body, headers=headers)
        assert answer.status_code in {200, 400}, (place, answer.text)
