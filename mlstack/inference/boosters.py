"""XGBoost and LightGBM, which an image holds only if custom/requirements.txt names them.

skops keeps a booster as the bytes that its library saves it as, and loads it by handing them to the library's
C++ code. docs/decisions/0021-xgboost-and-lightgbm.md says what that risks, and what bounds it.
"""

from __future__ import annotations

import logging
import re
import sys
import warnings
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from mlstack.runtime.refusals import ModelRefused

# The only types of each library that are ever loaded.
TYPES = {
    "xgboost": (
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBRegressor",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRFRegressor",
        "xgboost.sklearn.XGBRFClassifier",
    ),
    "lightgbm": (
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMRegressor",
        "lightgbm.sklearn.LGBMClassifier",
        "collections.OrderedDict",  # scores while it was trained
    ),
}
INSTALL = "name it in custom/requirements.txt and build again: docker compose up --build"
_DISTRIBUTIONS = ("xgboost", "xgboost-cpu", "xgboost-cu12", "xgboost-cu13", "lightgbm")
_MODULE = re.compile(rb'"__module__": "(xgboost|lightgbm)[."]')

logger = logging.getLogger(__name__)


def is_booster(name: str) -> bool:
    """Return whether a dotted name begins with one of the libraries."""
    return name.partition(".")[0] in TYPES


def versions() -> dict[str, str]:
    """Return the versions of what is installed, by the name of the distribution."""
    found = {}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def prepare_imported() -> None:
    """Prepare the libraries that somebody else's code has imported as `import_booster` does."""
    for name in TYPES.keys() & sys.modules.keys():
        import_booster(name)


def import_installed() -> None:
    """Import the libraries that are installed; log what is wrong with one, which need not be used."""
    for name in TYPES:
        try:
            if find_spec(name) is not None:
                import_booster(name)
        except Exception as error:  # noqa: BLE001 - a shared library that is missing raises one of many types
            logger.warning("cannot be imported", extra={"library": name, "reason": _first_line(error)})


def import_booster(name: str) -> Any:
    """Import one of the libraries."""
    module = import_module(name)
    if name == "lightgbm":
        module.register_logger(_Messages())
    return module


class _Messages:
    """What LightGBM would print among the lines of the log: warnings become Python's."""

    def info(self, text: str) -> None:
        logger.debug(text)

    def warning(self, text: str) -> None:
        warnings.warn(text.strip(), UserWarning, stacklevel=2)


def libraries_in(schema: bytes) -> set[str]:
    """Return which of the libraries the schema of a skops file names."""
    return {found.decode() for found in _MODULE.findall(schema)}


def types_of(libraries: Iterable[str], path: object) -> list[str]:
    """Return the types to load for these libraries; raise ModelRefused if this image does not hold one.

    `path` is for messages.
    """
    found: list[str] = []
    for name in sorted(libraries):
        if find_spec(name) is None:
            raise ModelRefused(f"{path}: needs {name}, which this image does not hold: {INSTALL}")
        try:
            import_booster(name)
        except Exception as error:
            reason = _first_line(error)
            raise ModelRefused(f"{path}: needs {name}, which cannot be imported ({reason})") from error
        found += TYPES[name]
    return found


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
