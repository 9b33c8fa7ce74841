"""Versions that are tried beside the current one: a small file in the model volume for each.

shadow.json   the version that is scored on the requests whose answers have been sent already
canary.json   the version that answers a share of the callers
challengers.jsonl   what was tried when, who decided it and why
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from mlstack.registry.atomic_files import replace_file, sync_directory
from mlstack.registry.journal import append_lines, read_lines
from mlstack.registry.regular_files import read_regular_file
from mlstack.runtime.refusals import ModelRefused

Role = Literal["shadow", "canary"]
ROLES: tuple[Role, ...] = ("shadow", "canary")
FILE_NAME = "challengers.jsonl"
_MOST_BYTES = 4096
_ADVICE = "set it again with `models shadow` or `models canary`"


class Decision(NamedTuple):
    """Who decided, by which command and why."""

    by: str
    command: str
    reason: str


class Challenger(msgspec.Struct, frozen=True, kw_only=True):
    """A version that is tried, from `at` on."""

    version: int
    trial: str  # distinguishes this trial from others of the same version
    at: str
    share: float = 1.0  # of the callers, of a canary


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One line of what was tried: a trial began or ended."""

    role: Role
    version: int
    at: str
    by: str
    command: str
    reason: str


def read_challenger(root: Path, role: Role) -> Challenger | None:
    """Return the version that is tried in this role, if any; raise ModelRefused for a damaged file."""
    name = f"{role}.json"
    if not (root / name).exists():
        return None
    content = read_regular_file(root, name, _MOST_BYTES, _ADVICE)
    try:
        return msgspec.json.decode(content, type=Challenger)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelRefused(f"{root / name}: is damaged ({error}): {_ADVICE}") from error


def read_tried(root: Path) -> list[Tried]:
    """Return what was tried, in order."""
    return read_lines(root / FILE_NAME, Tried)


def begin(root: Path, role: Role, version: int, decision: Decision, share: float = 1.0) -> None:
    """Try `version` from now on; it replaces what was tried. The caller holds the writer's lock."""
    now = present_time()
    challenger = Challenger(version=version, trial=secrets.token_hex(8), at=now, share=share)
    entry = Tried(role=role, version=version, at=now, **decision._asdict())
    append_lines(root / FILE_NAME, [entry])
    replace_file(root / f"{role}.json", msgspec.json.encode(challenger) + b"\n")
    (root / f"{role}.json").chmod(0o644)


def end(root: Path, role: Role, decision: Decision, at: str = "") -> int | None:
    """End what is tried in this role; return its version. The caller holds the writer's lock."""
    version = tried_version(root, role)
    path = root / f"{role}.json"
    if not path.exists():
        return None
    path.unlink()
    sync_directory(root)
    if version is not None:
        entry = Tried(role=role, version=version, at=at or present_time(), **decision._asdict())
        append_lines(root / FILE_NAME, [entry])
    return version


def end_of_the_served(root: Path, version: int, by: str, command: str) -> None:
    """End the trials of a version that has become the current one: they would resume when it is replaced."""
    for role in ROLES:
        if tried_version(root, role) == version:
            end(root, role, Decision(by, command, "is the current version now"))


def tried_version(root: Path, role: Role) -> int | None:
    """Return the version that is tried in this role, None if there is none or the file is damaged."""
    try:
        challenger = read_challenger(root, role)
    except ModelRefused:
        return None
    return None if challenger is None else challenger.version


def present_time() -> str:
    """Return the present time as ISO 8601, with a resolution of a microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
