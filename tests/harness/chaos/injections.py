"""Faults, each a context manager: while its body runs, the fault is fully in effect."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from tests.harness.chaos.engine import pause, start, stop, unpause
from tests.harness.chaos.system import System
from tests.harness.processes import outage
from tests.harness.stack.waiting import wait_until


@contextmanager
def killed(*services: str, system: System, seconds: float) -> Iterator[None]:
    """End the services by SIGKILL; the engine restarts them."""
    del seconds
    before = {service: system.starts(service) for service in services}
    for container in map(system.container, services):
        container.kill()
    yield
    for service in services:
        wait_until(partial(_has_restarted, system, service, before[service]), 90, f"{service} to restart")


def _has_restarted(system: System, service: str, before: tuple[int, str]) -> bool:
    return system.starts(service) != before and system.container(service).state == "running"


@contextmanager
def paused(*services: str, system: System, seconds: float) -> Iterator[None]:
    """Freeze the services: their connections stay open, but nothing is answered."""
    with ExitStack() as stack:
        for container in map(system.container, services):
            pause(container)
            stack.callback(unpause, container)
        time.sleep(seconds)
        yield


@contextmanager
def stopped(*services: str, system: System, seconds: float) -> Iterator[None]:
    """Stop the services and start them again: in between their names cannot be resolved."""
    with ExitStack() as stack:
        for container in map(system.container, services):
            stop(container)
            stack.callback(start, container)
        time.sleep(seconds)
        yield


@contextmanager
def cut_off(service: str, *networks: str, system: System, seconds: float) -> Iterator[None]:
    """Disconnect the service from its networks: packets are dropped without an error."""
    container = system.container(service)
    with ExitStack() as stack:
        for network in networks:
            system.cut_off(container, network)
            stack.callback(system.connect, container, network)
        time.sleep(seconds)
        yield


@contextmanager
def unreachable(service: str, system: System, seconds: float) -> Iterator[None]:
    """Drop all packets from and to the service; its DNS name and its address stay."""
    with system.link_down(system.container(service)):
        time.sleep(seconds)
        yield


@contextmanager
def clock_jumped(offset: str, system: System, seconds: float) -> Iterator[None]:
    """Let the api's wall clock jump, as after a step by NTP or a resumed machine, and jump back."""
    system.set_clock(offset)
    try:
        time.sleep(seconds)
        yield
    finally:
        system.set_clock("+0")


@contextmanager
def slow_commits(system: System, seconds: float) -> Iterator[None]:
    """Make every commit of the prediction log take two seconds."""
    with outage.slow_commits(system.sql, 2.0):
        time.sleep(seconds)
        yield


@contextmanager
def disk_full(system: System, seconds: float) -> Iterator[None]:
    """Fill the disk of the prediction log to the last byte."""
    system.on_disk("dd if=/dev/zero of=/disk/ballast bs=1M; dd if=/dev/zero of=/disk/crumbs bs=4k")
    try:
        time.sleep(seconds)
        yield
    finally:
        system.on_disk("rm -f /disk/ballast /disk/crumbs")


@contextmanager
def artifact_damaged(damage: str, system: System, seconds: float) -> Iterator[None]:
    """Damage the files of the version that answers; put them back afterwards."""
    current = "/models/current/model.skops"
    system.in_model_volume(f"cp -p {current} {current}.whole && {damage} {current}")
    try:
        wait_until(lambda: system.api.get("/health").json()["model_refused"], 15, "the damage to be noticed")
        time.sleep(seconds)
        yield
    finally:
        system.in_model_volume(f"mv {current}.whole {current}")


@contextmanager
def retrained(system: System, seconds: float) -> Iterator[None]:
    """Publish another model, and roll it back; here the end of the fault is the roll-back."""
    system.publish(3.0)
    wait_until(partial(_answers_from, system, 2), 30, "the new model")
    time.sleep(seconds)
    yield
    system.compose("run", "--rm", "--no-deps", "-T", "models", "rollback")
    wait_until(partial(_answers_from, system, 1), 30, "the old model")


def _answers_from(system: System, version: int) -> bool:
    return bool(system.api.get("/health").json()["model_version"] == version)
