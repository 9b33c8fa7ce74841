"""A client that sends requests continuously and records the outcome of each."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import httpx

from tests.harness.chaos.truths import Teller
from tests.harness.stack.waiting import wait_until

_CLIENTS = 8
_TELLERS = 2  # more clients, who send true values
_PAUSE = 0.02  # seconds between two requests of a client: the machine has other work, too
_TIMEOUT = 15.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one request."""

    sent: float  # time.monotonic()
    done: float
    status: int  # 0: no whole answer
    problem: bool  # whether it is problem+json
    x: float
    body: dict[str, Any]
    error: str = ""

    @property
    def answered(self) -> bool:
        """Whether the prediction was acknowledged."""
        return self.status == 200

    @property
    def seconds(self) -> float:
        """How long the client waited."""
        return self.done - self.sent


@dataclass
class Load:
    """Sends requests through nginx, over kept connections, for the time of a `with` block."""

    url: str
    outcomes: list[Outcome] = field(default_factory=list)  # in order of their ends
    truths: Teller = field(default_factory=Teller)

    def __enter__(self) -> Load:
        """Start the client."""
        self._over, self._held, self._asking = threading.Event(), threading.Event(), 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._ask_all()), name="load")
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Stop, and wait for the outstanding answers."""
        self._over.set()
        self._thread.join(2 * _TIMEOUT)

    def since(self, moment: float) -> list[Outcome]:
        """Return the outcomes after `moment` (time.monotonic())."""
        return [outcome for outcome in self.outcomes if outcome.done >= moment]

    def take(self) -> list[Outcome]:
        """Return all outcomes so far and forget them, so that a long run needs no more memory."""
        taken = self.outcomes[:]
        del self.outcomes[: len(taken)]
        return taken

    @contextmanager
    def held(self) -> Iterator[None]:
        """Ask nothing during the block; when it begins, every request has its outcome."""
        self._held.set()
        try:
            wait_until(lambda: self._asking + self.truths.asking == 0, 2 * _TIMEOUT, "the last answers")
            yield
        finally:
            self._held.clear()

    def answered_in_a_row(self, since: float) -> int:
        """Return how many of the latest requests, sent after `since`, were answered without a failure."""
        count = 0
        for outcome in reversed(self.outcomes):
            if outcome.sent < since or not outcome.answered:
                break
            count += 1
        return count

    async def _ask_all(self) -> None:
        limits = httpx.Limits(
            max_connections=_CLIENTS + _TELLERS, max_keepalive_connections=_CLIENTS + _TELLERS
        )
        async with httpx.AsyncClient(
            base_url=self.url, limits=limits, timeout=_TIMEOUT, trust_env=False
        ) as client:
            asking = [self._ask(client, random.Random(n)) for n in range(_CLIENTS)]  # noqa: S311
            telling = [self.truths.tell(client, n, self._state) for n in range(_TELLERS)]
            await asyncio.gather(*asking, *telling)

    def _state(self) -> str:
        return "over" if self._over.is_set() else "held" if self._held.is_set() else "asking"

    async def _ask(self, client: httpx.AsyncClient, numbers: random.Random) -> None:
        while not self._over.is_set():
            if self._held.is_set():
                await asyncio.sleep(_PAUSE)
                continue
            self._asking += 1
            # Half of the questions come back, so that the cache has something to answer.
            x = float(numbers.randrange(50)) if numbers.random() < 0.5 else numbers.uniform(0, 20)
            sent = time.monotonic()
            try:
                answer = await client.post("/predict", json={"features": [x]})
                problem = answer.headers.get("content-type") == "application/problem+json"
                outcome = Outcome(sent, time.monotonic(), answer.status_code, problem, x, answer.json())
            except (httpx.TransportError, ValueError) as error:
                outcome = Outcome(sent, time.monotonic(), 0, False, x, {}, repr(error))
            self.outcomes.append(outcome)
            if outcome.answered:
                self.truths.offer(str(outcome.body["id"]))
            self._asking -= 1
            await asyncio.sleep(_PAUSE)
