"""What training promises: the documented answer, the documented split, a description of every choice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from mlstack.data.generation import generate, read_generation
from mlstack.inference.loading import load_model
from mlstack.registry.intervals import ConformalInterval
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import TrainingRefused
from mlstack.runtime.settings import SettingsError
from mlstack.training.config import TrainingConfig, content_digest, read_training_config
from mlstack.training.splitting import split_in_place
from mlstack.training.statistics import BLOCK_ROWS
from mlstack.training.train import train, train_and_publish
from tests.harness.model_versions import line_table
from tests.harness.repository_root import ROOT


@pytest.fixture
def demo_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (ROOT / ".env").read_text(encoding="utf-8").splitlines()
    for name, _, value in (line.partition("=") for line in lines if "=" in line and line[0] != "#"):
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("demo_settings")
def test_the_demo_settings_predict_11_for_5(tmp_path: Path) -> None:
    table = np.concatenate(list(generate(read_generation())))

    version = train_and_publish(ModelStore(tmp_path), table, read_training_config(), "digest", "linear_data")

    answer = load_model(ModelStore(tmp_path).path(version)).predict(np.array([[5.0]]))
    assert len(table) == 100
    assert round(float(answer.values[0]), 4) == 11.0


@pytest.mark.parametrize("fraction", [0.2, 0.33, 0.5])
@pytest.mark.parametrize("rows", [5, 100, 1001])
def test_the_split_is_scikit_learns(rows: int, fraction: float) -> None:
    table = line_table(rows=rows, features=2)
    x, y = table[:, :-1].copy(), table[:, -1].copy()

    training, holdout = split_in_place(table, fraction)

    expected = train_test_split(x, y, test_size=fraction, random_state=42)
    for found, wanted in zip((training.x, holdout.x, training.y, holdout.y), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_long_table_gives_the_coefficients_of_a_plain_fit() -> None:
    from sklearn.linear_model import LinearRegression  # noqa: PLC0415

    table = line_table(rows=3 * BLOCK_ROWS, features=3)
    estimator, manifest = train(table, TrainingConfig(features=("a", "b", "c")), "digest", "t")
    training, _ = split_in_place(line_table(rows=3 * BLOCK_ROWS, features=3), 0.2)
    plain = LinearRegression().fit(training.x, training.y)

    found = [manifest.coefficients[name] for name in ("a", "b", "c", "intercept")]
    np.testing.assert_allclose(found, [*plain.coef_, plain.intercept_], rtol=1e-12)
    assert estimator.predict(np.ones((1, 3))) == pytest.approx(plain.predict(np.ones((1, 3))), rel=1e-12)


def test_a_constant_target_is_refused() -> None:
    table = line_table()
    table[:, -1] = 0.1

    with pytest.raises(TrainingRefused, match="nothing to learn"):
        train(table, TrainingConfig(), "digest", "t")


def test_two_equal_features_get_an_interval_from_the_hold_out() -> None:
    one = line_table()
    table = np.column_stack([one[:, 0], one])

    _, manifest = train(table, TrainingConfig(features=("a", "b")), "digest", "t")

    assert isinstance(manifest.interval, ConformalInterval)


def test_the_content_digest_names_data_and_every_choice() -> None:
    configurations = [
        TrainingConfig(),
        TrainingConfig(features=("z",)),
        TrainingConfig(target="z"),
        TrainingConfig(test_fraction=0.3),
        TrainingConfig(estimator="sklearn.linear_model.Ridge"),
        TrainingConfig(parameters={"fit_intercept": False}),
    ]

    digests = [content_digest(data, config) for data in ("a", "b") for config in configurations]

    assert len(set(digests)) == len(digests)
    assert digests[0] == content_digest("a", TrainingConfig())


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("MODEL_PARAMETERS", "alpha=1", "must be a JSON object"),
        ("MODEL_PARAMETERS", "[1]", "must be a JSON object"),
        ("TEST_FRACTION", "1", "between 0 and 1"),
        ("TEST_FRACTION", "many", "must be a number"),
        ("DATA_FEATURES", "x,x", "different columns"),
        ("DATA_FEATURES", "x,y", "different columns"),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=reason) as refused:
        read_training_config()

    assert name in str(refused.value)
