"""A canary answers a share of the callers, the same ones always, on both servers; and it is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from mlstack.registry.store import ModelStore
from mlstack.registry.trials import begin_canary, end_trial
from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.serving import ServingProcess, eventually, serving
from tests.harness.processes.tried_versions import publish_tree, volume_of_lines

FOLLOW_SECONDS = 2.0
CALLERS = [f"caller-{number}" for number in range(200)]


@dataclass
class Servers:
    """Both servers on one model volume, of which version 1 is current."""

    api: ServingProcess
    flask: ServingProcess
    store: ModelStore

    def both(self) -> tuple[ServingProcess, ServingProcess]:
        return self.api, self.flask

    def begin(self, version: int, share: float) -> None:
        """Begin a canary, and return when both servers have noticed."""
        begin_canary(self.store.root, version, share)
        self.await_share(share)

    def await_share(self, share: float) -> None:
        def noticed() -> bool:
            return all(server.metric("canary_share") == share for server in self.both())

        assert eventually(noticed, FOLLOW_SECONDS)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[Servers]:
    """Versions 1 and 2 are lines, version 3 is a tree."""
    root: Path = tmp_path_factory.mktemp("canary")
    store, events = volume_of_lines(root / "models", 2.0, 4.0), root / "events"
    publish_tree(store)
    events.mkdir()
    with ExitStack() as stack:
        api = stack.enter_context(
            undisturbed(store.root, root / "api.log", real_stores, MODEL_EVENTS_DIR=events)
        )
        flask = stack.enter_context(serving(store.root, root / "flask.log", MODEL_EVENTS_DIR=str(events)))
        yield Servers(api, flask, store)


@pytest.fixture
def servers(running: Servers) -> Iterator[Servers]:
    """Without a canary before and after."""
    yield running
    if (running.store.root / "canary.json").exists():
        end_trial(running.store.root, "canary")
    running.await_share(0.0)


def ask(server: ServingProcess, caller: str, rows: list[Any] | None = None, **more: object) -> httpx.Response:
    body = {"values": rows or [5], **more}
    return server.client.post("/predict", json=body, headers={"X-Caller-ID": caller})


def versions_by_caller(server: ServingProcess) -> dict[str, int]:
    return {caller: int(ask(server, caller).json()["model_version"]) for caller in CALLERS}


def callers_of(server: ServingProcess, version: int) -> list[str]:
    return [caller for caller, answered in versions_by_caller(server).items() if answered == version]


def test_a_share_of_the_callers_is_answered_by_it_always_the_same_on_both_servers(servers: Servers) -> None:
    servers.begin(2, 0.3)

    found = [versions_by_caller(server) for server in (*servers.both(), servers.api)]

    assert found[0] == found[1] == found[2]
    canaries = [caller for caller, version in found[0].items() if version == 2]
    assert 35 <= len(canaries) <= 85  # 60 ± 4 standard deviations
    assert set(found[0].values()) == {1, 2}


def test_a_larger_share_keeps_the_callers_of_a_smaller_one(servers: Servers) -> None:
    servers.begin(2, 0.1)
    few = set(callers_of(servers.api, 2))
    servers.begin(2, 0.5)

    assert few < set(callers_of(servers.api, 2))


def test_it_is_logged_and_cached_as_what_it_is(servers: Servers, real_stores: Stores) -> None:
    """The same rows have an answer of each version; no cached one is given for the other's."""
    servers.begin(2, 0.5)
    by_version = {version: caller for caller, version in versions_by_caller(servers.api).items()}

    answers = [ask(servers.api, by_version[version], [9.5, 3]).json() for version in (1, 2, 1, 2)]

    assert [answer["model_version"] for answer in answers] == [1, 2, 1, 2]
    assert [answer["cached"] for answer in answers] == [False, False, True, True]
    assert answers[0]["predictions"] == answers[2]["predictions"] == pytest.approx([20, 7], abs=0.5)
    assert answers[1]["predictions"] == answers[3]["predictions"] == pytest.approx([39, 13], abs=0.5)
    logged = real_stores.sql(
        "SELECT model_version FROM predictions WHERE id = ANY(%s::uuid[]) ORDER BY id",
        [answer["id"] for answer in answers],
    )
    assert logged == [(1,), (2,), (1,), (2,)]


def test_a_version_that_is_asked_for_answers_whoever_asks(servers: Servers) -> None:
    servers.begin(2, 0.5)
    canary = callers_of(servers.api, 2)[0]

    for server in servers.both():
        assert ask(server, canary, model_version=1).json()["model_version"] == 1


