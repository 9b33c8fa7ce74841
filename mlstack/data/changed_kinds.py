"""Columns of the training table that are of another kind than in the version that is served.

A model of other kinds has no rival at the quality gate, and callers of the servers would be refused (422).
So such a change is a finding, unless DATA_CHANGED_COLUMNS says that it is meant. Other columns than before,
and another table, are a person's choice by settings, and no finding.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from mlstack.registry.columns import VALUES, Column, Kind
from mlstack.registry.manifest import read_manifest
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import DataRefused, ModelRefused
from mlstack.runtime.settings import env_list

logger = logging.getLogger(__name__)


def read_changed_columns() -> tuple[str, ...]:
    """Return the columns whose kind may differ from the served version's."""
    return env_list("DATA_CHANGED_COLUMNS", "")


def refuse_changed_kinds(store: ModelStore, table: str, columns: Iterable[Column]) -> None:
    """Raise DataRefused with one line per column that find_changed_kinds finds."""
    findings = find_changed_kinds(store, table, columns, read_changed_columns())
    if findings:
        raise DataRefused(*findings)


def find_changed_kinds(
    store: ModelStore, table: str, columns: Iterable[Column], meant: Sequence[str]
) -> list[str]:
    """Return one line per column of another kind than in the served version, but for those that are `meant`.

    A kind that the latest version has was accepted when that was trained; so the stack can be started again
    after a rollback from it.
    """
    served, latest = store.current(), store.latest()
    before = _kinds(store, served, table)
    changed = [
        column
        for column in columns
        if before.get(column.name, column.kind) != column.kind and column.name not in meant
    ]
    accepted = _kinds(store, latest, table) if changed and latest not in {None, served} else {}
    return [
        _finding(f"{table}.{column.name}", column.kind, before[column.name], served)
        for column in changed
        if accepted.get(column.name) != column.kind
    ]


def _finding(column: str, now: Kind, before: Kind, served: int | None) -> str:
    return (
        f"{column}: holds {VALUES[now]}, but held {VALUES[before]} when version {served} was trained, "
        "which is served, and clients go by that: give the column its former type, or name it in "
        "DATA_CHANGED_COLUMNS if the change is meant"
    )


def _kinds(store: ModelStore, version: int | None, table: str) -> dict[str, Kind]:
    """Return the kinds of the version's columns and its target, none if it learnt from another table."""
    if version is None:
        return {}
    try:
        manifest = read_manifest(store.path(version))
    except ModelRefused as refused:  # a run heals it, and must not be kept from that
        logger.warning("the columns are not compared with a version's", extra={"reason": str(refused)})
        return {}
    if manifest.provenance.table != table:
        return {}
    return {column.name: column.kind for column in manifest.table_columns}
