"""Clients that send the true values of answered predictions, and the outcome of each attempt."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

import httpx

_PAUSE = 0.05  # seconds: predictions are what the machine has to answer meanwhile
_PAUSE_AFTER_FAILURE = 0.1
_KEPT_IDS = 500
_CORRECTED = 0.3  # share of the values that are followed by another one
IN_A_ROW = 5


@dataclass(frozen=True, slots=True)
class Telling:
    """The outcome of one attempt to send a true value."""

    sent: float  # time.monotonic()
    done: float
    status: int  # 0: no whole answer
    in_form: bool  # a problem, with Retry-After where it is 503
    id: str
    actual: float
    state: str = ""  # accepted, repeated or corrected
    error: str = ""

    @property
    def acknowledged(self) -> bool:
        """Whether the value is said to be stored."""
        return self.status == 200


@dataclass(frozen=True)
class _Truth:
    """A value that is to be sent until it is acknowledged.

    It is `certain` until an attempt fails. One that failed may still be carried out later, so no other value
    of this prediction follows: the late one would count as a correction of it.
    """

    id: str
    actual: float
    era: int
    certain: bool = True


@dataclass
class Teller:
    """Sends the same value again after a failure, and corrects some."""

    outcomes: list[Telling] = field(default_factory=list)  # in order of their ends
    _ids: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_IDS))
    _values: count[int] = field(default_factory=count)
    _outstanding: dict[int, float] = field(default_factory=dict)  # of each client: when it was sent
    _era: int = 0

    def offer(self, id_: str) -> None:
        """Take the id of an answered prediction; the oldest ones are forgotten."""
        self._ids.append(id_)

    def forget(self) -> None:
        """Forget all predictions: their rows are going to be deleted."""
        self._ids.clear()
        self._era += 1

    @property
    def asking(self) -> int:
        """How many attempts have no outcome yet."""
        return len(self._outstanding)

    def since(self, moment: float) -> list[Telling]:
        """Return the outcomes after `moment` (time.monotonic())."""
        return [each for each in self.outcomes if each.done >= moment]

    def take(self) -> list[Telling]:
        """Return all outcomes so far and forget them."""
        taken = self.outcomes[:]
        del self.outcomes[: len(taken)]
        return taken

    def is_well(self, since: float) -> bool:
        """Return whether the latest attempts, all sent after `since`, were acknowledged."""
        latest = self.outcomes[-IN_A_ROW:]
        outstanding = list(self._outstanding.values())
        return (
            len(latest) == IN_A_ROW
            and all(each.acknowledged and each.sent >= since for each in latest)
            and all(sent >= since for sent in outstanding)
        )

    async def tell(self, client: httpx.AsyncClient, number: int, state: Callable[[], str]) -> None:
        """Send one after the other until `state` is over; none while it is held."""
        numbers, truth = random.Random(number), None  # noqa: S311
        while (now := state()) != "over":
            if truth is None or truth.era != self._era:
                truth = self._next()
            if now == "held" or truth is None:
                await asyncio.sleep(_PAUSE)
                continue
            outcome = await self._send(client, number, truth)
            self.outcomes.append(outcome)
            if not outcome.acknowledged:
                truth = replace(truth, certain=False)
                await asyncio.sleep(_PAUSE_AFTER_FAILURE)
                continue
            again = truth.certain and numbers.random() < _CORRECTED
            truth = replace(truth, actual=float(next(self._values))) if again else None
            await asyncio.sleep(_PAUSE)

    def _next(self) -> _Truth | None:
        return _Truth(self._ids.popleft(), float(next(self._values)), self._era) if self._ids else None

    async def _send(self, client: httpx.AsyncClient, number: int, truth: _Truth) -> Telling:
        sent = self._outstanding[number] = time.monotonic()
        body, made = {"id": truth.id, "actual": [truth.actual]}, (truth.id, truth.actual)
        try:
            answer = await client.post("/feedback", json=body)
            problem = answer.headers.get("content-type") == "application/problem+json"
            in_form = problem and (answer.status_code != 503 or "retry-after" in answer.headers)
            told = answer.json() if answer.status_code == 200 else {}
            states = [name for name in ("accepted", "repeated", "corrected") if told.get(name) == 1]
            error = "" if states else answer.text[:200]
            return Telling(sent, time.monotonic(), answer.status_code, in_form, *made, "".join(states), error)
        except (httpx.TransportError, ValueError) as error:
            return Telling(sent, time.monotonic(), 0, False, *made, error=repr(error))
        finally:
            del self._outstanding[number]
