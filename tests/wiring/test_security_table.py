"""docs/security.md: every row of "What is defended" and "What was broken" names tests that exist."""

from __future__ import annotations

import re

import pytest

from tests.harness.repository import read
from tests.harness.repository_root import ROOT

_PAGE = read("docs/security.md")


def _section(heading: str) -> str:
    return _PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def _rows(section: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][2:]


_SECTION = _section("What is defended")
ROWS = [*_rows(_SECTION), *_rows(_section("What was broken"))]
_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_tests_that_exist(row: list[str]) -> None:
    *_, named = row
    tests = _TEST.findall(named)

    assert len(row) in {3, 4}
    assert tests
    for path, name in tests:
        text = (ROOT / "tests" / path).read_text("utf-8")
        assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), f"{path}::{name}"


def test_all_tests_that_the_page_names_exist() -> None:
    assert len(_TEST.findall(_PAGE)) > len(ROWS)
    for path, name in _TEST.findall(_PAGE):
        assert f"def {name}(" in (ROOT / "tests" / path).read_text("utf-8"), f"{path}::{name}"


def test_every_attack_through_the_front_door_is_in_the_table() -> None:
    named = {path for path, _ in _TEST.findall(_SECTION)}

    files = {
        *(ROOT / "tests/attacks").glob("test_*.py"),
        *(ROOT / "tests/attacks/production").glob("test_*.py"),
    }

    assert {str(path.relative_to(ROOT / "tests")) for path in files} <= named
