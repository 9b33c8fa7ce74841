"""Load on a server by wrk, and its result."""

from __future__ import annotations

import http.client
import math
import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path

import msgspec

SCRIPT = Path(__file__).with_name("load.lua")
_HOT_KEYS = 1000  # as in load.lua
_WARMERS = 16
_RESULT = "RESULT "
_BODY, _PATH = "BENCH_BODY", "BENCH_PATH"  # the environment variables that load.lua reads
_ONE_NUMBER = '{"features": [%.12f]}'
_PATIENCE = 10.0  # seconds for the last answers


class LoadFailed(RuntimeError):
    """wrk could not put the load on the server."""


class Seen(msgspec.Struct, frozen=True):
    """The counts of the client; times in seconds."""

    answered: int  # with any status
    refused: int  # with a status of 400 or more
    broken: int  # connections that failed, requests that timed out
    unanswered: int  # requests without an answer at the end
    seconds: float  # from the first request to the last answer
    p50: float
    p99: float

    @property
    def ok(self) -> int:
        """Number of requests answered with 200."""
        return self.answered - self.refused


@contextmanager
def sending(body: str, path: str = "/predict") -> Iterator[None]:
    """Send `body` in the block, with another number in each request in place of its `%.12f`."""
    os.environ |= {_BODY: body, _PATH: path}
    try:
        yield
    finally:
        del os.environ[_BODY], os.environ[_PATH]


def put_load(port: int, connections: int, hot_share: float, seconds: float, seed: int) -> Seen:
    """Send requests over so many connections, then wait until each request is answered.

    `hot_share` of the requests, at random, come from the hot set; all others are different from each other.
    """
    limit = f"{math.ceil(seconds + _PATIENCE)}s"
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", limit]
    command += ["--timeout", "10s", "--script", str(SCRIPT), f"http://127.0.0.1:{port}", "--"]
    command += [str(seed), str(hot_share), str(seconds), str(connections)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as wrk:
        assert wrk.stdout is not None
        output = ""
        for line in wrk.stdout:
            output += line
            if line == "SILENT\n":
                wrk.send_signal(signal.SIGINT)  # it prints its counts and ends
            if line.startswith(_RESULT):
                return msgspec.json.decode(line.removeprefix(_RESULT), type=Seen)
    raise LoadFailed(f"wrk ended without a result: {output[-500:]}")


def warm(port: int) -> None:
    """Send every request of the hot set once, so that a cache holds it."""
    with ThreadPoolExecutor(_WARMERS) as pool:
        for status in pool.map(lambda first: _warm_every(port, first), range(1, _WARMERS + 1)):
            if status != HTTPStatus.OK:
                raise LoadFailed(f"a warming request was answered with {status}")


def _warm_every(port: int, first: int) -> int:
    """Send every 16th request from the `first`; return the first status that is not 200."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        for key in range(first, _HOT_KEYS + 1, _WARMERS):
            status = _ask(connection, _body(10 + key / 128))
            if status != HTTPStatus.OK:
                return status
    return HTTPStatus.OK


def answers(port: int) -> bool:
    """Return whether the server answers a prediction with 200."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
        try:
            return _ask(connection, _body(5.0)) == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False


def _body(number: float) -> str:
    return os.environ.get(_BODY, _ONE_NUMBER) % number


def _ask(connection: http.client.HTTPConnection, body: str) -> int:
    connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    return response.status
