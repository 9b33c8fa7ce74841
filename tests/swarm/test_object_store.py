"""Models in an object store: all replicas follow; one that starts without the store has a mirror."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec
import pytest
from obstore.store import S3Store

from mlstack.registry.bucket.index import KEY, Index
from tests.harness.processes.object_store import ObjectStore, object_store
from tests.harness.stack.waiting import wait_until
from tests.harness.swarm.stack import SwarmStack
from tests.harness.swarm.under_load import follow_change, under_load

_ADDRESS = "10.99.0.254"  # of this machine, on the laboratory's bridge
_KEYS = {"access": "the-access-key", "secret": "the-secret-key"}


@pytest.fixture(scope="module")
def bucket(stack: SwarmStack) -> Iterator[ObjectStore]:
    """Run an S3 server that all machines reach, and give its keys and its address to the stack."""
    for name, key in _KEYS.items():
        path = stack.folder / "secrets" / f"model_store_{name}_key" / "value"
        path.write_text(f"{key}\n", encoding="utf-8")
    with object_store(_ADDRESS) as server:
        place = server.new_place()
        stack.settings |= {"MODEL_STORE": place, "MODEL_STORE_ENDPOINT": server.endpoint}
        yield server


def test_the_stack_moves_into_a_bucket_and_follows_it(stack: SwarmStack, bucket: ObjectStore) -> None:
    with under_load(stack, "models moved into an object store"):
        stack.deploy()
        for service in ("api", "model-serve"):
            stack.wait_until_updated(service)
        mounts = stack.lab.docker(
            "service", "inspect", stack.service("api"), "-f", "{{json .Spec.TaskTemplate}}"
        )

    assert _current(stack, bucket) == 1
    assert str(stack.folder) not in mounts

    with under_load(stack, "retrained, models in an object store"):
        stack.train(seed=11)
        wait_until(lambda: _current(stack, bucket) == 2, 120, "another version", pause=0.2)

    with under_load(stack, "model rolled back, models in an object store") as clients:
        follow_change(clients, lambda: _current(stack, bucket), lambda: stack.models("rollback"))

    assert _current(stack, bucket) == 1
    assert "rollback" in stack.models("history")


def test_a_replica_that_starts_without_the_store_has_the_mirror(
    stack: SwarmStack, bucket: ObjectStore
) -> None:
    assert _current(stack, bucket) == 1, "the test above moves the stack into the bucket"
    for replicas in (6, 2):  # each node has a mirror once a replica was there
        stack.lab.docker("service", "scale", "--detach", f"{stack.service('api')}={replicas}")
        stack.wait_until_running("api", replicas)

    before = _tasks(stack)
    bucket.kill()
    machine = min(before.values())
    of_the_api = ("--filter", f"label=com.docker.swarm.service.name={stack.service('api')}")

    containers = stack.lab.docker("ps", "-q", *of_the_api, machine=machine).split()
    stack.lab.docker("kill", *containers, machine=machine)

    # A replica that is not ready does not run: Swarm waits for its health.
    wait_until(lambda: len(set(_tasks(stack)) - set(before)) == len(containers), 120, "other replicas")
    wait_until(lambda: len(_tasks(stack)) == len(before), 120, "all of them", pause=1)


def _tasks(stack: SwarmStack) -> dict[str, int]:
    """Return the machine of each replica of the api that runs."""
    return {task["ID"]: int(task["Node"][-1]) for task in stack.lab.tasks(stack.service("api"))}


def _current(stack: SwarmStack, bucket: ObjectStore) -> int | None:
    """Return the version to which the bucket's index points; nothing before there is one."""
    where = urlsplit(stack.settings["MODEL_STORE"])
    client = S3Store(
        where.netloc, prefix=where.path.strip("/"), endpoint=bucket.endpoint, region="us-east-1",
        access_key_id=_KEYS["access"], secret_access_key=_KEYS["secret"], client_options={"allow_http": True},
    )  # fmt: skip
    try:
        content = client.get(KEY).bytes()
    except FileNotFoundError:
        return None
    return msgspec.json.decode(bytes(content), type=Index).current
