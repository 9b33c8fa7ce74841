"""A loaded model: right answers, and no answer at all from a damaged version."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import FunctionTransformer

from mlstack.inference.loading import load_model
from mlstack.inference.predictors import PredictionOverflow
from mlstack.registry.manifest import read_manifest, with_digest, write_manifest
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import ModelRefused
from tests.harness.model_versions import line_table, publish


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = ModelStore(tmp_path_factory.mktemp("models"))
    return store.path(publish(store, line_table()))


@pytest.fixture
def version(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "7"))


def _replace_estimator(version: Path, estimator: object) -> None:
    """Put another estimator into a version whose hashes are all right: only its content is wrong."""
    skops.io.dump(estimator, version / "model.skops")
    manifest = read_manifest(version)
    (version / "manifest.json").unlink()
    write_manifest(version, manifest, manifest.version)


def _truncate(version: Path) -> None:
    content = (version / "model.skops").read_bytes()
    (version / "model.skops").write_bytes(content[: len(content) // 2])


def _flip_a_bit(version: Path) -> None:
    content = bytearray((version / "model.skops").read_bytes())
    content[len(content) // 2] ^= 1
    (version / "model.skops").write_bytes(content)


def _edit_manifest(version: Path) -> None:
    manifest = json.loads((version / "manifest.json").read_text())
    manifest["interval"]["residual_variance"] *= 2
    (version / "manifest.json").write_text(json.dumps(manifest))


def _sealed_nonsense(version: Path) -> None:
    (version / "model.skops").write_bytes(b"PK no zip at all")
    manifest = read_manifest(version)
    (version / "manifest.json").unlink()
    write_manifest(version, manifest, manifest.version)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no artifact": (lambda v: (v / "model.skops").unlink(), "model.skops: cannot be read"),
    "truncated": (_truncate, "model.skops: is not the file that was published"),
    "one bit": (_flip_a_bit, "model.skops: is not the file that was published"),
    "no manifest": (lambda v: (v / "manifest.json").unlink(), "manifest.json: cannot be read"),
    "empty manifest": (
        lambda v: (v / "manifest.json").write_bytes(b""),
        "manifest.json: is not a valid manifest",
    ),
    "binary manifest": (lambda v: (v / "manifest.json").write_bytes(b"\xff\0"), "manifest.json: is no"),
    "edited manifest": (_edit_manifest, "manifest.json: was changed after publishing"),
    "not skops": (_sealed_nonsense, "model.skops: cannot be loaded"),
    "foreign type": (
        lambda v: _replace_estimator(v, FunctionTransformer(shutil.rmtree)),
        "holds a type that is not scikit-learn's own",
    ),
    "other shape": (
        lambda v: _replace_estimator(v, LinearRegression().fit(np.eye(3), np.arange(3.0))),
        "does not predict from 1 features",
    ),
    "two targets": (
        lambda v: _replace_estimator(v, LinearRegression().fit(np.ones((3, 1)), np.ones((3, 2)))),
        "expected one number a row",
    ),
    "no regressor": (lambda v: _replace_estimator(v, {"coef_": [1.0]}), "does not predict"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_version_is_refused_in_one_line_that_names_the_file(version: Path, damage: str) -> None:
    spoil, reason = DAMAGES[damage]
    spoil(version)

    with pytest.raises(ModelRefused) as refused:
        load_model(version)

    assert reason in str(refused.value)
    assert "roll back" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_pickle_for_people_answers_what_the_servers_answer(version: Path) -> None:
    rows = np.linspace(-5, 25, 31).reshape(-1, 1)

    people = joblib.load(version / "model.pkl").predict(rows)

    np.testing.assert_allclose(load_model(version).predict(rows).values, people, rtol=1e-12)


def test_a_finite_input_with_an_infinite_answer_is_an_overflow(version: Path) -> None:
    model = load_model(version)

    with pytest.raises(PredictionOverflow):
        model.predict(np.array([[1.0], [1.7e308]]))


def test_confidence_falls_with_the_distance_from_the_training_data(version: Path) -> None:
    model = load_model(version)

    confidence = model.predict(np.array([[10.0], [30.0], [100.0], [200.0], [1e150]])).confidence

    assert (np.diff(confidence) < 0).sum() >= 3
    assert confidence[0] > 0.99
    assert confidence[-1] == 0.0


def test_the_manifest_is_json_without_nan(version: Path) -> None:
    text = (version / "manifest.json").read_text()

    manifest = json.loads(text, parse_constant=pytest.fail)

    assert manifest["version"] == 1
    assert set(manifest["files"]) == {"model.pkl", "model.skops"}
    assert with_digest(read_manifest(version)).digest == manifest["digest"]
