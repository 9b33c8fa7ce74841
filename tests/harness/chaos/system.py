"""The stack under test: the services of the prediction path, and operations on their containers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.harness.chaos.engine import containers_on, docker
from tests.harness.stack.compose import Stack, terminal_environment
from tests.harness.stack.containers import Container
from tests.harness.stack.waiting import wait_until

SERVICES = ("postgres", "redis", "api", "nginx")
QUEUE, REJECTED = "predictions:queue", "predictions:rejected"

_PUBLISH = """
import hashlib, pathlib, sys
import numpy as np
from mlstack.registry.verdicts import Evaluation
from mlstack.registry.store import ModelStore
from mlstack.training.config import TrainingConfig
from mlstack.training.train import train_and_publish
store, slope = ModelStore(pathlib.Path("/models")), float(sys.argv[1])
x = np.random.default_rng(667).uniform(0, 20, 100)
table = np.column_stack([x, slope * x + 1 + np.sin(x)])
digest = hashlib.sha256(table.tobytes()).hexdigest()
version = train_and_publish(store, table, TrainingConfig(), digest, "chaos")
store.record(version, Evaluation(verdict="promoted"))
"""


def _environment() -> dict[str, str]:
    return terminal_environment() | {"COMPOSE_FILE": "docker-compose.yaml:tests/chaos/compose.yaml"}


@dataclass(frozen=True)
class System(Stack):
    """A Compose project with the prediction path only."""

    environment: dict[str, str] = field(default_factory=_environment)

    def start(self) -> None:
        """Bring it up with a first model: without one the api is not healthy."""
        self.publish(2.0)
        self.compose("up", "--detach", "--wait", *SERVICES, "disk", "clock")
        wait_until(lambda: self.api.get("/health").json()["status"] == "healthy", 60, "a healthy api")

    def delete(self) -> None:
        """Remove it with its data."""
        self.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "2", check=False)

    def publish(self, slope: float) -> None:
        """Train, publish and promote a model of y = slope · x + 1."""
        self.compose("run", "--rm", "--no-deps", "-T", "model-train", "python", "-c", _PUBLISH, str(slope))

    def in_model_volume(self, command: str) -> None:
        """Run a shell command where the model volume is /models and may be written."""
        self.compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "sh", "models", "-c", command)

    def on_disk(self, command: str) -> None:
        """Run a shell command where the prediction log's disk is /disk; it may fail, as on a full one."""
        self._run("disk", "sh", "-c", f"{command} || true")

    def sql(self, statement: str) -> list[str]:
        """Return the lines that the prediction log answers to its superuser."""
        command = ("psql", "-U", "postgres", "-d", "predictions", "-v", "ON_ERROR_STOP=1", "-qAt")
        return self._run("postgres", *command, stdin=statement).splitlines()

    def redis(self, *command: str) -> str:
        """Return what redis-cli prints."""
        return self._run("redis", "redis-cli", *command).strip()

    @contextmanager
    def link_down(self, container: Container) -> Iterator[None]:
        """Take down a container's only network interface for the block; it keeps its address.

        After `docker network disconnect` another container may get the address. If nginx gets the api's, it
        sends requests to itself until the DNS is asked again.
        """
        route = self._in_network_of(container, "ip route show default && ip link set eth0 down")
        try:
            yield
        finally:
            self._in_network_of(container, f"ip link set eth0 up && ip route replace {route}")

    def _in_network_of(self, container: Container, command: str) -> str:
        network = ("--network", f"container:{container.id}", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN")
        image = f"{self.project}-clock"
        return docker("run", "--rm", "--user", "0", *network, image, "sh", "-c", command).strip()

    def set_clock(self, offset: str) -> None:
        """Let the api's wall clock be wrong by `offset`, in libfaketime's form, and make sure that it is."""
        before = self.api_clock_offset()
        self._run("clock", "sh", "-c", f"echo {offset} >/clock/new && mv /clock/new /clock/offset")
        jumped = abs(self.api_clock_offset() - before)
        assert jumped > 60, f"the api's clock did not jump to {offset}: {jumped:g} s"

    def api_clock_offset(self) -> float:
        """Return by how many seconds the wall clock in the api's container differs from this machine's."""
        return float(self._run("api", "python", "-c", "import time; print(time.time())")) - time.time()

    def _run(self, service: str, *command: str, stdin: str = "") -> str:
        """Run a command in the first container of a service: `docker exec` starts faster than Compose."""
        return docker("exec", "--interactive", f"{self.project}-{service}-1", *command, stdin=stdin)

    def starts(self, service: str) -> tuple[int, str]:
        """Return values that differ between runs of a service's container."""
        inspected = self.container(service).inspected
        return int(inspected["RestartCount"]), str(inspected["State"]["StartedAt"])

    def cut_off(self, container: Container, network: str) -> None:
        """Disconnect a container from a network: packets are dropped without an error."""
        docker("network", "disconnect", "--force", f"{self.project}_{network}", container.id)

    def connect(self, container: Container, network: str) -> None:
        """Put a container back, under its service's name."""
        name = f"{self.project}_{network}"
        if container.id not in containers_on(name):
            docker("network", "connect", "--alias", container.service, name, container.id)
