"""docs/architecture.md, "What happens when a part is down": every row is a test that there is."""

from __future__ import annotations

import re

import pytest

from tests.harness.repository import is_step, read, services
from tests.harness.repository_root import ROOT

_SECTION = (
    read("docs/architecture.md").partition("## What happens when a part is down")[2].partition("\n## ")[0]
)
ROWS = [line.strip("| ").split(" | ") for line in _SECTION.splitlines() if line.startswith("| ")][2:]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_tests_that_there_are(row: list[str]) -> None:
    *_, named = row
    tests = re.findall(r"`([\w/]+\.py)::(test_\w+)`", named)

    assert len(row) == 5
    assert tests
    for path, name in tests:
        assert re.search(
            rf"^(async )?def {name}\(", (ROOT / "tests" / path).read_text("utf-8"), re.MULTILINE
        ), path


def test_there_is_a_row_for_every_server() -> None:
    servers = {name for name, service in services("async").items() if not is_step(service)}

    named = {name for down, *_ in ROWS for name in re.findall(r"`([a-z-]+)`", down)}

    assert named >= servers
