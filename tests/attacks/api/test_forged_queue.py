"""Write access to Redis is no write access to the prediction log: rows that wait there are sealed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.harness.processes.inference import QUEUE, REJECTED, Stores, is_healthy
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import ServingProcess, eventually
from tests.harness.repository_root import ROOT

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
OTHER_ID = "01890a5d-ac96-774b-bcce-b302099a8058"
Fields = dict[bytes, bytes]
SET_ASIDE = "prediction_log_set_aside_total"


def row(fields: Fields, **members: object) -> Fields:
    """Return the entry with other members in its row, under its own seal."""
    return fields | {b"row": json.dumps(json.loads(fields[b"row"]) | members).encode()}


FORGERIES: dict[str, Callable[[Fields], Fields]] = {
    "another value": lambda own: row(own, predictions=[1e6]),
    "another id": lambda own: row(own, id=ID),
    "another time": lambda own: row(own, milliseconds=0),
    "extra fields": lambda own: own | {b"id": ID.encode()},
    "a field twice": lambda own: {
        b"row": row(own, id=ID)[b"row"],
        b"seal": own[b"seal"],
        b"row2": own[b"row"],
    },
    "no seal": lambda own: {b"row": own[b"row"]},
    "an empty seal": lambda own: own | {b"seal": b""},
    "another order": lambda own: {b"seal": own[b"seal"], b"row": own[b"row"]},
    "no row": lambda _own: {b"x": b"y"},
    "no JSON": lambda own: own | {b"row": own[b"row"][:-2]},
}


@pytest.fixture(autouse=True)
def _healthy(api: ServingProcess) -> None:
    assert eventually(lambda: is_healthy(api), 30)


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_row_is_set_aside_and_never_logged(
    api: ServingProcess, real_stores: Stores, name: str
) -> None:
    """The rows before and behind it are logged; it waits where a person can look at it, and is counted."""
    counted = api.metric(SET_ASIDE)
    with stopped(real_stores.postgres), real_stores.connect_redis() as redis:
        redis.delete(REJECTED)
        ids = [api.predict({"values": [number]}).json()["id"] for number in range(3)]
        ((_, own),) = redis.xrange(QUEUE, count=1)
        redis.xadd(QUEUE, FORGERIES[name](own))
        ids += [api.predict({"values": [number]}).json()["id"] for number in range(3)]

    assert eventually(lambda: real_stores.queued() == 0, 30)
    assert set(real_stores.times_logged(ids).values()) == {1}
    with real_stores.connect_redis() as redis:
        assert redis.xlen(REJECTED) == 1
    assert api.metric(SET_ASIDE) == counted + 1
    forged = "SELECT count(*) FROM predictions WHERE id = ANY(%s::uuid[]) OR \"timestamp\" < '2000-01-01'"
    assert real_stores.sql(forged, [ID, OTHER_ID]) == [(0,)]
    assert real_stores.sql("SELECT count(*) FROM predictions WHERE prediction = '[1e6]'") == [(0,)]


def test_a_row_that_is_put_there_again_is_logged_once(api: ServingProcess, real_stores: Stores) -> None:
    """Its seal is genuine, its id is known."""
    with stopped(real_stores.postgres), real_stores.connect_redis() as redis:
        answer = api.predict({"values": [5]}).json()
        ((_, own),) = redis.xrange(QUEUE, count=1)
        for _ in range(5):
            redis.xadd(QUEUE, own)

    assert eventually(lambda: real_stores.queued() == 0, 30)
    assert real_stores.times_logged([answer["id"]]) == {answer["id"]: 1}


def test_what_was_set_aside_can_be_put_back_by_a_person(api: ServingProcess, real_stores: Stores) -> None:
    """As rows of a release that did not seal them, or whose key is lost."""
    with stopped(real_stores.postgres), real_stores.connect_redis() as redis:
        redis.delete(REJECTED)
        answer = api.predict({"values": [5]}).json()
        ((entry, own),) = redis.xrange(QUEUE)
        redis.xdel(QUEUE, entry)
        redis.xadd(QUEUE, {b"row": own[b"row"]})
    with real_stores.connect_redis() as redis:
        assert eventually(lambda: redis.xlen(REJECTED) == 1, 30)
    assert real_stores.times_logged([answer["id"]]) == {answer["id"]: 0}

    settings = {"DATABASE_URL": real_stores.inference_url, "REDIS_URL": real_stores.redis.url()}
    command = [sys.executable, "-m", "api.requeue"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout
    assert '"rows":1' in done.stdout
    assert eventually(lambda: real_stores.times_logged([answer["id"]]) == {answer["id"]: 1}, 30)
    with real_stores.connect_redis() as redis:
        assert redis.xlen(REJECTED) == 0
