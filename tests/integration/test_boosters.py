"""XGBoost and LightGBM from the user's own file, through training and the gate, to both servers."""

from __future__ import annotations

import json
import shutil
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlstack.registry.manifest import read_manifest
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from tests.harness.boosters import booster_environment, run_script
from tests.harness.processes.inference import Stores, inference, undisturbed
from tests.harness.processes.serving import ServingProcess, eventually, serving
from tests.harness.processes.steps import Steps
from tests.harness.processes.tickets import SETTINGS as TICKETS
from tests.harness.processes.tickets import load_tickets, ticket_rows

_HOUSES = """
CREATE TABLE houses AS SELECT
    area, rooms, age, 900 * area + 4000 * rooms - 50 * age * sqrt(area) AS price
  FROM (SELECT i * 37 % 101 + 20.5 AS area, i % 6 + 1 AS rooms, i * 7 % 80 AS age
          FROM generate_series(1, 300) AS i) AS each"""
_REGRESSION = {"DATA_TABLE": "houses", "DATA_FEATURES": "area,rooms,age", "DATA_TARGET": "price"}
_FILES = {
    "xgboost": """
from xgboost import XGBRegressor

def make_estimator():
    return XGBRegressor(n_estimators=40)
""",
    "lightgbm": """
import lightgbm

def make_estimator():
    return lightgbm.LGBMClassifier(n_estimators=25)
""",
}
# What people get who load model.pkl: the table's own values go in.
_AS_PEOPLE_DO = """
import json, sys, joblib, numpy as np
model, rows = joblib.load(sys.argv[1]), np.array(json.loads(sys.argv[2]), dtype=sys.argv[3])
print(json.dumps(getattr(model, sys.argv[4])(rows).astype(float).tolist()))
"""


@pytest.fixture
def custom(tmp_path: Path) -> dict[str, str]:
    """The folder custom with a file for each library, and an environment that has both."""
    folder = tmp_path / "custom"
    folder.mkdir()
    for name, text in _FILES.items():
        (folder / f"{name}_model.py").write_text(text)
    return {"CUSTOM_DIR": str(folder), "DATA_MIN": "", "DATA_MAX": ""} | booster_environment()


def _train(steps: Steps, settings: dict[str, str]) -> ModelStore:
    done = [steps.run(script, **settings) for script in ("10-train_model.py", "20-evaluate_model.py")]
    assert [outcome.code for outcome in done] == [0, 0], [outcome.lines for outcome in done]
    return ModelStore(steps.model_dir)


def _expected(store: ModelStore, rows: Any, kind: str, method: str) -> Any:
    return run_script(_AS_PEOPLE_DO, str(store.path(1) / "model.pkl"), json.dumps(rows), kind, method)


def test_a_regressor_of_xgboost_is_answered_as_it_was_trained(
    steps: Steps, custom: dict[str, str], real_stores: Stores, tmp_path: Path
) -> None:
    steps.execute(_HOUSES)
    store = _train(steps, custom | _REGRESSION | {"MODEL_ESTIMATOR": "xgboost_model.py:make_estimator"})
    rows = [[120.5, 4, 15], [60.25, 2, 40], [1e300, 1, 0]]
    expected = _expected(store, rows, "float64", "predict")

    with ExitStack() as stack:
        api = stack.enter_context(
            undisturbed(store.root, tmp_path / "api", real_stores, **booster_environment())
        )
        flask = stack.enter_context(serving(store.root, tmp_path / "flask", **booster_environment()))
        first, again = (api.predict({"instances": rows}).json() for _ in range(2))
        tensor = {"name": "x", "shape": [3, 3], "datatype": "FP64", "data": rows}
        binary = api.client.post("/v2/models/model/infer", json={"inputs": [tensor]}).json()
        rounded = flask.predict({"instances": rows}).json()

    assert (first["predictions"], first["cached"], again["cached"]) == (expected, False, True)
    assert again["predictions"] == expected
    assert binary["outputs"][0]["data"] == expected
    assert rounded["predictions"] == [[round(value, 4)] for value in expected]
    for value, (low, high) in zip(expected, first["intervals"], strict=True):
        assert low < value < high
    assert "xgboost-cpu" in read_manifest(store.path(1)).provenance.libraries


