"""The estimator that a file of the user's makes: MODEL_ESTIMATOR=model.py:make_estimator.

It runs in the training steps only. The servers load what the classes of scikit-learn, XGBoost and LightGBM
hold, and no code.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import traceback
from pathlib import Path
from typing import Any

from mlstack.inference.boosters import INSTALL
from mlstack.runtime.refusals import TrainingRefused
from mlstack.runtime.settings import SettingsError, env

_NAME = re.compile(r"(?P<file>\w+)\.py:(?P<function>\w+)")


class _NoFunction(Exception):
    """The file has no function of that name."""


def is_custom(estimator: str) -> bool:
    """Return whether MODEL_ESTIMATOR names a file of the user's."""
    return _NAME.fullmatch(estimator) is not None


def source_digest(estimator: str) -> str:
    """Return the SHA-256 over the Python files of the folder, "" for a class of scikit-learn."""
    if not is_custom(estimator):
        return ""
    path = _path(estimator)
    if not path.is_file():
        raise SettingsError(
            f"MODEL_ESTIMATOR names {estimator}, and there is no file {path.name} in the folder custom"
        )
    digest = hashlib.sha256()
    for source in sorted(path.parent.glob("*.py")):
        content = source.read_bytes()
        digest.update(f"{source.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def make_custom(estimator: str) -> Any:
    """Call the user's function; raise TrainingRefused if it fails or returns no estimator."""
    try:
        made = _call(estimator)
    except Exception as error:  # whatever the user's code raises
        raise TrainingRefused(f"MODEL_ESTIMATOR {estimator}: {_reason(estimator, error)}") from error
    if isinstance(made, type) or not all(hasattr(made, name) for name in ("fit", "predict", "get_params")):
        raise TrainingRefused(
            f"MODEL_ESTIMATOR {estimator} returned {made!r:.60}, expected an unfitted estimator"
        )
    return made


def _reason(estimator: str, error: Exception) -> str:
    """Return why the user's function made no estimator, in one line."""
    file, _, function = estimator.partition(":")
    if isinstance(error, _NoFunction):
        return f"{file} has no function {function}"
    if isinstance(error, ModuleNotFoundError):
        package = str(error.name).partition(".")[0]
        if importlib.util.find_spec(package) is None:
            return f"it imports {package}, which this image does not hold: {INSTALL}"
    line = traceback.extract_tb(error.__traceback__)[-1]
    reason = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {reason} ({Path(line.filename).name}, line {line.lineno})"


def _call(estimator: str) -> Any:
    path, function = _path(estimator), estimator.partition(":")[2]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))  # it may import its neighbours
    try:
        spec.loader.exec_module(module)
        if not callable(getattr(module, function, None)):
            raise _NoFunction
        return getattr(module, function)()
    finally:
        sys.path.remove(str(path.parent))


def _path(estimator: str) -> Path:
    return Path(env("CUSTOM_DIR", "custom")).absolute() / estimator.partition(":")[0]
