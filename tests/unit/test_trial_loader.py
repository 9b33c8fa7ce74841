"""Versions are loaded after a trial; what takes long to import is imported for those only that need it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from mlstack.registry.manifest import read_manifest, write_manifest
from mlstack.registry.store import ModelStore
from mlstack.training.config import TrainingConfig
from tests.harness.model_versions import line_table, promote, publish
from tests.harness.repository_root import ROOT

# In a process of its own, as a server is: it forks, and nothing is imported yet.
_SERVER = """
import json, sys, threading
from pathlib import Path
from mlstack.registry.store import ModelStore
from mlstack.registry.trial import TrialLoader
from mlstack.runtime.refusals import ModelRefused

store = ModelStore(Path(sys.argv[1]))
trials = TrialLoader(store, 64 << 20)
told = [["begun", "skops" in sys.modules, ""]]
for name in sys.argv[2:]:
    if name == "publish":  # the forest that was put aside
        (store.root / "forest").rename(store.path(2))
        continue
    if name == "prepare":
        trials.prepare()
        for thread in threading.enumerate():
            if thread.name == "import-skops":
                thread.join()
        told.append([name, "skops" in sys.modules, ""])
        continue
    version = int(name)
    try:
        answer = trials.load(store.path(version)).estimator_name
    except ModelRefused as refused:
        answer = str(refused)
    told.append([version, "skops" in sys.modules, answer])
trials.close()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 is a line, 2 a forest, 3 a line with a type that no server loads, 4 a damaged one."""
    store = ModelStore(tmp_path_factory.mktemp("models"))
    forest = TrainingConfig(("x1",), estimator="sklearn.ensemble.RandomForestRegressor")
    publish(store, line_table())
    publish(store, line_table(), forest)
    publish(store, line_table(3.0))
    publish(store, line_table(4.0))
    skops.io.dump(FunctionTransformer(json.loads), store.path(3) / "model.skops")
    _sealed(store.path(3))
    (store.path(4) / "model.skops").write_bytes(b"PK no zip at all")
    _sealed(store.path(4))
    return store.root


def _sealed(directory: Path) -> None:
    manifest = read_manifest(directory)
    (directory / "manifest.json").unlink()
    write_manifest(directory, manifest, manifest.version)


@pytest.fixture
def lines(root: Path) -> Iterator[Path]:
    """The same store with the forest put aside, until a server's `publish` brings it back."""
    store, forest = ModelStore(root), root / "forest"
    promote(store, 1)
    store.path(2).rename(forest)
    yield root
    if forest.exists():
        forest.rename(store.path(2))


def loaded(root: Path, *versions: int | str) -> list[list[Any]]:
    """Return, for the start and each version, whether the server has imported skops, and what it loaded.

    In the place of a version, `publish` and `prepare` do that.
    """
    command = [sys.executable, "-c", _SERVER, str(root), *map(str, versions)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120)
    return list(json.loads(done.stdout))


def test_a_server_of_lines_imports_skops_for_the_first_version_that_needs_it(lines: Path) -> None:
    assert loaded(lines, 1, "publish", 2, 1) == [
        ["begun", False, ""],
        [1, False, "LinearRegression"],
        [2, True, "RandomForestRegressor"],
        [1, True, "LinearRegression"],
    ]


def test_a_forest_that_was_published_is_prepared_for_before_it_is_promoted(lines: Path) -> None:
    assert loaded(lines, 1, "publish", "prepare", 2) == [
        ["begun", False, ""],
        [1, False, "LinearRegression"],
        ["prepare", True, ""],
        [2, True, "RandomForestRegressor"],
    ]


def test_while_there_are_lines_only_nothing_is_imported(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    publish(store, line_table())
    promote(store, 1)

    assert loaded(tmp_path, "prepare", 1, "prepare")[-1] == ["prepare", False, ""]


@pytest.mark.parametrize("current", [1, 2])
def test_where_there_is_a_forest_skops_is_imported_before_the_server_forks(root: Path, current: int) -> None:
    """Both processes share what was imported. Another version may be promoted at any time."""
    promote(ModelStore(root), current)

    assert loaded(root, 2, 1) == [
        ["begun", True, ""],
        [2, True, "RandomForestRegressor"],
        [1, True, "LinearRegression"],
    ]


@pytest.mark.parametrize(
    ("version", "reason"),
    [(3, "holds a type that is not scikit-learn's own"), (4, "model.skops: cannot be loaded")],
)
def test_what_is_no_line_though_it_says_so_is_refused_as_before(
    lines: Path, version: int, reason: str
) -> None:
    _, (_, imported, answer), (_, _, after) = loaded(lines, version, 1)

    assert not imported  # it was refused by the trial, not in the server
    assert reason in answer
    assert after == "LinearRegression"
