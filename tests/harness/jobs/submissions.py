"""Well-behaved clients of POST /jobs: they retry a request with its key until it is accepted."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from uuid import uuid4

import httpx

from tests.harness.stack.waiting import wait_until

_PAUSE = 0.05


@dataclass
class JobLoad:
    """Submits different jobs from some threads for the time of a `with` block, each until it is accepted."""

    url: str
    clients: int = 4
    accepted: dict[str, float] = field(default_factory=dict)  # by location: the one value that was asked
    refused: Counter[int] = field(default_factory=Counter)  # by status; 0: no answer at all

    def __enter__(self) -> JobLoad:
        """Start the clients."""
        self._stop = threading.Event()
        self._numbers = itertools.count(1)
        self._threads = [threading.Thread(target=self._send) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Stop them when their current requests are accepted."""
        self._stop.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), "a job was never accepted"

    def wait_for(self, more: int, seconds: float = 120) -> None:
        """Return when so many more jobs are accepted."""
        goal = len(self.accepted) + more
        wait_until(lambda: len(self.accepted) >= goal, seconds, f"{more} more accepted jobs")

    def _send(self) -> None:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=15) as client:
            while not self._stop.is_set():
                self._submit(client, next(self._numbers) / 100)
                self._stop.wait(_PAUSE)

    def _submit(self, client: httpx.Client, value: float) -> None:
        headers = {"Idempotency-Key": str(uuid4())}
        while True:
            try:
                answer = client.post("/jobs", json={"features": [value]}, headers=headers)
            except httpx.TransportError:
                self.refused[0] += 1
            else:
                if answer.status_code == 202:
                    self.accepted[answer.headers["Location"]] = value
                    return
                self.refused[answer.status_code] += 1
            self._stop.wait(_PAUSE)
