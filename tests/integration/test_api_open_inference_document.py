"""The Open Inference Protocol's own OpenAPI document is true of our server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.processes.inference import Stores, inference
from tests.harness.processes.serving import ServingProcess, publish_line
from tests.harness.repository_root import ROOT

PUBLISHED = ROOT / "tests" / "data" / "open_inference" / "open_inference_rest.yaml"
CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES, SEED = 50, 667
TENSOR = {"name": "input", "shape": [2, 1], "datatype": "FP64", "data": [[1.0], [2.0]]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve one model."""
    root: Path = tmp_path_factory.mktemp("published")
    publish_line(root / "models", 2.0)
    with inference(root / "models", root / "log", real_stores) as process:
        yield process


def with_examples(document: dict[str, Any]) -> dict[str, Any]:
    """Add what the document leaves open, a model's name and its tensors; it says what it said."""
    names = {"MODEL_NAME": "model", "MODEL_VERSION": "1"}
    for path in document["paths"].values():
        for parameter in path.get("parameters", []):
            parameter["example"] = names[parameter["name"]]
        if "post" in path:
            path["post"]["requestBody"]["content"]["application/json"]["example"] = {"inputs": [TENSOR]}
    return document


def test_every_answer_conforms_to_the_published_document(server: ServingProcess, tmp_path: Path) -> None:
    """Its statuses, its media types and its schemas, whatever is asked."""
    document = with_examples(yaml.safe_load(PUBLISHED.read_text("utf-8")))
    (tmp_path / "document.yaml").write_text(yaml.safe_dump(document), "utf-8")
    program = Path(sys.executable).with_name("schemathesis")
    bounds = [f"--max-examples={EXAMPLES}", f"--seed={SEED}", "--generation-database=none"]
    strategy = ["--phases=examples,coverage,fuzzing", "--checks=all", "--no-color"]
    strategy.append("--exclude-checks=negative_data_rejection")  # we accept null for what may be absent
    address = [str(tmp_path / "document.yaml"), f"--url=http://127.0.0.1:{server.port}"]
    command = [str(program), f"--config-file={CONFIG}", "run", *address, *bounds, *strategy]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=500)

    assert done.returncode == 0, done.stdout[-6000:]
    predicted = 'http_requests_total{method="POST",route="/v2/models/{name}/infer",status="200"}'
    assert server.metric(predicted) > 0
