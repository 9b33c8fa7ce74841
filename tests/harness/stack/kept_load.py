"""Many clients that record every answer."""

from __future__ import annotations

import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import httpx

from tests.harness.stack.waiting import wait_until

_PAUSE = 0.005  # seconds between two requests of a client: the machine has other work, too


@dataclass
class Load:
    """Sends the same kind of request to `url` from some threads, for the time of a `with` block."""

    url: str
    body: dict[str, Any]
    clients: int = 4
    headers: dict[str, str] = field(default_factory=dict)
    trust: ssl.SSLContext | bool = True
    pause: float = _PAUSE
    answers: list[httpx.Response] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # requests that got no answer at all

    def __enter__(self) -> Load:
        """Start the clients."""
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Stop them, and wait for the outstanding answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was answered."""
        return Counter(answer.status_code for answer in self.answers)

    def keep_on(self, seconds: float) -> None:
        """Continue the load for this long."""
        self._stop.wait(seconds)

    def wait_for(self, more: int) -> None:
        """Return when so many more requests have been answered."""
        goal = len(self.answers) + more
        wait_until(lambda: len(self.answers) >= goal, 30, f"{more} more answers")

    def assert_all_answered(self) -> None:
        """Fail unless every request was answered with 200."""
        assert not self.failures, self.failures[:3]
        bad = [answer.text for answer in self.answers if answer.status_code != 200]
        assert set(self.statuses) == {200}, f"{self.statuses}: {bad[:3]}"

    def _send(self) -> None:
        with httpx.Client(trust_env=False, timeout=30, headers=self.headers, verify=self.trust) as client:
            while not self._stop.is_set():
                try:
                    self.answers.append(client.post(self.url, json=self.body))
                except httpx.TransportError as error:
                    self.failures.append(f"{time.time():.3f} {error!r}")
                self._stop.wait(self.pause)
