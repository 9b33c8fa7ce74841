"""The rows of a prediction with their true values, as rows of the training table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlstack.challenger.losses import Actual, class_name
from mlstack.data.table_columns import LONGEST_CATEGORY
from mlstack.registry.columns import Class, Kind, class_key
from mlstack.registry.manifest import Manifest

Row = dict[str, Any]  # column -> value; of the target None where the row cannot be learnt from


def has_columns(manifest: Manifest, kinds: Mapping[str, Kind]) -> bool:
    """Return whether the version's rows have these columns, the target last, each of the same kind."""
    target = list(kinds)[-1]
    found = {column.name: column.kind for column in manifest.table_columns}
    return manifest.target == target and all(found.get(name) == kind for name, kind in kinds.items())


class TrainingRows:
    """Makes the rows of one version's predictions."""

    def __init__(self, manifest: Manifest, columns: Sequence[str]) -> None:
        """`columns` are those of the training table, the target last; the version has them all."""
        self._names = manifest.features
        *self._features, self._target = columns
        self._classes: dict[str, Class] = {class_key(each): each for each in manifest.classes}

    def of(self, inputs: Sequence[Sequence[Any]], actual: Sequence[Actual]) -> Iterator[tuple[Row, bool]]:
        """Yield a row for each input row [k], and whether it has a true value that cannot be used."""
        for values, truth in zip(inputs, actual, strict=False):
            given = dict(zip(self._names, values, strict=True))
            cells: Row = {name: given[name] for name in self._features}
            usable = None if any(map(_too_long, cells.values())) else self._usable(truth)
            yield cells | {self._target: usable}, usable is None and truth is not None

    def _usable(self, truth: Actual) -> Actual:
        """Return the true value as the target's column holds it, None if the version cannot predict it.

        A class with a single row would keep the training from splitting it off, so a client's slip would stop
        the training: new classes begin in the user's own table.
        """
        if truth is None:
            return None
        if self._classes:
            return self._classes.get(class_name(truth))
        return None if isinstance(truth, bool | str) else truth


def _too_long(cell: object) -> bool:
    """Return whether a text is no category: the training would refuse the whole table."""
    return isinstance(cell, str) and len(cell) > LONGEST_CATEGORY
