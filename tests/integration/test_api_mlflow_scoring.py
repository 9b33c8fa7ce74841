"""MLflow's scoring protocol with MLflow's own client, unmodified, and in every form of its bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlstack.registry.store import ModelStore
from tests.harness.bad_protocol_bodies import COLUMNS
from tests.harness.mixed_models import HOUSE_ROW, PASSENGER_ROW, publish_houses, publish_passengers
from tests.harness.processes.inference import Stores, inference, undisturbed
from tests.harness.processes.serving import ServingProcess, publish_line

# The client's own imports warn of things that are not ours.
pytestmark = pytest.mark.filterwarnings("default")
INVOKE = "/invocations"
TWO = [HOUSE_ROW, HOUSE_ROW | {"city": "Paris", "rooms": 3}]
NAMES = list(HOUSE_ROW)
VALUES = [list(row.values()) for row in TWO]
CSV = "area,city,rooms,garden\r\n120,Hanoi,,True\r\n120,Paris,3.0,true\r\n"


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve y = 2x + 1."""
    root: Path = tmp_path_factory.mktemp("line")
    publish_line(root / "models", 2.0)
    with undisturbed(root / "models", root / "log", real_stores) as process:
        yield process


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve a regressor of mixed columns."""
    root: Path = tmp_path_factory.mktemp("houses")
    publish_houses(ModelStore(root / "models"))
    with undisturbed(root / "models", root / "log", real_stores) as process:
        yield process


def client(server: ServingProcess) -> Any:
    """Return MLflow's client for a model server."""
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient  # noqa: PLC0415 - slow to import

    return ScoringServerClient("127.0.0.1", server.port)  # type: ignore[no-untyped-call]


def test_the_client_finds_the_server_ready(line: ServingProcess) -> None:
    client(line).wait_server_ready(timeout=30)

    assert client(line).get_version() == "2.0.0"
    assert line.client.get("/health").json()["status"] == "healthy"


def test_a_server_without_a_model_is_not_ready(tmp_path: Path, real_stores: Stores) -> None:
    with inference(tmp_path / "none", tmp_path / "log", real_stores) as empty:
        answer = empty.client.get("/ping")

    assert answer.status_code == 503
    assert answer.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"


def test_the_client_predicts_from_an_array(line: ServingProcess) -> None:
    found = client(line).invoke(np.array([[1.0], [2.0], [3.0]]), params={"ignored": 1})

    expected = line.predict({"instances": [1, 2, 3]}).json()["predictions"]
    assert found.get_predictions("ndarray").tolist() == expected
    assert found.get_predictions()[0].tolist() == expected


def test_the_client_predicts_from_a_data_frame(houses: ServingProcess) -> None:
    """Its columns are in another order, and what is missing is NaN, which JSON does not know."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    frame = pd.DataFrame(TWO)[["garden", "rooms", "city", "area"]]
    assert frame["rooms"].isna().tolist() == [True, False]

    found = client(houses).invoke(frame)

    assert found["predictions"] == houses.predict({"instances": TWO}).json()["predictions"]
    assert found["unseen"] == [[], ["city"]]


def test_the_client_gets_the_classes_of_a_classifier(tmp_path: Path, real_stores: Stores) -> None:
    import pandas as pd  # noqa: PLC0415

    publish_passengers(ModelStore(tmp_path / "models"))

    with undisturbed(tmp_path / "models", tmp_path / "log", real_stores) as passengers:
        found = client(passengers).invoke(pd.DataFrame([PASSENGER_ROW]))

    assert isinstance(found["predictions"][0], bool)
    assert set(found["probabilities"][0]) == {"false", "true"}


FORMS: dict[str, Any] = {
    "split": {"dataframe_split": {"columns": NAMES, "data": VALUES, "index": [7, 8]}},
    "split in another order": {
        "dataframe_split": {"columns": NAMES[::-1], "data": [row[::-1] for row in VALUES]}
    },
    "records": {"dataframe_records": TWO},
    "instances by name": {"instances": TWO},
    "instances": {"instances": VALUES},
    "inputs by row": {"inputs": VALUES},
    "inputs by row and name": {"inputs": TWO},
    "inputs by column": {"inputs": {name: [row[name] for row in TWO] for name in NAMES}},
    "inputs by column [n, 1]": {"inputs": {name: [[row[name]] for row in TWO] for name in NAMES}},
    "with parameters": {"inputs": VALUES, "params": {"x": 1}, "signature_name": "predict"},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_same_answer(houses: ServingProcess, form: str) -> None:
    answer = houses.client.post(INVOKE, json=FORMS[form])

    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"] == houses.predict({"instances": TWO}).json()["predictions"]


@pytest.mark.parametrize("media_type", ["text/csv", "text/csv; charset=UTF-8"])
def test_csv_has_the_same_answer(houses: ServingProcess, media_type: str) -> None:
    answer = houses.client.post(INVOKE, content=CSV, headers={"content-type": media_type})

    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"] == houses.predict({"instances": TWO}).json()["predictions"]


def test_a_text_that_says_nan_is_a_text(houses: ServingProcess) -> None:
    body = json.dumps({"dataframe_records": [HOUSE_ROW | {"city": 'NaN, "NaN" \\'}]})
    assert b"NaN" in body.encode()

    answer = houses.client.post(INVOKE, content=body, headers={"content-type": "application/json"})

    assert answer.json()["unseen"] == [["city"]]


def test_every_prediction_is_logged_once_and_cached(line: ServingProcess, real_stores: Stores) -> None:
    answers = [line.client.post(INVOKE, json={"inputs": [[72.5]]}).json() for _ in range(2)]

    ids = [answer["id"] for answer in answers]
    assert real_stores.times_logged(ids) == dict.fromkeys(ids, 1)
    assert [answer["cached"] for answer in answers] == [False, True]
    assert line.predict({"instances": [[72.5]]}).json()["cached"]


@pytest.mark.parametrize("name", COLUMNS)
def test_an_error_names_the_column(houses: ServingProcess, name: str) -> None:
    body, expected = COLUMNS[name]

    answer = houses.client.post(INVOKE, json=body)

    assert answer.status_code == 400
    assert answer.json()["error_code"] == "BAD_REQUEST"
    assert expected in answer.json()["message"]


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/vnd.apache.parquet", "text/csv; charset=latin-1", "csv"]
)
def test_another_media_type_is_refused(line: ServingProcess, media_type: str) -> None:
    answer = line.client.post(INVOKE, content=b"x\n1\n", headers={"content-type": media_type})

    assert answer.status_code == 415
    assert answer.json()["error_code"] == "BAD_REQUEST"


def test_the_client_shows_our_errors(line: ServingProcess) -> None:
    with pytest.raises(Exception, match=r"error code 400.*expected"):
        client(line).invoke(np.ones((2, 2)))


@pytest.mark.parametrize("path", ["/ping", "/version", INVOKE])
def test_a_wrong_method_has_the_protocols_error(line: ServingProcess, path: str) -> None:
    answer = line.client.delete(path)

    assert (answer.status_code, answer.json()["error_code"]) == (405, "BAD_REQUEST")
