"""What a model is trained on: rows, their columns, where they come from, and the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlstack.registry.columns import Column
from mlstack.registry.intervals import Interval
from mlstack.registry.manifest import Manifest
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import TrainingConfig
from mlstack.training.provenance import provenance
from mlstack.training.splitting import Split


@dataclass(frozen=True)
class Task:
    """The settings and the source of the rows."""

    config: TrainingConfig
    columns: tuple[Column, ...]  # of the table, the target last
    data_digest: str
    table_name: str

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns of a row."""
        return self.columns[:-1]

    @property
    def target(self) -> Column:
        """The column that is predicted."""
        return self.columns[-1]

    @property
    def plain(self) -> bool:
        """Whether every feature holds plain numbers."""
        return all(column.plain for column in self.features)

    def manifest(
        self, rows: int, split: Split, metrics: dict[str, float], interval: Interval, **more: Any
    ) -> Manifest:
        """Return the manifest of a model that was trained on so many rows, `more` being other members."""
        return Manifest(
            features=self.config.features,
            columns=self.features,
            target=self.config.target,
            estimator=self.config.estimator,
            parameters=self.config.parameters,
            metrics=metrics,
            interval=interval,
            provenance=provenance(self.config, self.data_digest, self.table_name, rows, split),
            **more,
        )


def number_columns(table: FloatArray, names: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of a table [n, k] of numbers, NaN being NULL, with their ranges."""
    found = []
    for position, name in enumerate(names):
        values = table[:, position]
        known = np.isfinite(values)  # one byte a row: the values are not copied
        low, high = None, None
        if known.any():
            low = float(values.min(initial=np.inf, where=known))
            high = float(values.max(initial=-np.inf, where=known))
        missing = bool(np.isnan(values).any())
        found.append(Column(name=name, kind="number", nullable=missing, low=low, high=high))
    return tuple(found)
