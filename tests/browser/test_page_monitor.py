"""Drift and the error on true values on the page, and the reports that it leads to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessible import assert_accessible
from tests.harness.processes.inference import stores
from tests.harness.processes.serving import ServingProcess
from tests.harness.processes.watched import Watched, demonstration

KEY = "a-key-of-sixteen-characters"
SOON = 30_000  # milliseconds


@pytest.fixture(scope="module")
def watched(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:  # noqa: ARG001 - or skip first
    models = tmp_path_factory.mktemp("page") / "models"
    with stores() as started, demonstration(started, models) as running:
        yield running


def ask_and_tell(server: ServingProcess) -> None:
    """Send 300 rows like the training data, each with a true value that is off by a quarter."""
    answers = [server.predict({"values": [index / 15]}).json() for index in range(300)]
    truths = [{"id": each["id"], "actual": [each["predictions"][0] + 0.25]} for each in answers]
    assert server.client.post("/feedback", json=truths).status_code == 200


def test_each_state_is_said_in_words(page: Page, watched: Watched, tmp_path: Path) -> None:
    """Too few rows, no true values; then both, with charts."""
    with watched.api(tmp_path / "log") as server:
        page.goto(str(server.client.base_url))
        text = page.locator("#monitor-text")
        expect(text).to_contain_text("drift needs at least 200", timeout=SOON)
        expect(text).to_contain_text("No client has sent true values yet")

        ask_and_tell(server)

        expect(text).to_contain_text("No drift: 300 logged rows", timeout=SOON)
        expect(text).to_contain_text("on 300 true values: rmse 0.25 (hold-out", timeout=SOON)
        expect(page.locator("#monitor-charts figure")).to_have_count(3)
        expect(page.locator("#monitor-charts figcaption").last).to_contain_text("rmse on true values 0.25")
        expect(page.locator("#monitor-charts line.limit")).to_have_count(2)


def test_the_drift_report_opens_from_the_page(page: Page, watched: Watched, tmp_path: Path) -> None:
    with watched.api(tmp_path / "log") as server:
        page.goto(str(server.client.base_url))

        page.get_by_role("link", name="Drift report").focus(timeout=SOON)
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading").first).to_contain_text("Drift:")
        assert page.locator("body").evaluate("body => getComputedStyle(body).maxWidth") == "960px"


@pytest.mark.parametrize(
    ("link", "heading"), [("Drift report", "Drift:"), ("report on version 1", "Model version 1")]
)
def test_with_a_key_reports_open_as_they_are_meant_to_look(
    page: Page, watched: Watched, tmp_path: Path, link: str, heading: str
) -> None:
    """In a tab; what is there looks as it does without a key, and no policy is violated."""
    errors: list[str] = []
    with watched.api(tmp_path / "log", API_KEYS=KEY) as server:
        page.goto(str(server.client.base_url))
        page.get_by_label("API key").fill(KEY)
        page.get_by_role("button", name="Use it").click()
        expect(page.get_by_role("link", name=link)).to_be_visible(timeout=SOON)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

        with page.context.expect_page() as opened:
            page.get_by_role("link", name=link).click()

        expect(opened.value.get_by_role("heading").first).to_contain_text(heading)
        body = opened.value.locator("body")
        assert body.evaluate("body => getComputedStyle(body).fontFamily") == "system-ui, sans-serif"
        assert errors == []


def test_a_report_on_a_version_is_accessible(page: Page, watched: Watched) -> None:
    """As a file: where the api serves it no script runs, so axe's does not, either."""
    page.goto((watched.models / "versions" / "1" / "report.html").as_uri())
    expect(page.get_by_role("heading").first).to_be_visible()

    assert_accessible(page)


def test_without_a_monitor_the_page_says_how_to_start_one(
    page: Page, watched: Watched, tmp_path: Path
) -> None:
    with watched.api(tmp_path / "log", MONITOR_URL="http://127.0.0.1:9") as server:
        page.goto(str(server.client.base_url))

        expect(page.locator("#monitor-text")).to_contain_text("The monitor does not run", timeout=SOON)
        expect(page.get_by_role("link", name="Drift report")).to_be_hidden()
        expect(page.locator("#log")).to_be_visible()


def test_only_what_runs_and_can_be_reached_is_linked(page: Page, watched: Watched, tmp_path: Path) -> None:
    """The monitor stands for Prometheus: it answers the probe with 404, as another program there would."""
    settings = {
        "PROMETHEUS_URL": f"{watched.monitor.base_url}", "PROMETHEUS_ADDRESS": "http://localhost:23909",
        "GRAFANA_URL": "http://127.0.0.1:9", "GRAFANA_ADDRESS": "http://localhost:23930",
    }  # fmt: skip
    with watched.api(tmp_path / "log", **settings) as server:
        page.goto(str(server.client.base_url))
        expect(page.locator("#monitor-text")).not_to_be_empty(timeout=SOON)

        expect(page.locator("nav a")).to_have_text(["API documentation"])


def test_it_is_accessible_with_drift_and_true_values(page: Page, watched: Watched, tmp_path: Path) -> None:
    with watched.api(tmp_path / "log") as server:
        ask_and_tell(server)
        page.goto(str(server.client.base_url))
        expect(page.locator("#monitor-charts figure")).to_have_count(3, timeout=SOON)

        assert_accessible(page)
