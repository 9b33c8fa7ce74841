"""One terminal for all documents: each continues where the previous one ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.documents.session import Terminal
from tests.harness.stack.lifecycle import clean_project


@pytest.fixture(scope="package")
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """A terminal in an empty Compose project."""
    with clean_project(request.session, "documents") as stack:
        terminal = Terminal(stack)
        try:
            yield terminal
        finally:
            terminal.close()
