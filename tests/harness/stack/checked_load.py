"""Clients of both servers whose answers are recomputed from the version that each names."""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import httpx

from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until

CLIENTS = 12
PORTS = {"api": "API_PORT", "model-serve": "SERVE_PORT"}
_PAUSE = 0.02  # seconds between two requests of a client: the machine has other work, too
_PRECISION = {"api": 1e-9, "model-serve": 5.1e-5}  # model-serve rounds to four decimals


@dataclass(frozen=True)
class Outcome:
    """One request and its answer."""

    server: str
    sent: float  # time.monotonic()
    rows: list[list[float]]
    status: int  # 0: no whole answer
    body: dict[str, Any]
    error: str = ""


@dataclass
class CheckedLoad:
    """Sends requests with one row and with several to both servers, for the time of a `with` block."""

    stack: Stack
    outcomes: list[Outcome] = field(default_factory=list)

    def __enter__(self) -> CheckedLoad:
        """Start the clients."""
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(CLIENTS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Stop them, and wait for the outstanding answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for(self, more: int) -> None:
        """Return when each server has answered so many more requests."""
        counts = self._counts()
        goal = {server: counts[server] + more for server in PORTS}
        wait_until(
            lambda: all(self._counts()[server] >= goal[server] for server in PORTS), 120, "more answers"
        )

    def assert_nothing_failed(self) -> None:
        """Fail unless every request was answered with 200, all of its rows by the version that it names."""
        failed = [outcome for outcome in self.outcomes if outcome.status != 200]
        assert not failed, f"{len(failed)} of {len(self.outcomes)} failed: {failed[:3]}"
        models = {version: self._coefficients(version) for version in self._versions()}
        mixed = [outcome for outcome in self.outcomes if not is_of(outcome, models)]
        assert not mixed, f"{len(mixed)} of {len(self.outcomes)} are of another version: {mixed[:3]}"

    def assert_logged_once(self) -> None:
        """Fail unless every prediction of the api is in the log exactly once."""
        acknowledged = [str(o.body["id"]) for o in self.outcomes if o.server == "api"]
        logged = Counter(self.stack.psql("postgres", "predictions", "SELECT id FROM predictions").split())
        assert len(set(acknowledged)) == len(acknowledged)
        assert {logged[id_] for id_ in acknowledged} == {1}

    def _counts(self) -> Counter[str]:
        return Counter(outcome.server for outcome in self.outcomes[:])

    def _versions(self) -> set[int]:
        return {int(outcome.body["model_version"]) for outcome in self.outcomes}

    def _coefficients(self, version: int) -> dict[str, float]:
        path = f"/models/versions/{version}/manifest.json"
        manifest = json.loads(self.stack.compose("exec", "-T", "model-serve", "cat", path).stdout)
        found: dict[str, float] = manifest["coefficients"]
        return found

    def _send(self, number: int) -> None:
        numbers, servers = random.Random(number), list(PORTS)  # noqa: S311
        with httpx.Client(trust_env=False, timeout=60) as client:
            while not self._stop.is_set():
                server = servers[number % 2]
                number += 1
                rows = [[numbers.uniform(0, 20)] for _ in range(numbers.choice([1, 1, 2, 50]))]
                self.outcomes.append(self._ask(client, server, rows, f"caller-{numbers.randrange(40)}"))
                self._stop.wait(_PAUSE)

    def _ask(self, client: httpx.Client, server: str, rows: list[list[float]], caller: str) -> Outcome:
        url = f"http://localhost:{self.stack.port(PORTS[server])}/predict"
        sent = time.monotonic()
        try:
            answer = client.post(url, json={"values": rows}, headers={"X-Caller-ID": caller})
            return Outcome(server, sent, rows, answer.status_code, answer.json())
        except (httpx.TransportError, ValueError) as error:
            return Outcome(server, sent, rows, 0, {}, repr(error))


def is_of(outcome: Outcome, models: dict[int, dict[str, float]]) -> bool:
    """Return whether every row has the value of y = slope · x + intercept of the version that is named."""
    model = models[int(outcome.body["model_version"])]
    answered = [each[0] if isinstance(each, list) else each for each in outcome.body["predictions"]]
    expected = [model["x"] * x + model["intercept"] for (x,) in outcome.rows]
    return len(answered) == len(expected) and all(
        math.isclose(value, other, rel_tol=1e-9, abs_tol=_PRECISION[outcome.server])
        for value, other in zip(answered, expected, strict=True)
    )
