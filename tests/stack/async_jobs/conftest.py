"""A broker and a worker beside the shared stack."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.harness.jobs.client import PROFILE, Jobs
from tests.harness.stack.compose import Stack


@pytest.fixture(scope="package")
def refusal(stack: Stack) -> httpx.Response:
    """What POST /jobs says before the profile is there."""
    return stack.api.post("/jobs", json={"features": [1.0]})


@pytest.fixture(scope="package")
def jobs(stack: Stack, refusal: httpx.Response) -> Iterator[Jobs]:
    """The stack with a broker and one worker; without them again afterwards."""
    assert refusal.status_code == 503
    running = Jobs(stack)
    running.start()
    yield running
    stack.compose(*PROFILE, "rm", "--force", "--stop", "rabbitmq", "worker")
