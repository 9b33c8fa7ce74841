"""Clients that send requests continuously, and the outcomes."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.harness.processes.serving import ServingProcess, eventually

CLIENTS = 8
ROWS = list(range(200))


@dataclass
class Load:
    """What the clients saw."""

    answers: list[httpx.Response] = field(default_factory=list)
    refused: int = 0  # could not connect: what a load balancer repeats elsewhere
    failures: list[str] = field(default_factory=list)

    def ask_until(self, over: threading.Event, url: str, keep_alive: bool) -> None:
        """Send one request after the other; every accepted connection must get an answer."""
        limits = httpx.Limits(max_keepalive_connections=1 if keep_alive else 0)
        with httpx.Client(base_url=url, limits=limits, timeout=60) as client:
            while not over.is_set():
                try:
                    self.answers.append(client.post("/predict", json={"values": ROWS}))
                except httpx.ConnectError:
                    self.refused += 1
                    return
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))


@contextmanager
def load(port: int, *, keep_alive: bool) -> Iterator[Load]:
    """Let clients send requests until the block ends."""
    seen, over = Load(), threading.Event()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        url = f"http://127.0.0.1:{port}"
        clients = [pool.submit(seen.ask_until, over, url, keep_alive) for _ in range(CLIENTS)]
        try:
            yield seen
        finally:
            over.set()
    for client in clients:
        client.result()


def stop_under_load(server: ServingProcess, *, keep_alive: bool) -> list[httpx.Response]:
    """Send SIGTERM while clients ask; assert that no request fails and the exit is clean. Return the answers.

    Every accepted request is answered; later ones are refused, so another replica can take them.
    """
    with load(server.port, keep_alive=keep_alive) as seen:
        assert eventually(lambda: len(seen.answers) > 100)
        code = server.terminate()
    assert code == 0
    assert seen.failures == []
    assert {answer.status_code for answer in seen.answers} == {200}
    assert seen.refused == CLIENTS
    return seen.answers
