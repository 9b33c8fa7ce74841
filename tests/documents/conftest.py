"""One desk for all documents: each goes on where the one before has ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.documents.session import Desk
from tests.harness.stack.lifecycle import clean_project


@pytest.fixture(scope="package")
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk with nothing running on it yet."""
    with clean_project(request.session, "documents") as stack:
        desk = Desk(stack)
        try:
            yield desk
        finally:
            desk.close()
