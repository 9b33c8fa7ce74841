"""The page at GET /: to browsers a page of our own files under a strict policy, to other clients JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.page.routes import FILES
from mlstack.registry.store import ModelStore
from tests.harness.mixed_models import publish_houses
from tests.harness.processes.inference import Stores, inference, is_healthy
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import ServingProcess, eventually
from tests.harness.processes.tried_versions import publish_tree, volume_of_lines
from tests.harness.processes.watched import train_demonstration

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
KEY = "a-key-of-sixteen-characters"


@pytest.fixture(scope="module")
def models(real_stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model volume with the demonstration's version, as the steps make it."""
    models: Path = tmp_path_factory.mktemp("page") / "models"
    train_demonstration(real_stores, models)
    return models


@pytest.fixture(scope="module")
def server(models: Path, real_stores: Stores) -> Iterator[ServingProcess]:
    """Serve it."""
    with inference(models, models.parent / "log", real_stores) as process:
        assert eventually(partial(is_healthy, process), 30)
        yield process


def state(server: ServingProcess) -> dict[str, Any]:
    """Return what the page is told every two seconds."""
    answer = server.client.get("/page/state")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_a_browser_gets_the_page_and_another_client_json(server: ServingProcess) -> None:
    page = server.client.get("/", headers=BROWSER)
    other = server.client.get("/")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["vary"] == "Accept"
    assert other.json()["health"]["status"] == "healthy"
    assert server.client.get(other.json()["links"]["documentation"]).status_code == 200


def test_every_file_of_the_page_is_its_own_and_under_the_policy(server: ServingProcess) -> None:
    """No inline script or style, nothing from elsewhere."""
    markup = server.client.get("/", headers=BROWSER).text

    links = re.findall(r'(?:src|href)="([^"]+)"', markup)
    assert {link for link in links if link.startswith(("http", "//"))} == set()
    assert not re.search(r"<script(?![^>]* src=)|<style| on\w+=| style=", markup)
    for name in FILES:
        answer = server.client.get(f"/page/{name}")
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    imported = re.findall(r'from "\./([a-z]+\.js)"', "".join(text.decode() for text in FILES.values()))
    assert set(imported) <= set(FILES)


@pytest.mark.parametrize("path", ["/page/nothing.js", "/page/..%2fmain.py", "/page/versions/99/report"])
def test_nothing_else_is_there(server: ServingProcess, path: str) -> None:
    answer = server.client.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_last_predictions_and_the_traffic_are_the_log(server: ServingProcess) -> None:
    answered = [server.predict({"values": [index / 7]}).json() for index in range(15)]
    many = server.predict({"values": list(range(500))}).json()

    assert eventually(lambda: state(server)["log"]["predictions"][0]["id"] == many["id"], 10)
    log = state(server)["log"]
    shown = {row["id"]: row for row in log["predictions"]}
    assert len(shown) == 12
    assert shown[many["id"]]["rows"] == 500
    latest = answered[-1]
    assert float(shown[latest["id"]]["prediction"]) == latest["predictions"][0]


def test_the_model_comes_with_its_points_and_its_curve(server: ServingProcess) -> None:
    model = server.client.get("/page/model").json()

    (version,) = server.client.get("/page/versions").json()
    assert model["columns"][0]["name"] == "x"
    assert (len(model["picture"]["training"]), len(model["picture"]["holdout"])) == (80, 20)
    for x, predicted, low, high in model["picture"]["curve"]:
        assert low < predicted < high
        assert predicted == pytest.approx(2 * x + 1, abs=0.5)
    assert (version["version"], version["current"], version["report"]) == (1, True, True)


def test_what_is_new_among_the_versions_is_told(real_stores: Stores, tmp_path: Path) -> None:
    """A candidate, and the verdict on it: neither is served."""
    store = volume_of_lines(tmp_path / "models", 2.0)
    with inference(store.root, tmp_path / "log", real_stores) as server:

        def listed() -> list[tuple[int, str]]:
            found = server.client.get("/page/versions").json()
            return [(each["version"], each["verdict"]) for each in found]

        marks = [state(server)["versions"]]
        candidate = publish_tree(store)
        assert eventually(lambda: state(server)["versions"] not in marks, 10)
        assert listed() == [(candidate, "candidate"), (1, "promoted")]
        marks.append(state(server)["versions"])
        store.reject(candidate, "it errs more")
        assert eventually(lambda: state(server)["versions"] not in marks, 10)

        assert listed() == [(candidate, "rejected"), (1, "promoted")]
        assert state(server)["health"]["model_version"] == 1


def test_a_report_can_run_nothing(server: ServingProcess) -> None:
    answer = server.client.get("/page/versions/1/report")

    assert "Model version 1" in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]


def test_without_postgresql_the_page_goes_on(server: ServingProcess, real_stores: Stores) -> None:
    """It shows that the store is away, and how much waits for it."""
    with stopped(real_stores.postgres):
        assert eventually(lambda: state(server)["health"]["database"] == "unreachable", 10)
        server.predict({"values": [1]})
        assert eventually(lambda: state(server)["log"] is None and state(server)["queue"] == 1, 10)

    assert eventually(lambda: is_healthy(server) and state(server)["log"] is not None, 30)


def test_a_damaged_picture_hides_nothing_else(real_stores: Stores, tmp_path: Path) -> None:
    """Without a picture the page has none; a link in its place is not followed."""
    store = ModelStore(tmp_path / "models")
    version = publish_houses(store)
    (store.path(version) / "picture.json").symlink_to("/etc/passwd")
    (store.path(version) / "report.html").symlink_to("/etc/passwd")
    with inference(store.root, tmp_path / "log", real_stores) as server:
        model = server.client.get("/page/model").json()
        report = server.client.get(f"/page/versions/{version}/report")

    assert model["picture"] is None
    assert [column["kind"] for column in model["columns"]] == [
        "number",
        "category",
        "number",
        "boolean",
    ]
    assert report.status_code == 404


def test_with_keys_only_the_page_itself_is_open(models: Path, real_stores: Stores, tmp_path: Path) -> None:
    """The files hold nothing secret; what they show needs a key."""
    with inference(models, tmp_path / "log", real_stores, API_KEYS=KEY) as server:
        opened = [
            server.client.get(path, headers=BROWSER) for path in ("/", *(f"/page/{name}" for name in FILES))
        ]
        asked = ["/page/state", "/page/model", "/page/versions", "/page/versions/1/report"]
        refused = [server.client.get(path) for path in asked]
        allowed = [server.client.get(path, headers={"x-api-key": KEY}) for path in asked]

    def statuses(answers: list[httpx.Response]) -> set[int]:
        return {answer.status_code for answer in answers}

    assert (statuses(refused), statuses(allowed)) == ({401}, {200})
    assert statuses([answer for answer in opened if not answer.url.path.endswith("index.html")]) == {200}


def test_without_a_model_the_page_says_why(real_stores: Stores, tmp_path: Path) -> None:
    with inference(tmp_path / "models", tmp_path / "log", real_stores) as server:
        page, told = server.client.get("/", headers=BROWSER), server.client.get("/page/model")
        health = state(server)["health"]

    assert page.status_code == 200
    assert (told.status_code, health["status"]) == (503, "unhealthy")
    assert "run model-train and model-evaluate" in told.json()["detail"]
