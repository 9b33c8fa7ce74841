"""Bursts that once ended a server by memory: what does not fit is refused, and the memory comes back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.harness.processes.crowd import ask_at_once, resident, watched_memory
from tests.harness.processes.raw_http import request
from tests.harness.processes.serving import ServingProcess, eventually, serving

NUMBERS = list(range(10_000))
LONG = request({"values": NUMBERS})
TENSOR = {"inputs": [{"name": "input", "shape": [10_000, 1], "datatype": "FP64", "data": NUMBERS}]}
LONG_TENSOR = request(TENSOR, path="/v2/models/model/infer")
CONTAINER = 512 << 20  # bytes, as in docker-compose.yaml
STAYS = (
    128 << 20
)  # that the allocators may keep for the next burst: MAX_PENDING_BYTES, and a third of it more


@pytest.mark.parametrize("asked", [LONG, LONG_TENSOR], ids=["predict", "open inference protocol"])
def test_eight_hundred_large_requests_at_once_are_answered_or_refused(
    api: ServingProcess, asked: bytes
) -> None:
    """Three times: 120 MB of bodies, 770 MB of numbers as Python has them."""
    ask_at_once(api.port, [asked] * 10)
    before = resident(api.process.pid)

    with watched_memory(api.process.pid) as memory:
        rounds = [ask_at_once(api.port, [asked] * 800) for _ in range(3)]

    assert all(statuses.keys() <= {200, 503} for statuses in rounds), rounds
    assert all(statuses[200] for statuses in rounds), rounds
    assert memory.peak < CONTAINER * 7 // 8
    assert eventually(lambda: api.metric("prediction_log_queue_length") == 0, 120)
    assert eventually(lambda: resident(api.process.pid) < before + STAYS, 10)


def test_flask_answers_or_refuses_as_many(model_dir: Path, tmp_path: Path) -> None:
    """Its threads read one body each; the rest waits in its socket, or is refused."""
    with serving(model_dir, tmp_path / "log", SERVE_MAX_PENDING="64") as server:
        (worker,) = psutil.Process(server.process.pid).children()
        ask_at_once(server.port, [LONG] * 10)
        before = resident(worker.pid)

        with watched_memory(worker.pid) as memory:
            statuses = ask_at_once(server.port, [LONG] * 800, 300)

        assert statuses.keys() <= {200, 503}, statuses
        assert statuses[200] > 0
        assert memory.peak < CONTAINER * 7 // 8
        assert eventually(lambda: resident(worker.pid) < before + STAYS, 10)
        assert server.predict({"values": [5]}).status_code == 200


@contextmanager
def unread(server: ServingProcess, asked: bytes, count: int) -> Iterator[None]:
    """Ask on `count` connections and read none of the answers."""
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(asked)
        yield


@pytest.mark.parametrize("asked", [LONG, request(b" " * 1_000_000)[:900_000]], ids=["answers", "bodies"])
def test_what_a_client_does_not_finish_is_bounded(api: ServingProcess, asked: bytes) -> None:
    """Three hundred answers of 0.8 MB that are not read, or bodies of 0.9 MB that do not end.

    Small requests are answered meanwhile, and large ones afterwards.
    """
    before = resident(api.process.pid)

    with watched_memory(api.process.pid) as memory, unread(api, asked, 300):
        small = [api.predict({"values": [number]}).status_code for number in range(50)]

    assert small == [200] * 50
    assert memory.peak < before + (200 << 20)
    assert eventually(lambda: api.predict({"values": NUMBERS}).status_code == 200, 30)
