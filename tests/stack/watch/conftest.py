"""The overlay, shared by all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.monitoring.overlay import Monitoring, monitored
from tests.harness.monitoring.traffic import send_traffic
from tests.harness.stack.compose import Stack


@pytest.fixture(scope="package")
def monitoring(stack: Stack) -> Iterator[Monitoring]:
    """The overlay, after some traffic on both servers."""
    with monitored(stack) as running:
        send_traffic(stack)
        yield running
