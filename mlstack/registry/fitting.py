"""Whether a version can answer the requests of another one."""

from __future__ import annotations

from mlstack.registry.columns import Column
from mlstack.registry.manifest import Manifest


def misfit(served: Manifest, other: Manifest, *, same_rows: bool) -> str | None:
    """Return why `other` cannot score the rows that `served` takes, None if it can.

    It may need fewer columns and know other categories. With `same_rows` it must take the very same rows,
    because clients send them by position, too.
    """
    if other.target != served.target:
        return f"it predicts {other.target}, not {served.target}"
    if bool(other.classes) != bool(served.classes):
        kinds = ("numbers", "classes")
        return f"it predicts {kinds[bool(other.classes)]}, not {kinds[bool(served.classes)]}"
    if same_rows and other.features != served.features:
        return f"it takes the columns {', '.join(other.features)}, not {', '.join(served.features)}"
    columns = {column.name: column for column in served.schema}
    return next(filter(None, (_misfit(columns.get(column.name), column) for column in other.schema)), None)


def _misfit(known: Column | None, column: Column) -> str | None:
    """Return why a value of the column `known` is none of `column`."""
    if known is None:
        return f"it needs the column {column.name}, which requests do not have"
    if known.kind != column.kind:
        return f"its column {column.name} is a {column.kind}, in requests it is a {known.kind}"
    if known.nullable and not column.nullable:
        return f"its column {column.name} may not be null, in requests it may"
    return None
