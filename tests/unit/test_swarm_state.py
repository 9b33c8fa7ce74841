"""What a Swarm's managers have answered, as metrics. The answers are those of engine 20.10, shortened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from mlstack.monitoring.swarm import SwarmCollector
from tests.harness.processes.http_server import http_server

_MINE = {"com.docker.stack.image": "x", "com.docker.stack.namespace": "ml"}
_OTHER = {"com.docker.stack.namespace": "other"}


def _node(number: int, state: str) -> dict[str, Any]:
    return {
        "ID": f"node-{number}",
        "Version": {"Index": 133},
        "Spec": {"Labels": {}, "Role": "manager", "Availability": "active"},
        "Description": {"Hostname": f"host-{number}", "Engine": {"EngineVersion": "20.10.24"}},
        "Status": {"State": state, "Addr": f"10.99.0.1{number}"},
    }


def _service(name: str, wanted: int, labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    spec = {"Name": f"ml_{name}", "Labels": labels or _MINE, "Mode": {"Replicated": {"Replicas": wanted}}}
    counts = {"RunningTasks": 99, "DesiredTasks": wanted, "CompletedTasks": 0}
    return {"ID": f"id-{name}", "Spec": spec, "ServiceStatus": counts} | more


def _task(service: str, node: int | None, state: str = "running", desired: str = "running") -> dict[str, Any]:
    placed = {"NodeID": f"node-{node}"} if node else {}  # the key is missing until a node is chosen
    return {"ServiceID": f"id-{service}", "DesiredState": desired, "Status": {"State": state}} | placed


_JOB = {"Mode": {"ReplicatedJob": {"TotalCompletions": 1}}, "Name": "ml_data-prep", "Labels": _MINE}
_ANSWERS: dict[str, Any] = {
    "/nodes": [_node(1, "ready"), _node(2, "ready"), _node(3, "down")],
    "/services": [
        _service("api", 3, UpdateStatus={"State": "rollback_completed", "Message": "rollback completed"}),
        _service("redis", 1),
        _service("nginx", 2) | {"Spec": {"Name": "ml_nginx", "Labels": _MINE, "Mode": {"Global": {}}}},
        _service("web", 1, _OTHER),
        {"ID": "id-data-prep", "Spec": _JOB, "ServiceStatus": {"DesiredTasks": 1}},
    ],
    "/tasks": [
        *(
            _task("api", 1),
            _task("api", 2),
            _task("api", None, "pending"),
            _task("api", 1, desired="shutdown"),
        ),
        *(_task("redis", 3), _task("nginx", 1), _task("nginx", 2, "starting")),
    ],
}


@contextmanager
def _manager(answers: dict[str, Any]) -> Iterator[str]:
    """Answer as the filter before an engine does; what is not in `answers` fails as without a majority."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answers.get(self.path)
            body = json.dumps(found if found is not None else {"message": "no leader"}).encode()
            self.send_response(200 if found is not None else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with http_server(Handler) as url:
        yield url


def _samples(url: str) -> dict[tuple[str, ...], float]:
    registry = CollectorRegistry()
    registry.register(SwarmCollector(url, "ml"))
    found = (sample for family in registry.collect() for sample in family.samples)
    return {(each.name, *each.labels.values()): each.value for each in found}


def test_nodes_and_the_stacks_own_services_are_told() -> None:
    with _manager(_ANSWERS) as url:
        samples = _samples(url)

    assert samples.pop(("swarm_up",)) == 1
    assert {key[1:]: value for key, value in samples.items() if key[0] == "swarm_node_ready"} == {
        ("host-1", "manager", "active", "ready"): 1,
        ("host-2", "manager", "active", "ready"): 1,
        ("host-3", "manager", "active", "down"): 0,
    }
    assert {key[1]: value for key, value in samples.items() if key[0].endswith("_wanted")} == {
        "ml_api": 3,
        "ml_redis": 1,
        "ml_nginx": 2,
    }
    assert [key for key in samples if key[0] == "swarm_service_update"] == [
        ("swarm_service_update", "ml_api", "rollback_completed")
    ]


def test_replicas_on_a_lost_node_or_without_one_do_not_run() -> None:
    with _manager(_ANSWERS) as url:
        samples = _samples(url)

    assert {key[1]: value for key, value in samples.items() if key[0].endswith("_running")} == {
        "ml_api": 2,
        "ml_redis": 0,
        "ml_nginx": 1,
    }


@pytest.mark.parametrize(
    "answers", [{}, _ANSWERS | {"/tasks": {"message": "no"}}, _ANSWERS | {"/nodes": [3]}]
)
def test_managers_that_do_not_answer_are_told_of_and_nothing_else(answers: dict[str, Any]) -> None:
    with _manager(answers) as url:
        samples = _samples(url)

    assert samples == {("swarm_up",): 0}


def test_a_manager_that_is_away_is_told_of() -> None:
    with _manager(_ANSWERS) as url:
        pass

    assert _samples(url) == {("swarm_up",): 0}
