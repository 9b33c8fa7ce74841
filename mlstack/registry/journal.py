"""Files of one JSON object a line, which are only ever added to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from mlstack.registry.atomic_files import sync_directory

T = TypeVar("T", bound=msgspec.Struct)


def append_lines(path: Path, entries: Sequence[msgspec.Struct]) -> None:
    """Add lines durably; a line before them that was cut short is ended first."""
    with path.open("ab+") as file:
        cut_short = file.tell() > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
        file.write(b"\n" * cut_short + b"".join(msgspec.json.encode(each) + b"\n" for each in entries))
        file.flush()
        os.fsync(file.fileno())
    sync_directory(path.parent)


def read_lines(path: Path, of: type[T]) -> list[T]:
    """Return the entries of the file; a line that was cut short or is damaged is left out."""
    entries = []
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            entries.append(msgspec.json.decode(line, type=of))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return entries
