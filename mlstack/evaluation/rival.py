"""The current version as the rival of a candidate: the candidate's hold-out rows, as the rival takes them.

Both versions answer the same rows. Each has codes of its own for categories, so that a row is encoded anew
for the rival; a category that it has not seen is unseen, as it is when a client sends it. A rival that takes
no NULL in a column would refuse such a row, so only the rows without one are compared. Versions of other
columns, of another kind of column or of another target are not compared at all.

Classes: if the versions know different ones, the rows of the classes that both know are compared, by the
probabilities given that the class is one of these: p(c) / Σ p over the shared classes. Log loss is a proper
score of these, too (it is that of p(c | x, c is shared)), so that neither version wins or loses by what it
gives to a class that the other has never seen. It says nothing about the other classes.

Rows that the rival was trained on: of a table that has changed, the hold-out is drawn anew, and the rival has
seen most of it. A linear model gains next to nothing by that. One that remembers rows, such as a forest,
looks better than it is, so its error counts as no smaller than the one it had on its own hold-out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mlstack.evaluation.scores import enough_rows, too_few
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_model
from mlstack.registry.columns import UNSEEN, VALUES, Column
from mlstack.registry.manifest import Manifest, Provenance
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import ModelRefused

logger = logging.getLogger(__name__)

_NAMED = 5  # columns in a message


class RivalRows(NamedTuple):
    """Rows in the rival's encoding."""

    rows: FloatArray  # [t, k]: those that it takes
    taken: npt.NDArray[np.bool_]  # [m]: which rows these are
    unseen: int  # how many of them have a category that it has not seen


@dataclass(frozen=True)
class Rival:
    """The current version, and the columns of the rows that it is to answer."""

    model: LoadedModel
    columns: tuple[Column, ...]  # of the candidate
    # Positions of the shared classes in the candidate's and in the rival's; None if all are the same.
    shared: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]] | None = None
    remembers: bool = False  # of all classes: it may have seen rows of the hold-out, and is not linear

    def own_figure(self, deciding: str) -> float | None:
        """Return its metric on its own hold-out, if it is that by which it has to be judged, too."""
        return self.model.metrics.get(deciding) if self.remembers else None

    @property
    def scope(self) -> str:
        """Which rows it is compared on, if these are not all: `of …` or `without …`."""
        parts = []
        if self.shared is not None:
            parts.append("of the classes that both know, by the probabilities given that it is one of them")
        given = {column.name: column.nullable for column in self.columns}
        full = [column.name for column in self.model.columns if given[column.name] and not column.nullable]
        if full:
            parts.append(f"without NULL in {_listed(full)}")
        return ", and ".join(parts)

    def encode(self, x: FloatArray) -> RivalRows:
        """Return the candidate's rows x [m, k] as the rival takes them."""
        if self.model.columns == self.columns:
            return RivalRows(np.ascontiguousarray(x), np.ones(len(x), dtype=np.bool_), 0)
        places = {column.name: position for position, column in enumerate(self.columns)}
        rows = np.empty(x.shape)
        taken, unseen = np.ones(len(x), dtype=np.bool_), np.zeros(len(x), dtype=np.bool_)
        for position, mine in enumerate(self.model.columns):
            place = places[mine.name]
            rows[:, position] = _recoded(x[:, place], self.columns[place], mine)
            unseen |= (rows[:, position] == UNSEEN) & (mine.kind == "category")
            if not mine.nullable:
                taken &= ~np.isnan(rows[:, position])
        return RivalRows(np.ascontiguousarray(rows[taken]), taken, int(unseen[taken].sum()))


class Found(NamedTuple):
    """The current version as a rival; or why it is none; or neither, if there is no other version."""

    rival: Rival | None = None
    not_compared: str = ""

    def why_not(self, shared: int, rows: int) -> str:
        """Return why it is not compared if it takes `shared` of so many rows, "" if it is; log too few."""
        if self.rival is None or enough_rows(shared, rows):
            return self.not_compared
        return not_compared(self.rival.model.version, too_few(shared, rows)).not_compared


def find_rival(store: ModelStore, version: int, manifest: Manifest) -> Found:
    """Return the current version as the rival of `version`; log why it is none."""
    current = store.current()
    if current is None or current == version:
        return Found()
    try:
        model = load_model(store.loadable(current))
    except ModelRefused as refused:
        return not_compared(current, str(refused))
    reason = _difference(model, manifest)
    if reason:
        return not_compared(current, reason)
    if model.classes == manifest.classes:
        remembers = not model.quick and not _same_holdout(model.manifest.provenance, manifest.provenance)
        return Found(Rival(model, manifest.schema, remembers=remembers))
    both = set(model.classes) & set(manifest.classes)
    mine, theirs = (
        np.array([place for place, each in enumerate(classes) if each in both])
        for classes in (manifest.classes, model.classes)
    )
    return Found(Rival(model, manifest.schema, (mine, theirs)))


def not_compared(current: int, reason: str) -> Found:
    """Log that the current version is not compared, and return it."""
    logger.warning(
        "the current version is not compared", extra={"current_version": current, "reason": reason}
    )
    return Found(not_compared=f"version {current} was not compared: {reason}")


def _same_holdout(one: Provenance, other: Provenance) -> bool:
    """Return whether no row of either hold-out was used for training by the other version."""
    same_rows = one.data == other.data or one.split == other.split == "hashed"
    return same_rows and (one.split, one.test_fraction) == (other.split, other.test_fraction)


def _difference(model: LoadedModel, manifest: Manifest) -> str:
    """Return why rows for `manifest` are none for `model`, "" if both can answer them."""
    if model.target != manifest.target:
        return f"it predicts {model.target}"
    if bool(model.classes) != bool(manifest.classes):
        return f"it predicts {'classes' if model.classes else 'numbers'}"
    if model.classes and not _two_shared(model, manifest):
        return "fewer than two of its classes are classes of this version"
    mine = {column.name: column.kind for column in model.columns}
    if mine.keys() != set(manifest.features):
        return f"its columns are {_listed(model.features)}"
    for column in manifest.schema:
        if column.kind != mine[column.name]:
            return f"its column {column.name} holds {VALUES[mine[column.name]]}, not {VALUES[column.kind]}"
    return ""


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _two_shared(model: LoadedModel, manifest: Manifest) -> bool:
    same_type = type(model.classes[0]) is type(manifest.classes[0])  # in Python, True is 1
    return same_type and len(set(model.classes) & set(manifest.classes)) > 1


def _recoded(values: FloatArray, given: Column, mine: Column) -> FloatArray:
    """Return a column's values [m] with the codes of `mine` in place of those of `given`."""
    if given.kind != "category" or given.categories == mine.categories:
        return values
    known = {name: float(code) for code, name in enumerate(mine.categories)}
    codes = np.array([*(known.get(name, UNSEEN) for name in given.categories), UNSEEN])
    found = values.copy()
    present = ~np.isnan(values)
    found[present] = codes[values[present].astype(np.intp)]  # the last one is that of UNSEEN, -1
    return found
