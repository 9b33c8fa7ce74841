"""The api's OpenAPI document is true, and its documentation needs no other server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.processes.inference import Stores, inference, stores
from tests.harness.processes.serving import ServingProcess, publish_line

EXAMPLES, SEED = 50, 667
CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture(scope="module")
def real_stores() -> Iterator[Stores]:
    """Both stores, undisturbed."""
    with stores() as started:
        yield started


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve one model."""
    root: Path = tmp_path_factory.mktemp("openapi")
    publish_line(root / "models", 2.0)
    with inference(root / "models", root / "log", real_stores) as process:
        yield process


def test_every_operation_behaves_as_it_is_described(server: ServingProcess, tmp_path: Path) -> None:
    """Schemathesis sends requests that the document allows, and others, and checks every answer."""
    schema = server.client.get("/openapi.json")
    program = Path(sys.executable).with_name("schemathesis")
    bounds = [f"--max-examples={EXAMPLES}", f"--seed={SEED}", "--generation-database=none"]
    strategy = ["--phases=examples,coverage,fuzzing", "--checks=all", "--no-color"]
    command = [str(program), f"--config-file={CONFIG}", "run", str(schema.url), *bounds, *strategy]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=500)

    assert done.returncode == 0, done.stdout[-6000:]


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
