"""The traffic on the page: counted whole at any load, and unknown rather than zero where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from api.page.traffic_parts import MOST_ROWS
from tests.harness.processes.inference import Stores, inference, is_healthy
from tests.harness.processes.logged_traffic import insert_rows
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import ServingProcess, eventually


def log(server: ServingProcess) -> dict[str, Any] | None:
    """Return what the page is told of the log, None while PostgreSQL is away."""
    found: dict[str, Any] | None = server.client.get("/page/state").json()["log"]
    return found


def parts(server: ServingProcess) -> list[dict[str, Any]]:
    """Return the traffic, oldest first, nothing while PostgreSQL is away; `requests` None is unknown."""
    found: list[dict[str, Any]] = (log(server) or {"traffic": []})["traffic"]
    assert all(later["at"] - part["at"] == 10 for part, later in pairwise(found))
    return found


def requests(server: ServingProcess) -> list[int | None]:
    """Return how many requests each part has."""
    return [part["requests"] for part in parts(server)]


def total(server: ServingProcess) -> int:
    """Return how many requests are counted."""
    return sum(filter(None, requests(server)))


def time_of_reading(server: ServingProcess) -> float:
    """Return when the log was read."""
    return float((log(server) or {"now": 0})["now"])


def is_read_again(server: ServingProcess, read_at: float) -> bool:
    """Return whether the log was read after that."""
    return time_of_reading(server) > read_at


@pytest.fixture
def server(model_dir: Path, tmp_path: Path, real_stores: Stores) -> Iterator[ServingProcess]:
    """An api that has counted nothing yet, and an empty log."""
    real_stores.sql("TRUNCATE predictions")
    with inference(model_dir, tmp_path / "log", real_stores) as process:
        assert eventually(partial(is_healthy, process), 30)
        yield process


def test_however_much_is_logged_all_of_it_is_counted(server: ServingProcess, real_stores: Stores) -> None:
    """Thirteen thousand requests a second, newer than others that must be seen, too."""
    insert_rows(real_stores, "4 minutes", 670, slow=100)
    insert_rows(real_stores, "1 minute", 26_000)

    assert eventually(lambda: total(server) == 26_670, 30)
    busy = [part for part in parts(server) if part["requests"]]
    assert [(part["requests"], part["hits"]) for part in busy] == [(670, 0.5), (26_000, 0.5)]
    assert [part["latency"] for part in busy] == pytest.approx([0.5, 0.01])


def test_a_part_with_too_many_requests_is_unknown_and_not_zero(
    server: ServingProcess, real_stores: Stores
) -> None:
    insert_rows(real_stores, "1 minute", MOST_ROWS + 1)
    insert_rows(real_stores, "2 minutes", 7)

    assert eventually(lambda: requests(server).count(None) == 1, 30)
    assert total(server) == 7
    (unknown,) = [part for part in parts(server) if part["requests"] is None]
    assert (unknown["latency"], unknown["hits"]) == (None, None)


def test_what_was_logged_late_is_counted_when_it_is_there(
    server: ServingProcess, real_stores: Stores
) -> None:
    """It waited in Redis, or for its job."""
    with stopped(real_stores.postgres):
        assert eventually(lambda: log(server) is None, 10)
        assert server.predict({"values": [1]}).status_code == 200

    assert eventually(lambda: total(server) == 1, 30)
    insert_rows(real_stores, "50 seconds", 3)
    assert eventually(lambda: total(server) == 4, 40)


def test_a_part_is_counted_twice_at_most(server: ServingProcess, real_stores: Stores) -> None:
    """However often the page asks. What is not seen any more was inserted after that."""
    insert_rows(real_stores, "2 minutes", 5)
    assert eventually(lambda: total(server) == 5, 30)

    insert_rows(real_stores, "2 minutes", 5)

    for _ in range(3):
        assert eventually(partial(is_read_again, server, read_at=time_of_reading(server)), 10)
    assert total(server) == 5