def test_a_classifier_of_lightgbm_takes_text_and_gaps(
    steps: Steps, custom: dict[str, str], real_stores: Stores, tmp_path: Path
) -> None:
    load_tickets(steps)
    settings = (
        TICKETS | custom | {"MODEL_PARAMETERS": "{}", "MODEL_ESTIMATOR": "lightgbm_model.py:make_estimator"}
    )
    store = _train(steps, settings)
    rows = ticket_rows()[:40]
    expected = _expected(store, rows, "object", "predict_proba")

    with undisturbed(store.root, tmp_path / "log", real_stores, **booster_environment()) as api:
        answer = api.predict({"instances": rows}).json()
        alone = [api.predict({"instances": [row]}).json()["probabilities"][0] for row in rows[:5]]

    assert [list(each.values()) for each in answer["probabilities"]] == expected
    assert alone == answer["probabilities"][:5]
    for label, members in zip(answer["predictions"], answer["prediction_sets"], strict=True):
        assert label in members
    assert answer["confidence"] == [max(each) for each in expected]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What tests/harness/booster_round_trip.py found."""
    script = "import runpy; runpy.run_module('tests.harness.booster_round_trip', run_name='__main__')"
    found: list[dict[str, Any]] = run_script(script, str(tmp_path_factory.mktemp("boosters")))
    return found


def _volume(outcomes: list[dict[str, Any]], case: str, folder: Path) -> ModelStore:
    """Return a copy of the model volume of a case."""
    (found,) = (outcome["volume"] for outcome in outcomes if outcome["case"] == case)
    return ModelStore(Path(shutil.copytree(found, folder / "models", symlinks=True)))


def test_each_kind_is_loaded_to_the_last_bit_with_one_thread_and_one_call_a_batch(
    outcomes: list[dict[str, Any]],
) -> None:
    assert len(outcomes) == 10
    for outcome in outcomes:
        assert outcome["same"], outcome
        assert outcome["independent"], outcome
        assert set(outcome["threads"]) == {1}, outcome


def test_an_image_without_the_library_says_what_to_do(
    outcomes: list[dict[str, Any]], real_stores: Stores, tmp_path: Path
) -> None:
    """It was installed for training, and the servers' images were not built again."""
    store = _volume(outcomes, "xgboost.XGBClassifier of species", tmp_path)

    with inference(store.root, tmp_path / "log", real_stores) as api:
        assert eventually(lambda: _refusal(api) != "")
        refusal = _refusal(api)
        ready = api.client.get("/readyz").status_code

    assert ready == 503
    assert "needs xgboost, which this image does not hold: name it in custom/requirements.txt" in refusal
    assert "\n" not in refusal


@pytest.mark.parametrize("name", ["xgboost.XGBClassifier", "lightgbm.LGBMClassifier"])
def test_a_damaged_booster_is_refused_and_the_version_before_answers(
    outcomes: list[dict[str, Any]], tmp_path: Path, name: str
) -> None:
    """Its manifest fits: whoever writes the model volume may write that, too."""
    store = _volume(outcomes, f"{name} of species", tmp_path)
    body = {"instances": [[120, "Lima", None, True, False]]}
    with serving(store.root, tmp_path / "log", **booster_environment()) as flask:
        before = flask.predict(body).json()

        _publish_damaged(store)

        assert eventually(lambda: _refusal(flask) != "")
        assert flask.predict(body).json() == before
        assert flask.process.poll() is None


def _publish_damaged(store: ModelStore) -> None:
    """Promote a copy of version 1 whose booster is damaged; its manifest has the right SHA-256."""
    manifest = store.verified(1)
    provenance = msgspec.structs.replace(manifest.provenance, content="damaged")
    version = store.publish(
        msgspec.structs.replace(manifest, provenance=provenance),
        lambda draft: _damage(store.path(1) / "model.skops", draft / "model.skops"),
    )
    store.record(version, Evaluation(verdict="promoted"))


def _damage(whole: Path, damaged: Path) -> None:
    """XGBoost's bytes are a member of the archive, LightGBM's text is in the schema."""
    with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(damaged, "w") as forged:
        for name in archive.namelist():
            content = archive.read(name)
            half = content[: len(content) // 2] if name.endswith(".bin") else content
            forged.writestr(name, half.replace(b"num_leaves=", b"num_leaves=9"))


def _refusal(server: ServingProcess) -> str:
    """Return why the current version is not served, as the log has it."""
    return next((line["reason"] for line in server.log_lines() if line["event"] == "model refused"), "")
