"""When each container of a `docker compose up` starts, and when it is healthy or has ended."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

import msgspec

from bench.stack_project import PROJECT

_FORMAT = '{{.TimeNano}} {{index .Actor.Attributes "com.docker.compose.service"}} {{.Action}}'
_DONE = ("health_status: healthy", "die")


class Times(msgspec.Struct, frozen=True):
    """Of a service's first container, in seconds from the beginning of `up`."""

    started: float
    done: float  # healthy, or, of a step, ended

    @property
    def taken(self) -> float:
        """Seconds from its start."""
        return self.done - self.started


@contextmanager
def recorded() -> Iterator[dict[str, Times]]:
    """Listen to the project's events; what is yielded has an entry per service when the context ends."""
    found: dict[str, Times] = {}
    command = ["docker", "events", "--filter", f"label=com.docker.compose.project={PROJECT}"]
    began = time.time()
    with TemporaryFile("w+", encoding="utf-8") as events:
        command += ["--filter", "type=container", "--since", f"{began:.6f}", "--format", _FORMAT]
        with subprocess.Popen(command, stdout=events, text=True) as listener:
            try:
                yield found
            finally:
                listener.terminate()
        events.seek(0)
        found |= read_events(events.read(), began)


def read_events(lines: str, began: float) -> dict[str, Times]:
    """Return the times of each service that started and became healthy or ended, in the order of the latter.

    A line is `nanoseconds service action`; `began` is in seconds, as time.time() gives it.
    """
    started: dict[str, float] = {}
    done: dict[str, float] = {}
    for line in lines.splitlines():
        nanoseconds, service, action = line.split(" ", 2)
        at = int(nanoseconds) / 1e9 - began
        if action == "start":
            started.setdefault(service, at)
        elif action in _DONE and service in started:
            done.setdefault(service, at)
    return {name: Times(started[name], at) for name, at in sorted(done.items(), key=lambda item: item[1])}


def profile(stack: dict[str, Times], chain: dict[str, Times]) -> list[tuple[str, ...]]:
    """Return a row per service of the stack: when it started and was done, what it took, and in the chain."""
    return [
        (
            name,
            f"{times.started:.1f}",
            f"{times.done:.1f}",
            f"{times.taken:.1f}",
            f"{chain[name].taken:.1f}" if name in chain else "–",
        )
        for name, times in stack.items()
    ]
