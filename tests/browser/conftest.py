"""The running stack, shared by all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stack.compose import Stack
from tests.stack.lifecycle import running_stack


@pytest.fixture(scope="package")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The whole stack, healthy."""
    with running_stack(request.session, "browser") as running:
        yield running
