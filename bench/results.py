"""Writing results: raw numbers as JSON into build/bench/, tables into docs/performance.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from bench.stores import ROOT

_PAGE = ROOT / "docs" / "performance.md"


def write_numbers(name: str, numbers: Any) -> Path:
    """Write build/bench/<name>.json."""
    path = ROOT / "build" / "bench" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(numbers), indent=1))
    return path


def write_section(name: str, text: str) -> None:
    """Replace what stands between the section's two markers in docs/performance.md."""
    begin, end = f"<!-- bench: {name} -->", f"<!-- /bench: {name} -->"
    page = _PAGE.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"{_PAGE} has no markers {begin} … {end}")
    replacement = f"{begin}\n{text.strip()}\n{end}"
    _PAGE.write_text(pattern.sub(lambda _: replacement, page), encoding="utf-8")
