"""A client that can write to Redis can empty the cache, but not forge answers: they must be sealed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.serving import ServingProcess, eventually, publish_line

ROWS = {"features": [5.0]}
OTHERS = {"features": [6.0]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """A server that all tests share."""
    root: Path = tmp_path_factory.mktemp("forged")
    publish_line(root / "models", 2.0)
    with undisturbed(root / "models", root / "log", real_stores) as process:
        yield process


def changed(entry: bytes, **members: object) -> bytes:
    """Return the entry with other members, under its own seal."""
    return json.dumps(json.loads(entry) | members).encode()


FORGERIES: dict[str, Callable[[bytes, bytes], bytes]] = {
    "another value": lambda own, _: changed(own, predictions=[1e6]),
    "the answer to another question": lambda _, other: other,
    "more rows": lambda own, _: changed(own, predictions=[1.0, 2.0]),
    "no rows": lambda own, _: changed(own, predictions=[], intervals=[], confidence=[]),
    "text for numbers": lambda own, _: changed(own, predictions=["<script>"]),
    "a row of the log": lambda own, _: changed(own, id="0" * 32, milliseconds=0, cached=False, latency=0),
    "no JSON": lambda own, _: own[:-2],
    "no seal": lambda own, _: json.dumps({k: v for k, v in json.loads(own).items() if k != "seal"}).encode(),
    "a release before": lambda _own, _: b'{"predictions":[1.0],"intervals":[[0.0,2.0]],"confidence":[1.0]}',
    "nothing": lambda _own, _other: b"",
    "bytes": lambda _own, _other: b"\x00\xff" * 40,
    "a megabyte": lambda own, _: own + b" " * (1 << 20),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_entry_is_computed_anew(server: ServingProcess, real_stores: Stores, name: str) -> None:
    """The answer is right and says that it was not cached, and one row of the log says the same."""
    with real_stores.connect_redis() as redis:
        redis.flushdb()
        honest = server.predict(ROWS).json()
        server.predict(OTHERS)
        assert eventually(lambda: len(redis.keys("prediction:*")) == 2)
        own, other = sorted(redis.keys("prediction:*"))  # 5.0 is 40140000…, 6.0 is 40180000…, byte-swapped
        own, other = (own, other) if _answers(redis.get(own), honest) else (other, own)
        redis.set(own, FORGERIES[name](redis.get(own), redis.get(other)))

        answer = server.predict(ROWS)

    assert answer.status_code == 200
    assert answer.json()["predictions"] == honest["predictions"]
    assert answer.json()["intervals"] == honest["intervals"]
    assert not answer.json()["cached"]
    recent = "\"timestamp\" > now() - interval '1 minute'"
    query = f"SELECT prediction, cached, {recent} FROM predictions WHERE id = %s"  # noqa: S608
    assert real_stores.sql(query, answer.json()["id"]) == [(honest["predictions"], False, True)]


def test_a_key_of_another_type_is_a_miss(server: ServingProcess, real_stores: Stores) -> None:
    with real_stores.connect_redis() as redis:
        redis.flushdb()
        honest = server.predict(ROWS).json()
        assert eventually(lambda: len(redis.keys("prediction:*")) == 1)
        (key,) = redis.keys("prediction:*")
        redis.delete(key)
        redis.lpush(key, "a", "b")

        answer = server.predict(ROWS).json()

    assert (answer["predictions"], answer["cached"]) == (honest["predictions"], False)


def _answers(entry: bytes, answer: dict[str, object]) -> bool:
    return bool(json.loads(entry)["predictions"] == answer["predictions"])
