"""docs/security.md, "What is defended": every row names tests that exist."""

from __future__ import annotations

import re

import pytest

from tests.harness.repository import read
from tests.harness.repository_root import ROOT

_SECTION = read("docs/security.md").partition("## What is defended")[2].partition("\n## ")[0]
ROWS = [line.strip("| ").split(" | ") for line in _SECTION.splitlines() if line.startswith("| ")][2:]
_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_tests_that_exist(row: list[str]) -> None:
    *_, named = row
    tests = _TEST.findall(named)

    assert len(row) == 3
    assert tests
    for path, name in tests:
        text = (ROOT / "tests" / path).read_text("utf-8")
        assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), f"{path}::{name}"


def test_every_attack_through_the_front_door_is_in_the_table() -> None:
    named = {path for path, _ in _TEST.findall(_SECTION)}

    files = {
        *(ROOT / "tests/attacks").glob("test_*.py"),
        *(ROOT / "tests/attacks/production").glob("test_*.py"),
    }

    assert {str(path.relative_to(ROOT / "tests")) for path in files} <= named
