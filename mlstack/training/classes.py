"""The classes of a classifier's target, and their positions, which it is trained on."""

from __future__ import annotations

import numpy as np

from mlstack.registry.columns import Class, Column
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import TrainingRefused

_NAMED = 5  # classes in a message


def find_classes(y: FloatArray, target: Column, most: int) -> tuple[Class, ...]:
    """Return the classes among encoded targets y [n], sorted; raise TrainingRefused if they are none."""
    if np.isnan(y).any():
        raise TrainingRefused(f"{target.name}: holds NULL or NaN, and it is the target")
    values, counts = np.unique(y, return_counts=True)
    if target.kind == "number" and not (values == np.rint(values)).all():
        raise TrainingRefused(
            f"{target.name}: holds fractions, and a classifier predicts classes: text, whole numbers "
            "or booleans; choose a regressor, or another target"
        )
    if len(values) > most:
        raise TrainingRefused(
            f"{target.name}: has {len(values)} classes, DATA_MAX_CATEGORIES allows {most}: "
            "group them, raise the limit, or choose a regressor"
        )
    if len(values) < 2:
        raise TrainingRefused("the target is the same in every row: there is nothing to learn")
    classes = tuple(_class(value, target) for value in values.tolist())
    rare = [str(each) for each, count in zip(classes, counts, strict=True) if count < 2]
    if rare:
        more = f" and {len(rare) - _NAMED} more" if len(rare) > _NAMED else ""
        raise TrainingRefused(
            f"{target.name}: class {', '.join(rare[:_NAMED])}{more} has 1 row, "
            "and each class needs 2 or more, one of them to hold out"
        )
    return classes


def class_positions(y: FloatArray, classes: tuple[Class, ...]) -> FloatArray:
    """Return the position in `classes` of each encoded target of y [n]."""
    if isinstance(classes[0], str):
        return y  # that is how text is encoded
    return np.searchsorted(np.array(classes, dtype=np.float64), y).astype(np.float64)


def _class(value: float, target: Column) -> Class:
    if target.kind == "category":
        return target.categories[int(value)]
    return bool(value) if target.kind == "boolean" else int(value)
