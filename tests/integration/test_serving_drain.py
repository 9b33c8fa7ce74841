"""Stopping and swapping under load: no request fails, no answer mixes two models."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.integration.serving_process import ServingProcess, eventually, publish_line, serving

CLIENTS = 8
ROWS = list(range(200))


@dataclass
class Load:
    """What the clients saw."""

    answers: list[httpx.Response] = field(default_factory=list)
    refused: int = 0  # could not connect: what a load balancer repeats elsewhere
    failures: list[str] = field(default_factory=list)

    def ask_until(self, over: threading.Event, url: str, keep_alive: bool) -> None:
        """Ask one request after the other; a connection that was accepted must bring an answer."""
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
    """Let clients ask all the time until the block ends."""
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


def is_answering(process: ServingProcess, version: int) -> bool:
    """Return whether new requests are answered from `version`."""
    return process.metric("model_version") == version


@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept connections", "new connections"])
def test_sigterm_under_load_fails_no_request_and_exits_with_0(tmp_path: Path, keep_alive: bool) -> None:
    """Every accepted request is answered; later ones are refused, so another replica can take them."""
    publish_line(tmp_path / "models", 2.0)
    with (
        serving(tmp_path / "models", tmp_path / "log") as process,
        load(process.port, keep_alive=keep_alive) as seen,
    ):
        assert eventually(lambda: len(seen.answers) > 100)

        code = process.terminate()

    assert code == 0
    assert seen.failures == []
    assert {answer.status_code for answer in seen.answers} == {200}
    assert seen.refused == CLIENTS
    assert process.log_lines()[-1]["event"].startswith("Shutting down")


def test_a_draining_server_is_not_ready(tmp_path: Path) -> None:
    """A kept connection still gets an answer, and it is 503."""
    publish_line(tmp_path / "models", 2.0)
    with serving(tmp_path / "models", tmp_path / "log") as process:
        assert process.client.get("/readyz").status_code == 200

        process.process.terminate()
        assert eventually(lambda: "Handling signal: term" in process.log_path.read_text())

        assert process.client.get("/readyz").status_code == 503


def test_a_swap_under_load_gives_whole_answers_of_one_version_each(tmp_path: Path) -> None:
    """Four versions in turn: each answer is exactly what its version says, and none fails."""
    publish_line(tmp_path / "models", 2.0)
    with (
        serving(tmp_path / "models", tmp_path / "log") as process,
        load(process.port, keep_alive=True) as seen,
    ):
        for slope in (3.0, 4.0, 5.0):
            published = publish_line(tmp_path / "models", slope)
            assert eventually(partial(is_answering, process, published))

    assert seen.failures == []
    assert {answer.status_code for answer in seen.answers} == {200}
    by_version = {answer.json()["model_version"]: answer.json() for answer in seen.answers}
    assert set(by_version) == {1, 2, 3, 4}
    assert all(answer.json() == by_version[answer.json()["model_version"]] for answer in seen.answers)
