"""The user's own estimator: a function in a file; what the servers cannot load is refused at training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import ModelRefused, TrainingRefused
from mlstack.runtime.settings import SettingsError
from mlstack.training.config import content_digest, read_training_config
from mlstack.training.train import publish, train
from tests.harness.model_versions import line_table

_VOTING = """
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor, VotingRegressor
from sklearn.linear_model import Ridge
from neighbour import ALPHA

def make_estimator():
    return VotingRegressor([("trees", RandomForestRegressor(5)), ("line", Ridge(alpha=ALPHA))])
"""
_OWN_CLASS = """
from sklearn.linear_model import Ridge

class Mine(Ridge):
    pass

def make_estimator():
    return Mine()
"""
_FUNCTION = """
import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge

def make_estimator():
    return TransformedTargetRegressor(Ridge(), func=lambda y: y * 2, inverse_func=lambda y: y / 2)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder custom, and the settings that use it."""
    monkeypatch.setenv("CUSTOM_DIR", str(tmp_path / "custom"))
    monkeypatch.setenv("MODEL_ESTIMATOR", "model.py:make_estimator")
    (tmp_path / "custom").mkdir()
    (tmp_path / "custom" / "neighbour.py").write_text("ALPHA = 0.5\n")
    return tmp_path / "custom"


def _publish(folder: Path, source: str) -> ModelStore:
    (folder / "model.py").write_text(source)
    store = ModelStore(folder.parent / "models")
    publish(store, *train(line_table(), read_training_config(), "digest", "t"))
    return store


def test_any_combination_of_scikit_learns_classes_is_served(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_PARAMETERS", '{"line__alpha": 0.25}')

    model = load_model(_publish(folder, _VOTING).path(1))

    assert model.predict(np.array([[5.0]])).values[0] == pytest.approx(11, abs=1)
    assert model.estimator_name == "make_estimator"


def test_the_same_source_makes_the_same_model_and_another_one_another_version(folder: Path) -> None:
    (folder / "model.py").write_text(_VOTING)
    first, again = read_training_config(), read_training_config()
    (folder / "neighbour.py").write_text("ALPHA = 0.6\n")

    changed = read_training_config()

    digests = [content_digest("data", config) for config in (first, again, changed)]
    assert digests[0] == digests[1] != digests[2]
    tables = [train(line_table(), config, "d", "t")[1].metrics for config in (first, again)]
    assert tables[0] == tables[1]


@pytest.mark.parametrize("source", [_OWN_CLASS, _FUNCTION])
def test_what_the_servers_cannot_load_without_code_is_refused_with_the_way_out(
    folder: Path, source: str
) -> None:
    with pytest.raises(ModelRefused, match="use scikit-learn's classes, or the regressors and classifiers"):
        _publish(folder, source)

    assert ModelStore(folder.parent / "models").versions() == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "def make_estimator():\n    return 1 / 0\n",
            "ZeroDivisionError: division by zero (model.py, line 2",
        ),
        (
            "import nothing_of_this_name.part\n",
            "it imports nothing_of_this_name, which this image does not hold: name it in custom/requirements",
        ),
        ("import sklearn.nothing\n", "No module named 'sklearn.nothing' (model.py, line 1)"),
        (
            "def other(): pass\n",
            "MODEL_ESTIMATOR model.py:make_estimator: model.py has no function make_estimator",
        ),
        ("make_estimator = 5\n", "model.py has no function make_estimator"),
        ("def make_estimator():\n    raise KeyError\n", "KeyError:  (model.py, line 2)"),
        ("def make_estimator(): return 5\n", "returned 5, expected an unfitted estimator"),
        ("from sklearn.svm import SVR\ndef make_estimator(): return SVR\n", "expected an unfitted estimator"),
    ],
)
def test_a_fault_in_the_file_is_one_line_that_says_where(folder: Path, source: str, reason: str) -> None:
    with pytest.raises(TrainingRefused) as refused:
        _publish(folder, source)

    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_a_wrong_setting(folder: Path) -> None:
    assert not (folder / "model.py").exists()

    with pytest.raises(SettingsError, match=r"there is no file model\.py in the folder custom"):
        read_training_config()
