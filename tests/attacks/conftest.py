"""The stack in development with two replicas of each server, and what must hold after each attack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.harness.attacks.aftermath import PREDICTION, Aftermath
from tests.harness.mixed_models import publish_houses
from tests.harness.stack.compose import Stack
from tests.harness.stack.kept_load import Load
from tests.harness.stack.lifecycle import running_stack
from tests.harness.stack.model_volume import published_version
from tests.harness.stack.replicas import await_replicas

PORTS = {"api": "API_PORT", "model-serve": "SERVE_PORT"}


@pytest.fixture(scope="package")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The whole stack. An attack leaves it as it was: `aftermath` makes sure of that."""
    scales = ("--scale", "api=2", "--scale", "model-serve=2")
    with running_stack(request.session, "attacks", *scales) as running:
        await_replicas(running, "api", 2, 8000)
        await_replicas(running, "model-serve", 2, 5000)
        yield running


@pytest.fixture(scope="module")
def aftermath(stack: Stack) -> Iterator[Aftermath]:
    """Ask both servers all through an attack, and check what must hold after it; each file is an attack."""
    before = Aftermath.expected(stack)
    with ExitStack() as running:
        bystanders = [
            running.enter_context(Load(f"http://127.0.0.1:{stack.port(port)}/predict", PREDICTION, clients=1))
            for port in PORTS.values()
        ]
        yield before
    before.check(bystanders)


@pytest.fixture(scope="module")
def version(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A version of mixed columns beside the demonstration, which others are asking all the time."""
    with published_version(stack, tmp_path_factory.mktemp("houses"), publish_houses) as number:
        yield number


@pytest.fixture(params=PORTS)
def port(request: pytest.FixtureRequest, stack: Stack) -> int:
    """The published port of a server: each in turn."""
    return stack.port(PORTS[str(request.param)])
