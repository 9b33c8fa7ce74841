"""Whether a server's predictions are right, asked over many connections at once, as the load will."""

from __future__ import annotations

import http.client
import json
import math
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from bench.load import LoadFailed
from bench.peer_servers import Asked

_CLIENTS, _REQUESTS = 16, 25
_TOLERANCE = 1e-9  # of the value; some answers are rounded to so many digits


def answers(port: int, asked: Asked) -> bool:
    """Return whether the server answers with a prediction."""
    try:
        _ask(port, asked, [5.0])
    except (OSError, http.client.HTTPException, LoadFailed):
        return False
    return True


def verify(port: int, asked: Asked, expected: Callable[[float], float]) -> int:
    """Compare predictions with what is expected; return their number, raise LoadFailed if one differs."""
    generator = random.SystemRandom()
    numbers = [[generator.uniform(10, 20) for _ in range(_REQUESTS)] for _ in range(_CLIENTS)]
    with ThreadPoolExecutor(_CLIENTS) as pool:
        found = list(pool.map(lambda each: _ask(port, asked, each), numbers))
    for sent, got in zip(numbers, found, strict=True):
        for number, prediction in zip(sent, got, strict=True):
            if not math.isclose(prediction, expected(number), rel_tol=_TOLERANCE):
                raise LoadFailed(f"predicts {prediction} for {number}, expected {expected(number)}")
    return _CLIENTS * _REQUESTS


def _ask(port: int, asked: Asked, numbers: list[float]) -> list[float]:
    """Return the predictions of numbers, asked one after the other over one connection."""
    found = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for number in numbers:
            connection.request("POST", asked.path, asked.body % number, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
            if response.status != http.client.OK:
                raise LoadFailed(f"answered {response.status}: {content[:200]!r}")
            found.append(asked.read(json.loads(content)))
    return found
