"""The running stack, shared by all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.stack.compose import Stack
from tests.harness.stack.lifecycle import running_stack


@pytest.fixture(scope="package")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The whole stack, healthy. Leave it as you found it."""
    with running_stack(request.session, "stack") as running:
        yield running
