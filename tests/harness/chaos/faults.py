"""The faults, and whether requests may fail during each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.harness.chaos.injections import (
    artifact_damaged,
    clock_jumped,
    cut_off,
    disk_full,
    killed,
    paused,
    retrained,
    slow_commits,
    stopped,
    unreachable,
)
from tests.harness.chaos.system import System

Injection = Callable[[System, float], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """`inject(system, seconds)` causes the fault for that long, and ends it with the block.

    `outage`: without its only api, without nginx or without both stores no request can be answered, so
    requests may fail until recovery. During any other fault no request may fail.
    """

    name: str
    inject: Injection
    outage: bool = False
    stores_down: bool = False  # both: refused at once, in the right form
    api_restarts: bool = False

    @property
    def truths_refused(self) -> bool:
        """Whether true values may be refused meanwhile: unlike predictions they need PostgreSQL."""
        return self.outage or any(word in self.name for word in ("postgres", "commits", "disk"))


def of(block: Callable[..., AbstractContextManager[None]], *arguments: str) -> Injection:
    """Return `block` with its first arguments as a fault's injection."""
    return lambda system, seconds: block(*arguments, system=system, seconds=seconds)


_ALL_FOUR = ("nginx", "api", "redis", "postgres")

FAULTS = [
    Fault("redis killed", of(killed, "redis")),
    Fault("postgres killed", of(killed, "postgres")),
    Fault("api killed", of(killed, "api"), outage=True, api_restarts=True),
    Fault("nginx killed", of(killed, "nginx"), outage=True),
    Fault("redis frozen", of(paused, "redis")),
    Fault("postgres frozen", of(paused, "postgres")),
    Fault("api frozen", of(paused, "api"), outage=True),
    Fault("nginx frozen", of(paused, "nginx"), outage=True),
    Fault("redis cut off", of(cut_off, "redis", "stores")),
    Fault("postgres cut off", of(cut_off, "postgres", "stores")),
    Fault("api cut off from both stores", of(cut_off, "api", "stores"), outage=True, stores_down=True),
    Fault("api cut off from nginx", of(cut_off, "api", "ml-network"), outage=True),
    Fault("nginx cut off", of(unreachable, "nginx"), outage=True),
    Fault("redis stopped", of(stopped, "redis")),
    Fault("postgres stopped", of(stopped, "postgres")),
    Fault("redis and postgres frozen", of(paused, "redis", "postgres"), outage=True, stores_down=True),
    Fault("redis and postgres killed", of(killed, "redis", "postgres"), outage=True),
    Fault("all four killed", of(killed, *_ALL_FOUR), outage=True, api_restarts=True),
    Fault("the api's clock jumps an hour ahead", of(clock_jumped, "+1h")),
    Fault("the api's clock jumps an hour back", of(clock_jumped, "-1h")),
    Fault("commits take two seconds", slow_commits),
    Fault("the log's disk is full", disk_full),
    Fault("artifact truncated", of(artifact_damaged, "truncate -s 100")),
    Fault("artifact corrupt", of(artifact_damaged, "cp /etc/passwd")),
    Fault("retrained and rolled back", retrained),
]
