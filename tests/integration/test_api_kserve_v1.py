"""KServe's V1 protocol with its own client, unmodified."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlstack.registry.store import ModelStore
from tests.harness.mixed_models import HOUSE_ROW, PASSENGER_ROW, publish_houses, publish_passengers
from tests.harness.processes.inference import Stores, inference, undisturbed
from tests.harness.processes.serving import ServingProcess, publish_line

# The client's own imports warn of things that are not ours.
pytestmark = pytest.mark.filterwarnings("default")
PREDICT = "/v1/models/model:predict"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve y = 2x + 1."""
    root: Path = tmp_path_factory.mktemp("v1")
    publish_line(root / "models", 2.0)
    with undisturbed(root / "models", root / "log", real_stores) as process:
        yield process


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve a regressor of mixed columns."""
    root: Path = tmp_path_factory.mktemp("v1-houses")
    publish_houses(ModelStore(root / "models"))
    with undisturbed(root / "models", root / "log", real_stores) as process:
        yield process


def ask(server: ServingProcess, question: Callable[[Any, str], Awaitable[Any]]) -> Any:
    """Return what KServe's client, made as its documentation shows, returns."""
    from kserve import InferenceRESTClient, RESTConfig  # noqa: PLC0415 - slow to import

    async def asked() -> Any:
        client = InferenceRESTClient(RESTConfig(protocol="v1"))
        try:
            return await question(client, f"http://127.0.0.1:{server.port}")
        finally:
            await client.close()

    return asyncio.run(asked())


def test_the_client_sees_a_live_server_and_a_ready_model(server: ServingProcess) -> None:
    assert ask(server, lambda client, base: client.is_server_live(base))
    assert ask(server, lambda client, base: client.is_model_ready(base, "model"))
    assert server.client.get("/v1/models").json() == {"models": ["model"]}
    assert server.client.get("/v1/models/model").json() == {"name": "model", "ready": True}


def test_a_server_without_a_model_is_not_ready(tmp_path: Path, real_stores: Stores) -> None:
    with inference(tmp_path / "none", tmp_path / "log", real_stores) as empty:
        assert not ask(empty, lambda client, base: client.is_model_ready(base, "model"))
        assert "no model" in empty.client.get("/v1/models/model").json()["error"]


def test_the_client_predicts(server: ServingProcess) -> None:
    data = {"instances": [[1.0], [2.0], [3.0]]}

    answer = ask(server, lambda client, base: client.infer(base, data, model_name="model"))

    expected = server.predict({"instances": [[1.0], [2.0], [3.0]]}).json()
    assert answer["predictions"] == expected["predictions"]
    assert answer["intervals"] == expected["intervals"]


def test_the_client_predicts_from_rows_by_name(houses: ServingProcess) -> None:
    data = {"instances": [HOUSE_ROW, HOUSE_ROW | {"city": "Paris"}]}

    answer = ask(houses, lambda client, base: client.infer(base, data, model_name="model"))

    expected = houses.predict(data).json()
    assert answer["predictions"] == expected["predictions"]
    assert answer["unseen"] == [[], ["city"]]


def test_the_client_gets_the_classes_of_a_classifier(tmp_path: Path, real_stores: Stores) -> None:
    publish_passengers(ModelStore(tmp_path / "models"))
    data = {"instances": [PASSENGER_ROW]}

    with undisturbed(tmp_path / "models", tmp_path / "log", real_stores) as passengers:
        answer = ask(passengers, lambda client, base: client.infer(base, data, model_name="model"))

    assert isinstance(answer["predictions"][0], bool)
    assert set(answer["probabilities"][0]) == {"false", "true"}


def test_the_client_reads_our_errors(server: ServingProcess) -> None:
    data = {"instances": [[1.0, 2.0]]}

    with pytest.raises(httpx.HTTPStatusError, match=r"expected a list of numbers.*400 Bad Request"):
        ask(server, lambda client, base: client.infer(base, data, model_name="model"))
    with pytest.raises(httpx.HTTPStatusError, match=r"there is no model other.*404 Not Found"):
        ask(server, lambda client, base: client.infer(base, data, model_name="other"))


def test_every_prediction_is_logged_once_and_cached(server: ServingProcess, real_stores: Stores) -> None:
    answers = [server.client.post(PREDICT, json={"instances": [[71.5]]}).json() for _ in range(2)]

    ids = [answer["id"] for answer in answers]
    assert real_stores.times_logged(ids) == dict.fromkeys(ids, 1)
    assert [answer["cached"] for answer in answers] == [False, True]
    assert server.predict({"instances": [[71.5]]}).json()["cached"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", PREDICT, 405),
        ("POST", "/v1/models/model", 405),
        ("GET", "/v1/models/other", 404),
        ("GET", "/v1/models/" + "x" * 5000, 404),
        ("POST", "/v1/models/other:predict", 404),
        ("POST", "/v1/models/model:explain", 405),
        ("GET", "/v1/nothing", 404),
    ],
)
def test_a_wrong_address_has_the_protocols_error(
    server: ServingProcess, method: str, path: str, status: int
) -> None:
    answer = server.client.request(method, path)

    assert answer.status_code == status
    assert len(answer.json()["error"]) < 300


def test_requests_are_counted_by_the_routes_template(server: ServingProcess) -> None:
    server.client.post("/v1/models/many-names:predict", json={})

    counted = server.client.get("/metrics").text

    assert 'route="/v1/models/{name}:predict"' in counted
    assert "many-names" not in counted
