"""Asynchronous predictions in containers: jobs accepted a second, and finished by one worker."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http import HTTPStatus

import msgspec

from bench.machine import use_every_core
from bench.stack_project import FIRST_PORT, cleaned_up, compose, run
from bench.targets import table

_CONNECTIONS = 16
_PATIENCE = 120.0  # seconds for the worker to finish what was accepted
_LEFT = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
_SPAN = "SELECT extract(epoch FROM max(finished_at) - min(submitted_at)) FROM jobs WHERE state = 'completed'"


class JobNumbers(msgspec.Struct, frozen=True):
    """Counts of jobs of one row; times in seconds."""

    accepted: int
    refused: int  # the backlog was full
    seconds: float  # of submitting
    finished_after: float  # the first submission, all of them

    @property
    def rates(self) -> list[tuple[str, str]]:
        """Return what is printed."""
        return [
            ("accepted: committed, and its message confirmed", f"{self.accepted / self.seconds:,.0f}"),
            (
                "finished by one worker: answer and log row committed",
                f"{self.accepted / self.finished_after:,.0f}",
            ),
        ]


def measure(seconds: float, progress: Callable[[str], None]) -> JobNumbers:
    """Submit for so long over 16 connections through the front door; wait until every job is finished."""
    use_every_core()
    run("scripts/bootstrap/base-images.sh", "ensure")
    progress("building the images")
    compose("--profile", "async", "build", "--quiet")
    with cleaned_up("--profile", "async"):
        compose("--profile", "async", "up", "--wait", "--no-build")
        progress("submitting jobs")
        started = time.perf_counter()
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            submitting = [pool.submit(_submit, started + seconds, number) for number in range(_CONNECTIONS)]
            statuses = sum((done.result() for done in submitting), Counter[int]())
        took = time.perf_counter() - started
        accepted, refused = (
            statuses.pop(HTTPStatus.ACCEPTED, 0),
            statuses.pop(HTTPStatus.SERVICE_UNAVAILABLE, 0),
        )
        if statuses or not accepted:
            raise RuntimeError(f"jobs were answered with {dict(statuses)}, {accepted} accepted")
        progress(f"{accepted} jobs accepted; waiting for the worker")
        _wait_for_the_worker()
        return JobNumbers(accepted, refused, took, float(_ask(_SPAN)))


def describe(numbers: JobNumbers) -> str:
    """Return the table."""
    return table(("jobs of one row, 16 connections", "a second"), numbers.rates)


def _submit(until: float, number: int) -> Counter[int]:
    """Submit one job after the other; return how often each status came."""
    statuses = Counter[int]()
    headers = {"Content-Type": "application/json"}
    with closing(http.client.HTTPConnection("127.0.0.1", FIRST_PORT, timeout=30)) as connection:
        while time.perf_counter() < until:
            body = f'{{"features": [{number + statuses.total() / 1e5}]}}'
            connection.request("POST", "/jobs", body, headers)
            response = connection.getresponse()
            response.read()
            statuses[response.status] += 1
    return statuses


def _wait_for_the_worker() -> None:
    deadline = time.monotonic() + _PATIENCE
    while int(_ask(_LEFT)):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{_ask(_LEFT)} jobs are not finished after {_PATIENCE:.0f} s")
        time.sleep(0.2)


def _ask(query: str) -> str:
    psql = ("psql", "-U", "postgres", "-d", "predictions", "-qtA", "-c", query)
    return compose("exec", "-T", "postgres", *psql).strip()
