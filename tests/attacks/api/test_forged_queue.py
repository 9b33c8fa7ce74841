"""Whoever can write to Redis cannot write the prediction log: rows that wait there are sealed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.processes.inference import QUEUE, REJECTED, Stores, inference, is_healthy
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import ServingProcess, eventually

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


def test_rows_that_wait_survive_a_new_key(model_dir: Path, real_stores: Stores, tmp_path: Path) -> None:
    """The new key is put before the old one, so that both are accepted; it goes with the next change."""
    with stopped(real_stores.postgres):
        with inference(model_dir, tmp_path / "first", real_stores, SEALING_KEY="first-key") as first:
            ids = [first.predict({"values": [number]}).json()["id"] for number in range(5)]
        with inference(
            model_dir, tmp_path / "second", real_stores, SEALING_KEY="new-key,first-key"
        ) as second:
            ids += [second.predict({"values": [number]}).json()["id"] for number in range(5)]
            real_stores.postgres.start()
            assert eventually(lambda: real_stores.queued() == 0, 30)
            assert second.metric(SET_ASIDE) == 0

    assert set(real_stores.times_logged(ids).values()) == {1}