def test_without_the_header_the_address_counts_and_without_both_nobody_is_a_canary(servers: Servers) -> None:
    servers.begin(2, 0.5)
    addresses = {f"10.0.0.{number}" for number in range(40)}

    for server in servers.both():
        anonymous = {server.predict({"values": [5]}).json()["model_version"] for _ in range(20)}
        by_address = {
            address: server.client.post(
                "/predict", json={"values": [5]}, headers={"X-Forwarded-For": address}
            ).json()["model_version"]
            for address in addresses
        }

        assert anonymous == {1}
        assert set(by_address.values()) == {1, 2}


def test_it_answers_in_every_protocol_but_jobs(servers: Servers) -> None:
    servers.begin(2, 0.5)
    by_version = {version: caller for caller, version in versions_by_caller(servers.api).items()}
    tensor = {"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [5]}

    for version, caller in by_version.items():
        headers, client = {"X-Caller-ID": caller}, servers.api.client
        v2 = client.post("/v2/models/model/infer", json={"inputs": [tensor]}, headers=headers)
        v1 = client.post("/v1/models/model:predict", json={"instances": [[5]]}, headers=headers)
        mlflow = client.post("/invocations", json={"inputs": [[5]]}, headers=headers)
        assert [v2.json().get("model_version"), v1.json().get("model_version")] == [str(version), version]
        assert mlflow.json()["model_version"] == version


def test_failed_calls_take_it_back_on_both_servers(servers: Servers) -> None:
    """The tree refuses numbers beyond float32, which the current version does not."""
    servers.begin(3, 0.4)
    canaries = callers_of(servers.api, 3)

    failed = [ask(servers.api, caller, [1e39]).status_code for caller in canaries[:3]]

    assert failed == [422, 422, 422]
    assert ask(servers.api, canaries[0], [1e39]).json()["model_version"] == 1
    servers.await_share(0.0)
    for server in servers.both():
        assert set(versions_by_caller(server).values()) == {1}
        assert server.metric("canary_taken_back") == 1
        (line,) = [each for each in server.log_lines() if each["event"] == "canary taken back"]
        assert (line["level"], line["model_version"]) == ("warning", 3)
        assert "3 of its calls failed" in line["reason"]


def test_flask_takes_it_back_for_the_api_too(servers: Servers) -> None:
    servers.begin(3, 0.4)
    for caller in callers_of(servers.flask, 3)[:3]:
        assert ask(servers.flask, caller, [1e39]).status_code == 422

    servers.await_share(0.0)

    assert servers.api.metric("canary_taken_back") == 1


def test_what_fails_for_everybody_does_not_take_it_back(servers: Servers) -> None:
    """Callers of both versions send what no version can answer."""
    servers.begin(3, 0.4)
    for caller, _ in zip(CALLERS, range(60), strict=False):
        assert ask(servers.api, caller, [1.7e308]).status_code == 422

    assert servers.api.metric("canary_share") == 0.4


def test_its_error_on_true_values_takes_it_back(servers: Servers) -> None:
    """The truth is y = 2x + 1, which version 1 has learnt; version 2 has twice its slope."""
    servers.begin(2, 0.5)
    random = np.random.default_rng(7)
    truths = []
    for caller in CALLERS:
        x = float(random.uniform(0, 20))
        answer = ask(servers.api, caller, [x]).json()
        truths.append({"id": answer["id"], "actual": [2 * x + 1]})

    assert servers.api.client.post("/feedback", json=truths).json()["accepted"] == len(CALLERS)

    assert eventually(lambda: servers.api.metric("canary_taken_back") == 1, 20)
    servers.await_share(0.0)
    reasons = [each["reason"] for each in servers.api.log_lines() if each["event"] == "canary taken back"]
    assert "its mean loss on" in reasons[-1]


def test_a_good_canary_stays_and_so_does_one_without_enough_truths(servers: Servers) -> None:
    """Version 2 is right this time; the watch looks every five seconds."""
    servers.begin(2, 0.5)
    truths = []
    for number, caller in enumerate(CALLERS):
        x = number / 10
        truths.append({"id": ask(servers.api, caller, [x]).json()["id"], "actual": [4 * x + 1]})
    servers.api.client.post("/feedback", json=truths)

    assert not eventually(lambda: servers.api.metric("canary_taken_back") == 1, 8)


def test_the_metrics_are_there_without_a_canary(servers: Servers) -> None:
    """Alerts need a series that is 0 before it is 1."""
    for server in servers.both():
        values = [server.metric(name) for name in ("canary_version", "canary_share", "canary_taken_back")]
        assert values == [0, 0, 0]
