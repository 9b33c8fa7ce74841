"""What the images leave out of packages, against the packages installed for the tests: the same versions."""

from __future__ import annotations

import sysconfig
from functools import cache
from pathlib import Path

import pytest

from images.slim import matches, patterns

_LICENCES = ("LICENSE", "LICENCE", "COPYING", "NOTICE")


@cache
def _matches(pattern: str) -> list[Path]:
    return matches(Path(sysconfig.get_path("purelib")), pattern)


@pytest.mark.parametrize("pattern", patterns())
def test_every_pattern_still_matches(pattern: str) -> None:
    assert _matches(pattern)


@pytest.mark.parametrize("pattern", patterns())
def test_no_licence_is_left_out(pattern: str) -> None:
    files = [file for path in _matches(pattern) for file in (path, *path.rglob("*"))]

    assert not [file for file in files if file.name.upper().startswith(_LICENCES)]
