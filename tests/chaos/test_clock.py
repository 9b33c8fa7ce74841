"""The api's wall clock jumps; clients ask it without nginx, so that the ids are made from its clock."""

from __future__ import annotations

import time
import uuid

import httpx
import pytest

from tests.harness.chaos.injections import clock_jumped
from tests.harness.chaos.ledger import drained
from tests.harness.chaos.recorded_load import Load
from tests.harness.chaos.recovery import await_recovery
from tests.harness.chaos.system import System

_DAY = 86_400
_TIMES = """SELECT id, extract(epoch FROM "timestamp") FROM predictions WHERE id = ANY('{{{ids}}}')"""


def ask(client: httpx.Client, times: int) -> list[str]:
    """Return the ids of so many predictions."""
    answers = [client.post("/predict", json={"features": [float(x)]}) for x in range(times)]
    assert {answer.status_code for answer in answers} == {200}
    return [str(answer.json()["id"]) for answer in answers]


def milliseconds(id_: str) -> int:
    """Return the time in a UUIDv7, since the epoch."""
    return uuid.UUID(id_).int >> 80


def offset(id_: str) -> float:
    """Return by how many seconds the time in a UUIDv7 differs from this machine's."""
    return milliseconds(id_) / 1000 - time.time()


@pytest.mark.parametrize("days", [40, -40])
def test_a_jump_of_the_clock_loses_and_doubles_nothing(system: System, load: Load, days: int) -> None:
    """Into another month's partition and back: every answer is in the table once, at the time of its id."""
    await_recovery(system, load, 0)
    url = f"http://{system.container('api').address}:8000"

    with httpx.Client(base_url=url, timeout=20, trust_env=False) as client:
        before = ask(client, 20)
        with clock_jumped(f"{days:+d}d", system, 1.0):
            during = ask(client, 20)
        after = ask(client, 20)
    drained(system)

    assert abs(offset(during[0]) - days * _DAY) < 3600
    assert max(abs(offset(id_)) for id_ in [*before, *after]) < 3600
    rows = system.sql(_TIMES.format(ids=",".join([*before, *during, *after])))
    logged = [(id_, float(epoch)) for id_, epoch in (row.split("|") for row in rows)]
    assert sorted(id_ for id_, _ in logged) == sorted([*before, *during, *after])
    assert all(abs(epoch - milliseconds(id_) / 1000) < 0.01 for id_, epoch in logged)
