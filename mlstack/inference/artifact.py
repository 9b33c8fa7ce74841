"""The estimator as a file: skops for the servers (loading cannot execute code), a joblib pickle for users."""

from __future__ import annotations

import io
import warnings
import zipfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mlstack.inference.table_model import for_tables
from mlstack.inference.trusted_types import trusted_types
from mlstack.registry.columns import Class, Column, example_rows
from mlstack.registry.manifest import Manifest
from mlstack.runtime.arrays import FloatArray
from mlstack.runtime.refusals import ModelRefused

_INSTEAD = (
    "the servers load no other, because they execute no code of a model: use scikit-learn's classes, or the "
    "regressors and classifiers of XGBoost and LightGBM"
)
_THREADS = {
    "n_jobs",
    "nthread",
    "nthreads",
    "num_thread",
    "num_threads",
}  # of scikit-learn, XGBoost, LightGBM
_ADVICE = "train again, or roll back with `models rollback`"


class Estimator(Protocol):
    """The methods of a scikit-learn estimator that this project uses."""

    def fit(self, x: FloatArray, y: FloatArray) -> object:
        """Train on rows x [n, k] and targets y [n]."""

    def predict(self, x: FloatArray) -> FloatArray:
        """Return predictions [n] or [n, 1] for rows x [n, k]."""

    def predict_proba(self, x: FloatArray) -> FloatArray:
        """Return a classifier's probabilities [n, c] for rows x [n, k]."""


def save_estimator(estimator: Estimator, directory: Path, manifest: Manifest | None = None) -> None:
    """Write model.skops and model.pkl; raise ModelRefused if the servers could not load it.

    With `manifest` the estimator in model.pkl takes the values of the table's columns, and gives labels.
    """
    import joblib  # noqa: PLC0415 - slow to import; only needed where a model is written or read
    import skops.io  # noqa: PLC0415

    path = directory / "model.skops"
    try:
        skops.io.dump(estimator, path)
    except OSError:  # the volume is full or cannot be written: the store says so
        raise
    except Exception as error:  # for what it cannot write it raises exceptions of many types
        reason = str(error).partition("\n")[0]
        raise ModelRefused(f"the estimator cannot be written as skops ({reason}): {_INSTEAD}") from error
    content = path.read_bytes()
    foreign = sorted(set(skops.io.get_untrusted_types(data=content)) - set(trusted_types(content, path)))
    if foreign:
        named = ", ".join(foreign)
        raise ModelRefused(f"the estimator holds types that are not scikit-learn's own: {named}: {_INSTEAD}")
    joblib.dump(for_tables(estimator, manifest) if manifest else estimator, directory / "model.pkl")


def load_estimator(
    path: Path, content: bytes, columns: tuple[Column, ...], classes: tuple[Class, ...], most_bytes: int
) -> Estimator:
    """Return the estimator in a skops file; raise ModelRefused if it does not predict from these columns.

    `path` is for messages. Types are checked before anything is built; a file that unpacks to more than
    `most_bytes` is not unpacked.
    """
    import skops.io  # noqa: PLC0415
    from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415

    try:
        _check_size(path, content, most_bytes)
        estimator: Any = skops.io.loads(content, trusted=trusted_types(content, path))
        _one_thread(estimator)
    except ModelRefused:
        raise
    except UntrustedTypesFoundException as error:
        raise ModelRefused(
            f"{path}: holds a type that is not scikit-learn's own ({error}): {_ADVICE}"
        ) from error
    except Exception as error:  # a damaged file makes skops and what it calls raise exceptions of many types
        reason = str(error).strip().partition("\n")[0]
        raise ModelRefused(
            f"{path}: cannot be loaded ({type(error).__name__}: {reason}): {_ADVICE}"
        ) from error
    _check_shape(path, estimator, columns, classes)
    return estimator  # type: ignore[no-any-return]


def _check_size(path: Path, content: bytes, most_bytes: int) -> None:
    """Raise ModelRefused for an archive too large when unpacked; zipfile unpacks no more than it declares."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > most_bytes:
        raise ModelRefused(f"{path}: unpacks to {unpacked} bytes, expected at most {most_bytes}: {_ADVICE}")


def _one_thread(part: Any) -> None:
    """Set n_jobs to 1 in an estimator and all that it is made of, fitted parts included.

    A thread pool per call is slower, and adds up the results in no fixed order.
    """
    if isinstance(part, list | tuple):
        for each in part:
            _one_thread(each)
    elif hasattr(part, "get_params") and not isinstance(part, type):
        jobs = dict.fromkeys(_THREADS & part.get_params(deep=False).keys(), 1)
        if jobs:
            part.set_params(**jobs)
        for each in list(vars(part).values()):
            _one_thread(each)


def _check_shape(path: Path, estimator: Any, columns: tuple[Column, ...], classes: tuple[Class, ...]) -> None:
    rows = example_rows(columns, 2)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = np.shape(estimator.predict_proba(rows) if classes else estimator.predict(rows))
    except Exception as error:
        raise ModelRefused(
            f"{path}: does not predict from {len(columns)} features ({error}): {_ADVICE}"
        ) from error
    if classes and found != (2, len(classes)):
        raise ModelRefused(
            f"{path}: gives probabilities {found} for 2 rows and {len(classes)} classes: {_ADVICE}"
        )
    if not classes and found not in {(2,), (2, 1)}:
        raise ModelRefused(f"{path}: predicts {found} for 2 rows, expected one number a row: {_ADVICE}")
