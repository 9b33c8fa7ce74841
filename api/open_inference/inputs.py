"""Rows from input tensors: one tensor per column, or numbers in one tensor [n, features]."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from api.open_inference.elements import NUMBERS
from api.open_inference.tensors import Tensor
from mlstack.inference.encoding import Cell
from mlstack.inference.loaded_model import LoadedModel
from mlstack.registry.columns import Column
from mlstack.runtime.arrays import FloatArray
from mlstack.web.problems import InvalidInput

_DATATYPE = {"number": "FP64", "boolean": "BOOL", "category": "BYTES"}
_TAKES: dict[str, frozenset[str]] = {
    "number": frozenset(NUMBERS), "boolean": frozenset({"BOOL"}), "category": frozenset({"BYTES"}),
}  # fmt: skip


def describe_inputs(model: LoadedModel) -> list[dict[str, Any]]:
    """Return the metadata of the inputs."""
    if model.plain:
        return [{"name": "input", "datatype": "FP64", "shape": [-1, model.n_features]}]
    return [
        {"name": column.name, "datatype": _DATATYPE[column.kind], "shape": [-1]} for column in model.columns
    ]


def number_rows(tensors: Mapping[str, Tensor], features: tuple[str, ...]) -> FloatArray:
    """Return float64 rows [n, k] from one tensor of that shape, or from one tensor per feature."""
    arrays = {name: _numbers(name, tensor) for name, tensor in tensors.items()}
    if len(arrays) > 1 or (len(features) == 1 and set(arrays) == set(features)):
        return _joined(arrays, features)
    (array,) = arrays.values()
    return array.reshape(-1, len(features)) if array.ndim == 1 else array


def check_columns(names: Sequence[str], columns: Sequence[Column]) -> None:
    """Raise InvalidInput, naming the column, unless there is one tensor for each."""
    known = [column.name for column in columns]
    for name, times in Counter(names).items():
        if name not in known:
            raise InvalidInput(f"{_one_for_each(columns)}; there is no column {name[:64]}")
        if times > 1:
            raise InvalidInput(f"{_one_for_each(columns)}; {name} is there {times} times")
    for name in known:
        if name not in names:
            raise InvalidInput(f"{_one_for_each(columns)}; {name} is missing")


def column_rows(tensors: Mapping[str, Tensor], columns: Sequence[Column]) -> list[tuple[Cell, ...]]:
    """Return rows of one value per column from one tensor per column; NaN is NULL."""
    cells = [_cells(tensors[column.name], column) for column in columns]
    if len({len(column) for column in cells}) != 1:
        raise InvalidInput(f"{_one_for_each(columns)}, all of one length")
    return list(zip(*cells, strict=True))


def _one_for_each(columns: Sequence[Column]) -> str:
    return f"expected one tensor for each of {', '.join([column.name for column in columns[:20]])}"


def _numbers(name: str, tensor: Tensor) -> FloatArray:
    expected = f"input {name[:64]}: expected finite numbers"
    if tensor.datatype not in NUMBERS:
        raise InvalidInput(f"{expected}; got {tensor.datatype}")
    if isinstance(tensor.elements, list):
        raise InvalidInput(f"{expected}; got null")
    if not np.isfinite(tensor.elements).all():
        raise InvalidInput(f"{expected}; got NaN or Infinity")
    return tensor.elements.reshape(tensor.shape) + 0.0


def _joined(arrays: Mapping[str, FloatArray], features: tuple[str, ...]) -> FloatArray:
    expected = f"expected one tensor of shape [-1, {len(features)}], or one for each of {', '.join(features)}"
    if set(arrays) != set(features):
        raise InvalidInput(f"{expected}; got {', '.join(sorted(arrays))[:200]}")
    columns = [arrays[name].reshape(-1) for name in features]
    if len({len(column) for column in columns}) != 1:
        raise InvalidInput(f"{expected}, all of one length")
    return np.column_stack(columns)


def _cells(tensor: Tensor, column: Column) -> Sequence[Cell]:
    if tensor.datatype not in _TAKES[column.kind]:
        raise InvalidInput(
            f"column {column.name}: expected datatype {_DATATYPE[column.kind]}; got {tensor.datatype}"
        )
    if len(tensor.shape) == 2 and tensor.shape[1] != 1:
        raise InvalidInput(f"column {column.name}: expected shape [n] or [n, 1]; got {tensor.shape}")
    if isinstance(tensor.elements, list):
        return tensor.elements
    return [None if math.isnan(value) else value for value in tensor.elements.tolist()]
