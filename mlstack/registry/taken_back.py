"""Canaries that servers have taken back: a file for each in a folder that they may write to.

Servers only read the model volume. Whoever controls one can write here, and so end a canary, nothing else.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from mlstack.registry.atomic_files import replace_file
from mlstack.registry.challengers import Challenger, present_time
from mlstack.registry.regular_files import read_regular_file
from mlstack.runtime.refusals import ModelRefused

_MOST_BYTES = 4096
_MOST_CHARACTERS = 500
_UNREADABLE = "the file of the server that did it cannot be read"


class TakenBack(msgspec.Struct, frozen=True, kw_only=True):
    """That a canary was taken back."""

    version: int
    at: str
    by: str  # which server
    reason: str


def _name(canary: Challenger) -> str:
    return f"canary-{canary.trial}.json"


def read_taken_back(events: Path, canary: Challenger) -> TakenBack | None:
    """Return that this canary was taken back, None if it was not. A file that is damaged counts."""
    if not canary.trial.isalnum() or not (events / _name(canary)).exists():
        return None
    with suppress(ModelRefused, msgspec.DecodeError, UnicodeDecodeError):
        content = read_regular_file(events, _name(canary), _MOST_BYTES, "remove it")
        found = msgspec.json.decode(content, type=TakenBack)
        if found.version == canary.version and (found.at + found.by + found.reason).isprintable():
            return found
    return TakenBack(version=canary.version, at=present_time(), by="unknown", reason=_UNREADABLE)


def write_taken_back(events: Path, canary: Challenger, by: str, reason: str) -> None:
    """Tell all servers that the canary was taken back; raise OSError if the folder cannot be written."""
    if (events / _name(canary)).exists():
        return
    found = TakenBack(version=canary.version, at=present_time(), by=by, reason=reason[:_MOST_CHARACTERS])
    replace_file(events / _name(canary), msgspec.json.encode(found) + b"\n")
    (events / _name(canary)).chmod(0o644)
