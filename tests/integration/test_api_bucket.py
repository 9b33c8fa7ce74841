"""Models in a bucket, from training to the answer: each program has a folder of its own, as on machines."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.processes.inference import Stores, inference
from tests.harness.processes.object_store import ObjectStore, object_store, settings
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import ServingProcess, eventually, serving
from tests.harness.processes.steps import STEPS, Steps


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    """The S3 server of this module."""
    with object_store() as running:
        yield running


def _version(process: ServingProcess) -> int | None:
    found = process.client.get("/health").json()["model_version"]
    return found if found is None else int(found)


def test_what_is_trained_on_one_machine_is_served_by_all_others(
    server: ObjectStore, database_url: str, real_stores: Stores, tmp_path: Path
) -> None:
    place = server.new_place()
    training = settings(place, server.endpoint, tmp_path / "training")
    steps = Steps(database_url, tmp_path / "training")
    api_settings = settings(place, server.endpoint, tmp_path / "api")
    flask_settings = settings(place, server.endpoint, tmp_path / "flask")
    with (
        inference(tmp_path / "api", tmp_path / "api.log", real_stores, **api_settings) as api,
        serving(tmp_path / "flask", tmp_path / "flask.log", **flask_settings) as flask,
    ):
        assert api.client.get("/readyz").status_code == 503
        codes = [steps.run(script, **training).code for script in STEPS]
        assert codes == [0, 0, 0, 0]
        assert eventually(lambda: (_version(api), _version(flask)) == (1, 1)), api.log_path.read_text()
        assert flask.predict({"values": [5]}).json()["predictions"] == [[11.0]]

        codes = [steps.run(script, DATA_SEED="3", **training).code for script in STEPS]
        assert codes == [0, 0, 0, 0]
        assert eventually(lambda: (_version(api), _version(flask)) == (2, 2)), api.log_path.read_text()
        first = api.client.post("/v2/models/model/versions/1/infer", json=_tensor(5.0))
        assert first.json()["model_version"] == "1"

        again = [steps.run(script, DATA_SEED="3", **training) for script in STEPS[2:]]
        assert [outcome.code for outcome in again] == [0, 0]
        assert all("nothing to do" in str(outcome.lines) for outcome in again)

        server.signal(signal.SIGSTOP)
        assert eventually(lambda: api.metric("model_store_up") == flask.metric("model_store_up") == 0)
        server.signal(signal.SIGCONT)
        assert eventually(lambda: api.metric("model_store_up") == flask.metric("model_store_up") == 1)

        with stopped(server):
            assert api.predict({"features": [5.0]}).json()["model_version"] == 2
            assert api.client.get("/health").json()["status"] == "healthy"
            failed = steps.run("20-evaluate_model.py", **training)
            assert (failed.code, len(failed.errors())) == (1, 1)
            assert "MODEL_STORE_ENDPOINT" in failed.errors()[0]
            restarted = inference(tmp_path / "api", tmp_path / "again.log", real_stores, **api_settings)
            with restarted as process:
                assert process.predict({"features": [5.0]}).json()["model_version"] == 2


def _tensor(value: float) -> dict[str, object]:
    tensor = {"name": "input", "shape": [1, 1], "datatype": "FP64", "data": [value]}
    return {"inputs": [tensor]}
