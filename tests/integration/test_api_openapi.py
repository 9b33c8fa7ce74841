"""The api's OpenAPI document is true, and its documentation needs no other server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlstack.registry.store import ModelStore
from tests.harness.mixed_models import publish_houses, publish_passengers
from tests.harness.processes.inference import Stores, inference
from tests.harness.processes.serving import ServingProcess, eventually, publish_line

EXAMPLES, SEED = 50, 667
CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve one model."""
    root: Path = tmp_path_factory.mktemp("openapi")
    publish_line(root / "models", 2.0)
    with inference(root / "models", root / "log", real_stores) as process:
        yield process


def fuzz(server: ServingProcess, directory: Path, *paths: str) -> None:
    """Let Schemathesis send requests that the document allows, and others, and check every answer."""
    schema = server.client.get("/openapi.json")
    program = Path(sys.executable).with_name("schemathesis")
    bounds = [f"--max-examples={EXAMPLES}", f"--seed={SEED}", "--generation-database=none"]
    strategy = ["--phases=examples,coverage,fuzzing", "--checks=all", "--no-color"]
    only = [f"--include-path={path}" for path in paths]
    command = [str(program), f"--config-file={CONFIG}", "run", str(schema.url), *bounds, *strategy, *only]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout[-6000:]


def test_every_operation_behaves_as_it_is_described(server: ServingProcess, tmp_path: Path) -> None:
    fuzz(server, tmp_path)


PUBLISH = [publish_houses, publish_passengers]


@pytest.mark.parametrize("publish", PUBLISH, ids=lambda publish: publish.__name__)
def test_the_document_follows_the_model(
    publish: Callable[[ModelStore], int], server: ServingProcess, tmp_path: Path
) -> None:
    """Its own columns, kinds and classes, and examples that are answered as the document says."""
    store = ModelStore(server.model_dir)
    before = store.current()
    version = publish(store)
    try:
        assert eventually(lambda: server.metric("model_version") == version)

        fuzz(server, tmp_path, "/predict")

        operation = server.client.get("/openapi.json").json()["paths"]["/predict"]["post"]
        examples = operation["requestBody"]["content"]["application/json"]["examples"]
        for name, example in examples.items():
            answer = server.predict(example["value"])
            assert (answer.status_code, answer.json()["model_version"]) == (200, version), name
    finally:
        assert before is not None
        store.promote(before, force=True)
        assert eventually(lambda: server.metric("model_version") == before)


def test_the_page_names_the_columns_of_the_model(server: ServingProcess) -> None:
    """The demonstration's has one, a number."""
    schemas = server.client.get("/openapi.json").json()["components"]["schemas"]

    rows, flat, _ = schemas["PredictRequest"]["properties"]["instances"]["anyOf"]
    by_position, by_name = rows["items"]["anyOf"]
    assert {name: cell["type"] for name, cell in by_name["properties"].items()} == {"x": "number"}
    assert (by_position["minItems"], by_position["maxItems"]) == (1, 1)
    assert flat["items"]["type"] == "number"


def test_the_hot_path_is_described_in_full(server: ServingProcess) -> None:
    """FastAPI does not route it, and still it has its body, its answer and its problems."""
    operation = server.client.get("/openapi.json").json()["paths"]["/predict"]["post"]

    assert set(operation["responses"]) >= {"200", "400", "404", "413", "415", "422", "503"}
    assert "application/json" in operation["requestBody"]["content"]
    problems = [found for status, found in operation["responses"].items() if status != "200"]
    assert all("application/problem+json" in problem["content"] for problem in problems)


def test_the_documentation_begins_with_predictions(server: ServingProcess) -> None:
    """Its sections are in the order in which people need them, and every operation is in one."""
    document = server.client.get("/openapi.json").json()

    sections = [section["name"] for section in document["tags"]]
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert sections[0] == "prediction"
    assert {tag for operation in operations for tag in operation["tags"]} == set(sections)
    assert all(operation["tags"] for operation in operations)


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_documentation_brings_its_own_files(server: ServingProcess, page: str) -> None:
    """No CDN: every script, style and picture is ours, and is there."""
    answer = server.client.get(page)

    links = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert answer.status_code == 200
    assert links
    assert [link for link in links if link.startswith(("http:", "https:", "//"))] == []
    for link in links:
        found = server.client.get(link)
        assert found.status_code == 200, link
        assert found.content
