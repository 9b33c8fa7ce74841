"""The Flask server's answers with a model and without a database."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.processes.serving import ServingProcess, eventually, publish_line, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingProcess]:
    """Serve version 1 (slope 2) and version 2 (slope 3); nothing listens where the database should be."""
    root: Path = tmp_path_factory.mktemp("answers")
    publish_line(root / "models", 2.0)
    publish_line(root / "models", 3.0)
    with serving(root / "models", root / "log") as process:
        yield process


@pytest.mark.parametrize("key", ["values", "features", "instances"])
@pytest.mark.parametrize("rows", [[5], [5, 6.5], [[5]], [[5], [6.5]]])
def test_every_documented_body_is_answered_row_by_row(
    server: ServingProcess, key: str, rows: list[object]
) -> None:
    """One inner list per row, an interval around each, from one version."""
    answer = server.predict({key: rows}).json()

    assert answer["model_version"] == 2
    assert answer["predictions"][0][0] == pytest.approx(16, abs=0.5)
    assert len(answer["predictions"]) == len(answer["intervals"]) == len(answer["confidence"]) == len(rows)
    for [value], [low, high] in zip(answer["predictions"], answer["intervals"], strict=True):
        assert low < value < high
        assert value == round(value, 4)


def test_the_answer_is_spaced_as_the_document_prints_it(server: ServingProcess) -> None:
    """The document's expected output begins with this text."""
    assert server.predict({"values": [5]}).text.startswith('{"predictions": [[')


def test_a_body_can_name_its_version(server: ServingProcess) -> None:
    """The current version is the default, an older promoted one answers when asked."""
    answer = server.predict({"values": [5], "model_version": 1}).json()

    assert answer["model_version"] == 1
    assert answer["predictions"][0][0] == pytest.approx(11, abs=0.5)


def test_the_index_lists_endpoints_and_describes_the_model(server: ServingProcess) -> None:
    """API information and model status."""
    index = server.client.get("/").json()

    assert {"GET /health", "POST /predict", "GET /data/sample"} <= set(index["endpoints"])
    assert index["model"]["version"] == 2
    assert index["model"]["features"] == ["x"]
    assert index["model"]["coefficients"]["x"] == pytest.approx(3, abs=0.05)
    assert index["model"]["metrics"]["r2"] > 0.99


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2_Z", True), ("x" * 65, False), ('"', False), ("", False)]
)
def test_a_sane_request_id_is_kept_and_any_other_replaced(
    server: ServingProcess, given: str, kept: bool
) -> None:
    """The id joins the caller's log with ours."""
    echoed = server.client.get("/livez", headers={"X-Request-ID": given}).headers["x-request-id"]

    assert (echoed == given) is kept
    assert 0 < len(echoed) <= 64


@pytest.mark.parametrize("path", ["/", "/health", "/livez", "/readyz", "/metrics"])
def test_head_is_answered_like_get_without_a_body(server: ServingProcess, path: str) -> None:
    """Load balancers and monitors ask with HEAD."""
    answer = server.client.head(path)

    assert answer.status_code == 200
    assert answer.content == b""


def test_options_lists_the_methods(server: ServingProcess) -> None:
    """OPTIONS has no body to misread."""
    answer = server.client.options("/predict")

    assert set(answer.headers["allow"].split(", ")) == {"POST", "OPTIONS"}


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers, like a database that hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield int(listener.getsockname()[1])


@pytest.mark.parametrize("database", ["127.0.0.1:1", "127.0.0.1:{silent}", "no-such-host.invalid:5432"])
def test_health_is_quick_and_degraded_whatever_the_database_does(
    server: ServingProcess, tmp_path: Path, silent_port: int, database: str
) -> None:
    """Refused, hanging or unknown: predictions need no database, so the status stays 200."""
    database = database.format(silent=silent_port)
    url = f"postgresql://reader:reader@{database}/dsproject"
    with serving(server.model_dir, tmp_path / "log", url) as process:
        for path, status in [("/health", 200), ("/data/sample", 503), ("/health", 200), ("/livez", 200)]:
            begin = time.perf_counter()
            answer = process.client.get(path)
            seconds = time.perf_counter() - begin

            assert answer.status_code == status
            assert seconds < 1
        assert process.client.get("/health").json()["status"] == "degraded"
        assert "retry-after" in process.client.get("/data/sample").headers
        assert process.predict({"values": [5]}).status_code == 200


def test_without_a_model_the_server_runs_but_is_not_ready(tmp_path: Path) -> None:
    """503 until a version is promoted, then predictions without a restart."""
    with serving(tmp_path / "models", tmp_path / "log") as process:
        assert process.client.get("/readyz").status_code == 503
        assert process.client.get("/health").status_code == 503
        refused = process.predict({"values": [5]})
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert "retry-after" in refused.headers

        publish_line(tmp_path / "models", 2.0)

        assert eventually(lambda: process.client.get("/readyz").status_code == 200)
        assert process.predict({"values": [5]}).status_code == 200


def test_a_damaged_version_is_refused_and_the_old_one_answers(tmp_path: Path) -> None:
    """The refusal shows in the health report and in a gauge."""
    publish_line(tmp_path / "models", 2.0)
    with serving(tmp_path / "models", tmp_path / "log") as process:
        version = publish_line(tmp_path / "models", 3.0)
        with (tmp_path / "models" / "versions" / str(version) / "model.skops").open("ab") as artifact:
            artifact.write(b"x")

        assert eventually(lambda: process.metric("model_refused") == 1)

        assert process.client.get("/health").json()["status"] == "degraded"
        assert process.client.get("/readyz").status_code == 200
        assert process.predict({"values": [5]}).json()["model_version"] == 1
        assert process.predict({"values": [5], "model_version": version}).status_code == 404
