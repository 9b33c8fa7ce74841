"""On a Swarm Prometheus finds every replica, and its alerts tell of nodes, replicas and updates."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.harness.stack.waiting import wait_until
from tests.harness.swarm.alerts import query, wait_until_ended, wait_until_told
from tests.harness.swarm.lab import MACHINES, name
from tests.harness.swarm.stack import STORES, SwarmStack

_JOBS = {
    "ml-api": 2, "model-serve": 2, "nginx": len(MACHINES), "swarm": 1, "model-monitor": 1, "postgres": 2,
    "redis": 1, "alertmanager": 1, "prometheus": 1,
}  # fmt: skip


def test_every_replica_on_every_node_is_found_and_answers(stack: SwarmStack) -> None:
    stack.lab.docker("service", "scale", "--detach", f"{stack.service('api')}=2")
    stack.wait_until_running("api", 2)

    def found(state: int) -> Counter[str]:
        # A Prometheus that lost power tells of its earlier targets for five minutes: scraped lately counts.
        scraped = query(stack, f"up == {state} and time() - timestamp(up) < 30")
        return Counter(series["metric"]["job"] for series in scraped)

    wait_until(lambda: found(1) == _JOBS, 120, f"{_JOBS}", pause=2)
    wait_until(lambda: not found(0), 60, "no target that is down", pause=2)
    for metric in ("swarm_up", "nginx_up", "pg_up", "redis_up"):
        assert {series["value"][1] for series in query(stack, metric)} == {"1"}, metric


def test_what_the_swarm_says_of_replicas_is_what_docker_says(stack: SwarmStack) -> None:
    stack.wait_until_complete()

    def running() -> dict[str, str]:
        found = query(stack, "swarm_service_replicas_running")
        return {series["metric"]["service"].partition("_")[2]: series["value"][1] for series in found}

    jobs = {"data-prep", "database-access", "postgres-access"}
    listed = {service: n.split("/")[0] for service, n in stack.replicas().items() if service not in jobs}
    wait_until(lambda: running() == listed, 60, f"{listed}", pause=2)


def test_a_machine_without_power_is_told_of_until_it_is_back(stack: SwarmStack) -> None:
    machine = STORES["redis"]

    stack.lab.kill(machine)
    wait_until_told(stack, "NodeDown", node=name(machine))
    running = f'swarm_service_replicas_running{{service="{stack.service("redis")}"}}'
    assert [series["value"][1] for series in query(stack, running)] == ["0"]
    stack.lab.start(machine)

    wait_until_ended(stack, "NodeDown", node=name(machine))
    stack.wait_until_complete()


def test_a_replica_for_which_there_is_no_node_is_told_of(stack: SwarmStack) -> None:
    service = stack.service("api")

    stack.lab.docker("service", "scale", "--detach", f"{service}={2 * len(MACHINES) + 1}")
    wait_until_told(stack, "ReplicasMissing", service=service)
    stack.lab.docker("service", "scale", "--detach", f"{service}=2")

    wait_until_ended(stack, "ReplicasMissing", service=service)
    stack.wait_until_running("api", 2)


def test_an_update_that_goes_back_is_told_of_until_one_succeeds(stack: SwarmStack) -> None:
    service = stack.service("model-serve")

    stack.break_update("model-serve")
    wait_until_told(stack, "UpdateFailed", service=service, state="rollback_completed")
    stack.lab.docker("service", "update", "--detach", "--force", service)

    wait_until_ended(stack, "UpdateFailed", service=service)
    stack.wait_until_updated("model-serve")


_ASK = """
import sys, urllib.request, urllib.error
request = urllib.request.Request("http://swarm-state:2375" + sys.argv[2], method=sys.argv[1], data=None)
try:
    print(urllib.request.urlopen(request, timeout=5).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nodes", 200),
        ("GET", "/services?status=false", 200),
        ("GET", "/tasks", 200),
        ("POST", "/nodes", 405),
        ("DELETE", "/services", 405),
        ("GET", "/secrets", 403),
        ("GET", "/containers/json", 403),
        ("GET", "/services/create", 403),
        ("GET", "/v1.41/nodes", 403),
        ("GET", "/nodes/..%2fsecrets", 403),
        ("GET", "/nodes/%2e%2e/secrets", 403),
    ],
)
def test_the_engine_is_asked_three_questions_and_no_other(
    stack: SwarmStack, method: str, path: str, status: int
) -> None:
    answer = stack.exec("swarm-exporter", "python", "-c", _ASK, method, path)

    assert int(answer) == status


def test_only_the_exporter_can_reach_the_filter(stack: SwarmStack) -> None:
    look_up = ("python", "-c", "import socket; print(socket.gethostbyname('swarm-state'))")

    assert stack.exec("swarm-exporter", *look_up)
    with pytest.raises(AssertionError, match="gaierror"):
        stack.exec("api", *look_up)
