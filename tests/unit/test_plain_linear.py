"""A plain linear model is loaded without scikit-learn, and predicts to the last bit what it does."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import skops.io

from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import MOST_BYTES, PublishedModel, load_plain, load_published, read_published
from mlstack.inference.plain_linear import read_plain_linear
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from mlstack.training.config import TrainingConfig
from tests.harness.model_versions import line_table, publish
from tests.harness.repository_root import ROOT

PLAIN = [
    ("LinearRegression", {}),
    ("LinearRegression", {"fit_intercept": False}),
    ("LinearRegression", {"positive": True}),
    ("Ridge", {"alpha": 0.3}),
    ("Lasso", {"alpha": 0.01}),
    ("ElasticNet", {"alpha": 0.01}),
]
OTHER = ["sklearn.linear_model.HuberRegressor", "sklearn.preprocessing.StandardScaler, sklearn.svm.SVR"]
_SLOW = {"sklearn", "scipy", "skops", "joblib"}


def published(root: Path, estimator: str, parameters: dict[str, Any], features: int) -> PublishedModel:
    store, names = ModelStore(root), tuple(f"x{number}" for number in range(features))
    config = TrainingConfig(names, estimator=estimator, parameters=parameters)
    return read_published(store.path(publish(store, line_table(features=features), config)), MOST_BYTES)


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> PublishedModel:
    root = tmp_path_factory.mktemp("models")
    return published(root, "sklearn.linear_model.LinearRegression", {}, 3)


def rows(features: int) -> FloatArray:
    random = np.random.default_rng(3)
    return random.normal(size=(2000, features)) * np.logspace(-9, 40, 2000)[:, np.newaxis]


def by_skops(version: PublishedModel, monkeypatch: pytest.MonkeyPatch) -> LoadedModel:
    """Load the version as if it were no plain one."""
    with monkeypatch.context() as patched:
        patched.setattr("mlstack.inference.plain_linear._CLASSES", {})
        assert load_plain(version, MOST_BYTES) is None
        return load_published(version, MOST_BYTES)


@pytest.mark.parametrize("features", [1, 2, 7])
@pytest.mark.parametrize(("name", "parameters"), PLAIN)
def test_predictions_are_to_the_last_bit_those_of_scikit_learn(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    parameters: dict[str, Any],
    features: int,
) -> None:
    version = published(tmp_path, f"sklearn.linear_model.{name}", parameters, features)
    asked = rows(features)
    theirs = skops.io.loads(version.artifact)

    mine = read_plain_linear(version.artifact, version.manifest, MOST_BYTES)
    quick, loaded = load_plain(version, MOST_BYTES), by_skops(version, monkeypatch)

    assert mine is not None
    assert quick is not None
    assert mine.predict(asked).tobytes() == theirs.predict(asked).tobytes()
    assert [part.tobytes() for part in quick.predict(asked)] == [
        part.tobytes() for part in loaded.predict(asked)
    ]
    told = [field.name for field in fields(LoadedModel) if not field.name.startswith("_")]
    assert [getattr(quick, name) for name in told] == [getattr(loaded, name) for name in told]


def test_the_demonstration_predicts_what_its_pickle_predicts(tmp_path: Path) -> None:
    version = published(tmp_path, "sklearn.linear_model.LinearRegression", {}, 1)
    asked = rows(1)

    quick = load_plain(version, MOST_BYTES)

    assert quick is not None
    assert quick.predict(asked).values.tobytes() == skops.io.loads(version.artifact).predict(asked).tobytes()


def test_it_is_loaded_without_scikit_learn(line: PublishedModel) -> None:
    script = (
        "import sys; from pathlib import Path; from mlstack.inference.loading import load_model; "
        "load_model(Path(sys.argv[1])); print(*{name.partition('.')[0] for name in sys.modules})"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(line.directory)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )

    imported = set(done.stdout.split())
    assert "numpy" in imported
    assert not imported & _SLOW


@pytest.mark.parametrize("estimator", OTHER)
def test_any_other_estimator_is_left_to_skops(tmp_path: Path, estimator: str) -> None:
    version = published(tmp_path, estimator, {}, 2)

    assert load_plain(version, MOST_BYTES) is None
    assert load_published(version, MOST_BYTES).estimator_name


def _schema(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, bytes]], object]:
    def changed(files: dict[str, bytes]) -> None:
        schema = json.loads(files["schema.json"])
        change(schema)
        files["schema.json"] = json.dumps(schema).encode()

    return changed


def _array(name: str, value: object) -> Callable[[dict[str, bytes]], object]:
    """Put another array into the file of an attribute."""

    def changed(files: dict[str, bytes]) -> None:
        written = io.BytesIO()
        np.save(written, value)  # type: ignore[arg-type]
        files[json.loads(files["schema.json"])["content"]["content"][name]["file"]] = written.getvalue()

    return changed


def _attributes(schema: dict[str, Any]) -> dict[str, Any]:
    return dict(schema["content"]["content"])


NOT_PLAIN: dict[str, Callable[[dict[str, bytes]], object]] = {
    "another class": _schema(lambda schema: schema.update(__class__="Lars")),
    "a class of another module": _schema(lambda schema: schema.update(__module__="os")),
    "another format": _schema(lambda schema: schema.update(protocol=3)),
    "an object inside": _schema(lambda schema: _attributes(schema)["tol"].update(__loader__="ObjectNode")),
    "a pickled array": _array("coef_", np.array([print, 1, 2], dtype=object)),
    "too few coefficients": _array("coef_", np.ones(2)),
    "coefficients of two targets": _array("coef_", np.ones((2, 3))),
    "narrow coefficients": _array("coef_", np.ones(3, dtype=np.float32)),
    "no number": _array("coef_", np.array([1.0, np.nan, 2.0])),
    "an endless intercept": _array("intercept_", np.float64(np.inf)),
    "two intercepts": _array("intercept_", np.ones(2)),
    "other features": _schema(lambda schema: _attributes(schema)["n_features_in_"].update(content="4")),
    "a file that is not there": _schema(lambda schema: _attributes(schema)["coef_"].update(file="x.npy")),
    "no schema": lambda files: files.pop("schema.json"),
    "a schema that is no JSON": lambda files: files.update({"schema.json": b"\xff"}),
    "a large file": lambda files: files.update({"padding": bytes(2 << 20)}),
}


@pytest.mark.parametrize("change", NOT_PLAIN)
def test_a_file_that_skops_would_not_write_for_it_is_left_to_skops(line: PublishedModel, change: str) -> None:
    with zipfile.ZipFile(io.BytesIO(line.artifact)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert read_plain_linear(_packed(files), line.manifest, MOST_BYTES)

    NOT_PLAIN[change](files)

    assert read_plain_linear(_packed(files), line.manifest, MOST_BYTES) is None


def test_a_truncated_or_too_large_file_is_left_to_skops(line: PublishedModel) -> None:
    for size in range(0, len(line.artifact), 97):
        assert read_plain_linear(line.artifact[:size], line.manifest, MOST_BYTES) is None
    assert read_plain_linear(line.artifact, line.manifest, 1000) is None


def test_the_manifest_must_tell_of_a_plain_linear_model(line: PublishedModel) -> None:
    custom = msgspec.structs.replace(line.manifest, estimator="model.py:make_estimator")

    assert read_plain_linear(line.artifact, custom, MOST_BYTES) is None


def _packed(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()
