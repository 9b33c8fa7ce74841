"""Two PostgreSQL servers: the primary ends by power cut, the standby is promoted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlstack.runtime.settings import SettingsError, read_database_url, without_password
from tests.harness.processes.inference import inference, is_healthy
from tests.harness.processes.outage import frozen
from tests.harness.processes.replication import ReplicatedStores, cut_power, replicated_stores
from tests.harness.processes.serving import ServingProcess, eventually

_RECONNECTED_SECONDS = 5.0


@pytest.fixture
def pair() -> Iterator[ReplicatedStores]:
    """A primary and its synchronous standby, of this test only."""
    with replicated_stores() as started:
        yield started


@pytest.fixture
def api(model_dir: Path, pair: ReplicatedStores, tmp_path: Path) -> Iterator[ServingProcess]:
    """The service with both addresses."""
    with inference(model_dir, tmp_path / "api.log", pair, CACHE_TTL_SECONDS=1) as process:
        assert eventually(lambda: is_healthy(process)), process.log_path.read_text()
        yield process


def test_the_end_of_the_primary_loses_nothing_and_the_standby_is_found(
    pair: ReplicatedStores, api: ServingProcess
) -> None:
    load = _Load(api)
    with load:
        load.wait_for(200)
        cut_power(pair.postgres)
        load.wait_for(200)
        pair.promote()
        promoted = time.monotonic()
        assert eventually(lambda: is_healthy(api), 30), api.log_path.read_text()
        seconds = time.monotonic() - promoted
        load.wait_for(200)

    assert seconds < _RECONNECTED_SECONDS
    assert load.refused == 0
    assert eventually(lambda: pair.queued() == 0)
    pair.postgres = pair.standby
    assert set(pair.times_logged(load.acknowledged).values()) == {1}


def test_a_row_that_only_the_primary_has_stays_in_the_queue(
    pair: ReplicatedStores, api: ServingProcess
) -> None:
    """A commit that was given up while it waited for the standby is there, and yet it may be lost."""
    with frozen(pair.standby):
        ids = [api.predict({"features": [float(value)]}).json()["id"] for value in range(50, 60)]
        assert eventually(lambda: pair.queued() == len(ids)), pair.queued()
        assert not eventually(lambda: _give_up_waiting(pair) or pair.queued() == 0, 8), "rows on one server"
        cut_power(pair.postgres)
    pair.promote()

    assert eventually(lambda: is_healthy(api), 30)
    assert eventually(lambda: pair.queued() == 0)
    pair.postgres = pair.standby
    assert set(pair.times_logged(ids).values()) == {1}


def test_a_server_that_does_not_answer_at_all_is_passed_over(
    model_dir: Path, pair: ReplicatedStores, tmp_path: Path
) -> None:
    pair.postgres.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
    pair.postgres.execute("SELECT pg_reload_conf()")
    with frozen(pair.standby), inference(model_dir, tmp_path / "api.log", pair) as process:
        assert eventually(lambda: is_healthy(process), 10), process.log_path.read_text()

        answer = process.predict({"features": [5.0]})

        assert pair.times_logged([answer.json()["id"]]) == {answer.json()["id"]: 1}


def test_without_a_primary_health_says_so(pair: ReplicatedStores, api: ServingProcess) -> None:
    cut_power(pair.postgres)

    def told() -> bool:
        return "no server accepts writes" in api.client.get("/health").text

    assert eventually(told, 10), api.client.get("/health").text


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("postgresql://a:b@h1/d", "postgresql://a:b@h1/d"),
        ("postgresql://a:b@h1:1,h2/d", "postgresql://a:b@h1:1,h2/d?target_session_attrs=read-write"),
        ("postgresql://a:b@h1,h2/d?sslmode=require&target_session_attrs=any", None),
        (
            "postgresql://a:b@h1,h2/d?sslmode=require",
            "postgresql://a:b@h1,h2/d?sslmode=require&target_session_attrs=read-write",
        ),
    ],
)
def test_of_several_servers_the_one_that_takes_writes_is_meant(
    given: str, meant: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", given)

    assert read_database_url("DATABASE_URL") == (meant or given)
    assert "b@" not in without_password(given)


@pytest.mark.parametrize("servers", ["h1,", ",h2", "h1:0,h2", "h1,h2:port", "h1,h2:99999", ""])
def test_a_list_of_servers_with_a_gap_is_refused(servers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://a:b@{servers}/d")

    with pytest.raises(SettingsError, match="host1:port,host2:port"):
        read_database_url("DATABASE_URL")


def _give_up_waiting(pair: ReplicatedStores) -> bool:
    """End what waits for the standby, as a restart of the primary does: its rows can then be seen."""
    pair.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    return False


class _Load:
    """Asks for predictions, one after the other, and keeps the ids of those that were acknowledged."""

    def __init__(self, api: ServingProcess) -> None:
        self._api = api
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.acknowledged: list[str] = []
        self.refused = 0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for(self, more: int) -> None:
        wanted = len(self.acknowledged) + more
        assert eventually(lambda: len(self.acknowledged) >= wanted), (len(self.acknowledged), self.refused)

    def _run(self) -> None:
        value = 0.0
        while not self._stop.is_set():
            value += 1.0
            answer = self._api.predict({"features": [value]})
            if answer.status_code == 200:
                self.acknowledged.append(answer.json()["id"])
            else:
                self.refused += 1
