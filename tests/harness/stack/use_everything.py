"""Runs inside an image: imports every module of ours and all they import, and fits estimators.

It prints one line per thing that is missing. It is no part of the images: `docker run -i IMAGE python -`
reads it from standard input.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

_FOR_TYPE_CHECKERS = {"_typeshed", "_typeshed.wsgi"}
_OPTIONAL = {"obstore"}  # an image has it if it is built for an object store
_MISSING = (ImportError, FileNotFoundError)


def imported_modules(source: str) -> Iterator[str]:
    """Yield the modules that a file imports, inside its functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def our_imports() -> list[str]:
    """Return our modules, and all modules they import."""
    paths = [path.relative_to(Path.cwd()) for path in Path.cwd().rglob("*.py")]
    ours = {".".join(path.with_suffix("").parts) for path in paths if not path.name[0].isdigit()}
    theirs = {name for path in paths for name in imported_modules(path.read_text(encoding="utf-8"))}
    needed = {name for name in theirs - _FOR_TYPE_CHECKERS if name.partition(".")[0] not in _OPTIONAL}
    return sorted({name.removesuffix(".__init__") for name in ours} | needed)


def try_imports() -> Iterator[str]:
    """Yield a line per module that cannot be imported."""
    for name in our_imports():
        try:
            import_module(name)
        except _MISSING as error:
            yield f"{name}: {error!r}"


def try_estimators() -> Iterator[str]:
    """Yield a line per regressor or transformer that misses something; other errors are not ours to judge."""
    import numpy as np  # noqa: PLC0415 - some images of ours may have lost it
    from sklearn.utils import all_estimators  # noqa: PLC0415

    rows = np.random.default_rng(1).uniform(1, 2, (60, 3))
    fitted = 0
    for name, kind in all_estimators(type_filter=["regressor", "transformer"]):
        if any(parameter.default is parameter.empty for parameter in signature(kind).parameters.values()):
            continue
        try:
            fitted += bool(_use(kind(), rows))
        except _MISSING as error:
            yield f"{name}: {error!r}"
        except (ValueError, TypeError, AttributeError):
            continue
    if fitted < 90:
        yield f"only {fitted} estimators could be fitted"


def _use(estimator: Any, rows: Any) -> Any:
    from skops.io import dumps, loads  # noqa: PLC0415

    estimator.fit(rows, rows.sum(axis=1))
    (estimator.predict if hasattr(estimator, "predict") else estimator.transform)(rows)
    try:
        return loads(dumps(estimator), trusted=[]) or True
    except (ValueError, TypeError):  # a type that skops does not trust by itself
        return True


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for line in (*try_imports(), *try_estimators()):
        print(line)
