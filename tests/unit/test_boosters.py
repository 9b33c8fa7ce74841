"""XGBoost and LightGBM where they are not installed, as in the images: refused with the way out."""

from __future__ import annotations

import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
import skops.io
from sklearn.linear_model import Ridge

from mlstack.inference.artifact import load_estimator
from mlstack.inference.boosters import TYPES, libraries_in
from mlstack.inference.trusted_types import trusted_types
from mlstack.runtime.refusals import ModelRefused, TrainingRefused
from mlstack.training.config import TrainingConfig, content_digest
from mlstack.training.estimators import build_estimator
from mlstack.training.task import number_columns
from tests.harness.model_versions import line_table

pytestmark = pytest.mark.skipif(
    any(find_spec(name) is not None for name in TYPES), reason="they are installed beside the tests"
)


@pytest.fixture
def ridge(tmp_path: Path) -> Path:
    """A model file of scikit-learn's."""
    table = line_table()
    path = tmp_path / "model.skops"
    skops.io.dump(Ridge().fit(table[:, :1], table[:, 1]), path)
    return path


def _as_if_of(library: str, path: Path) -> bytes:
    """Return the file with its estimator named as one of the library."""
    kind = TYPES[library][1].rpartition(".")
    changed = path.with_name("changed.skops")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(changed, "w") as forged:
        for name in archive.namelist():
            content = archive.read(name).replace(b'"sklearn.linear_model._ridge"', f'"{kind[0]}"'.encode())
            forged.writestr(name, content.replace(b'"Ridge"', f'"{kind[2]}"'.encode()))
    return changed.read_bytes()


@pytest.mark.parametrize("library", TYPES)
def test_a_model_of_a_library_that_the_image_lacks_says_what_to_do(ridge: Path, library: str) -> None:
    columns = number_columns(line_table()[:, :1], ("x",))

    with pytest.raises(ModelRefused) as refused:
        load_estimator(ridge, _as_if_of(library, ridge), columns, (), 1 << 20)

    assert str(refused.value) == (
        f"{ridge}: needs {library}, which this image does not hold: name it in custom/requirements.txt and "
        "build again: docker compose up --build"
    )


def test_no_type_of_the_libraries_is_trusted_in_a_file_that_needs_neither(ridge: Path) -> None:
    trusted = set(trusted_types(ridge.read_bytes(), ridge))

    assert trusted.isdisjoint(kind for kinds in TYPES.values() for kind in kinds)


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        (b'{"__module__": "xgboost.sklearn"}', {"xgboost"}),
        (b'{"__module__": "lightgbm.basic", "__module__": "xgboost.core"}', {"xgboost", "lightgbm"}),
        (b'{"__module__": "xgboostish.core"}', set()),
        (b'{"content": "xgboost.sklearn"}', set()),
    ],
)
def test_a_library_is_needed_if_a_type_is_of_one_of_its_modules(schema: bytes, found: set[str]) -> None:
    assert libraries_in(schema) == found


@pytest.mark.parametrize("name", ["xgboost.XGBRegressor", "lightgbm.LGBMClassifier"])
def test_a_class_of_a_library_that_the_image_lacks_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(TrainingRefused) as refused:
        build_estimator(TrainingConfig(estimator=name))

    assert f"names {name}, and this image does not hold {name.partition('.')[0]}" in str(refused.value)
    assert "name it in custom/requirements.txt and build again" in str(refused.value)


def test_another_version_of_a_library_is_another_model_if_the_estimator_may_be_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As importlib.metadata finds it: by its metadata on the path."""
    configs = [
        TrainingConfig(),
        TrainingConfig(estimator="xgboost.XGBRegressor"),
        TrainingConfig(estimator="model.py:make", source="digest"),
    ]
    monkeypatch.syspath_prepend(tmp_path)

    found = []
    for number in ("1.0", "2.0"):
        metadata = tmp_path / "xgboost_cpu-1.0.dist-info" / "METADATA"
        metadata.parent.mkdir(exist_ok=True)
        metadata.write_text(f"Metadata-Version: 2.1\nName: xgboost-cpu\nVersion: {number}\n")
        found.append([content_digest("data", config) for config in configs])

    assert [before == after for before, after in zip(*found, strict=True)] == [True, False, False]
