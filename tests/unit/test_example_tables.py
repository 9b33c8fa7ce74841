"""The tables of the worked examples are what their script writes."""

from __future__ import annotations

import runpy

import pytest

from tests.harness.repository_root import ROOT


@pytest.mark.parametrize("name", ["tickets", "flats"])
def test_the_table_of_an_example_is_what_its_script_writes(name: str) -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "develop" / "example_tables.py"))

    assert (ROOT / "docs" / f"{name}.csv").read_text("utf-8") == script[name]()
