"""Reads a plain linear model from its skops file with NumPy alone: importing scikit-learn takes a second.

Only a file that is exactly what skops writes for such a model is read. Whatever else it is, valid or not, is
left to skops (artifact.py), which then loads or refuses it.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np

from mlstack.registry.manifest import Manifest
from mlstack.runtime.arrays import FloatArray

# Their `predict` is rows @ coef_ + intercept_.
_CLASSES = {
    "LinearRegression": "sklearn.linear_model._base",
    "Ridge": "sklearn.linear_model._ridge",
    "Lasso": "sklearn.linear_model._coordinate_descent",
    "ElasticNet": "sklearn.linear_model._coordinate_descent",
}
_MOST_BYTES = 1 << 20  # of a file in the archive
_FAULTS = (
    zipfile.BadZipFile, zlib.error, msgspec.MsgspecError, UnicodeDecodeError,
    ValueError, TypeError, LookupError, OSError, EOFError, RuntimeError,
)  # fmt: skip


class _Json(msgspec.Struct, tag_field="__loader__", tag="JsonNode"):
    content: str


class _Array(msgspec.Struct, tag_field="__loader__", tag="NdArrayNode"):
    kind: Literal["ndarray", "float64"] = msgspec.field(name="__class__")
    module: Literal["numpy"] = msgspec.field(name="__module__")
    type: Literal["numpy"]
    file: str


class _Attributes(msgspec.Struct, tag_field="__loader__", tag="DictNode"):
    content: dict[str, _Json | _Array]


class _Estimator(msgspec.Struct, tag_field="__loader__", tag="ObjectNode"):
    kind: str = msgspec.field(name="__class__")
    module: str = msgspec.field(name="__module__")
    content: _Attributes
    protocol: Literal[2]  # of the format of skops


@dataclass(frozen=True)
class PlainLinear:
    """A linear model of one target. Predictions are bit for bit those of scikit-learn."""

    coef_: FloatArray  # [k]
    intercept_: float

    def predict(self, x: FloatArray) -> FloatArray:
        """Return predictions [n] for rows x [n, k]; raise ValueError for what is not finite."""
        if not np.isfinite(x).all():
            raise ValueError("the input contains NaN or infinity")
        values: FloatArray = x @ self.coef_ + self.intercept_
        return values


def _may_be_plain(manifest: Manifest) -> bool:
    """Return whether the manifest tells of a plain linear model of numbers."""
    library, _, name = manifest.estimator.rpartition(".")
    named = library == "sklearn.linear_model" and name in _CLASSES
    return named and not manifest.classes and all(column.plain for column in manifest.schema)


def read_plain_linear(content: bytes, manifest: Manifest, most_bytes: int) -> PlainLinear | None:
    """Return the model in a skops file, or None if it may be anything else than a plain linear model.

    That includes a file that unpacks to more than `most_bytes`.
    """
    if not _may_be_plain(manifest):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sizes = [member.file_size for member in archive.infolist()]
            if sum(sizes) > most_bytes or max(sizes) > _MOST_BYTES:
                return None
            return _read(archive, len(manifest.features))
    except _FAULTS:
        return None


def _read(archive: zipfile.ZipFile, features: int) -> PlainLinear | None:
    written = msgspec.json.decode(archive.read("schema.json"), type=_Estimator)
    if _CLASSES.get(written.kind) != written.module:
        return None
    attributes = written.content.content
    coefficients = _value(archive, attributes["coef_"])
    intercept = _value(archive, attributes["intercept_"])
    if _value(archive, attributes["n_features_in_"]) != features:
        return None
    if not isinstance(coefficients, np.ndarray) or coefficients.shape != (features,):
        return None
    if not isinstance(intercept, float):
        return None
    plain = coefficients.dtype == np.float64 and np.isfinite(coefficients).all() and np.isfinite(intercept)
    return PlainLinear(coefficients, float(intercept)) if plain else None


def _value(archive: zipfile.ZipFile, node: _Json | _Array) -> Any:
    if isinstance(node, _Json):
        return msgspec.json.decode(node.content)
    array = np.lib.format.read_array(io.BytesIO(archive.read(node.file)), allow_pickle=False)
    return array if node.kind == "ndarray" else array[()]
