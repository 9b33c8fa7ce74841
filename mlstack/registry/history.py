"""What was served and why: history.jsonl in the model volume, one line for each change of the served version.

A line is written before the link `current` is changed. The link alone says what is served: if a writer was
killed in between, the last line names another version and counts as not carried out.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from mlstack.registry.challengers import end_of_the_served
from mlstack.registry.journal import append_lines, read_lines
from mlstack.registry.layout import linked_version, set_current, version_numbers
from mlstack.registry.verdicts import read_evaluation

FILE_NAME = "history.jsonl"
GATE = "quality gate"
PERSON = "person"
UNKNOWN = "unknown"  # the history was begun, or the link changed, by a release that keeps no history


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """One line: from `at` on, `version` was served."""

    version: int
    at: str = ""
    by: str = UNKNOWN
    command: str = ""  # such as `models rollback`
    reason: str = ""
    rolled_back: int | None = None  # the version that a rollback replaced


def served_now(version: int, by: str, command: str, reason: str, rolled_back: int | None = None) -> Served:
    """Return the line for a version that becomes current now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Served(version=version, at=now, by=by, command=command, reason=reason, rolled_back=rolled_back)


def read_history(root: Path) -> list[Served]:
    """Return what was served, in order; the last entry is what is served now, if anything is."""
    entries = read_lines(root / FILE_NAME, Served) or _from_evaluations(root)
    return entries + _correction(entries, linked_version(root, "current"))


def append(root: Path, entry: Served) -> None:
    """Add a line durably, after what is missing before it; the caller holds the writer's lock."""
    known = read_lines(root / FILE_NAME, Served)
    append_lines(root / FILE_NAME, [*read_history(root)[len(known) :], entry])


def _correction(entries: list[Served], current: int | None) -> list[Served]:
    """Return the entry that is missing if the last one does not name the current version."""
    if current is None or (entries and entries[-1].version == current):
        return []
    if len(entries) > 1 and entries[-2].version == current:
        undone = entries[-1].version
        reason = f"version {undone} was not served: the command was interrupted"
        return [Served(version=current, at=entries[-1].at, reason=reason, rolled_back=undone)]
    return [Served(version=current, reason="served by a release that keeps no history")]


def serve(root: Path, entry: Served) -> None:
    """Make the entry's version current, unless it is already; the caller holds the writer's lock."""
    if linked_version(root, "current") != entry.version:
        append(root, entry)
        set_current(root, entry.version)
        end_of_the_served(root, entry.version, entry.by, entry.command)


def serving_order(entries: list[Served]) -> list[int]:
    """Return the versions to roll back along, the served one last: a rollback ends what it replaced."""
    order: list[int] = []
    for entry in entries:
        if entry.rolled_back is not None and entry.version in order:
            while order[-1] != entry.version:
                order.pop()
        elif not order or order[-1] != entry.version:
            order.append(entry.version)
    return order


def _from_evaluations(root: Path) -> list[Served]:
    """Return what the verdicts tell of a volume without history: what was promoted, in order of time."""
    promoted = []
    for version in version_numbers(root):
        evaluation = read_evaluation(root / "versions" / str(version))
        if evaluation.verdict == "promoted":
            entry = Served(version=version, at=evaluation.decided_at, reason=evaluation.reason)
            promoted.append(entry)
    current = linked_version(root, "current")
    return sorted(promoted, key=lambda entry: (entry.version == current, entry.at, entry.version))
