"""What a person sees: the api's documentation, Prometheus' targets, a model's report."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until


def test_documentation_needs_nothing_from_elsewhere(
    stack: Stack, page: Page, requested: list[str], errors: list[str]
) -> None:
    page.goto(f"http://localhost:{stack.port('API_PORT')}/docs")

    for path in ("/predict", "/health", "/livez", "/readyz", "/metrics"):
        expect(page.locator(f'.opblock-summary-path[data-path="{path}"]')).to_be_visible()
    assert {urlsplit(url).hostname for url in requested if not url.startswith("data:")} == {"localhost"}
    assert not errors


def test_a_prediction_can_be_tried_out(stack: Stack, page: Page) -> None:
    page.goto(f"http://localhost:{stack.port('API_PORT')}/docs")
    operation = page.locator(".opblock", has=page.locator('[data-path="/predict"]'))
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("textarea").fill('{"features": [1.0, 2.0, 3.0]}')

    operation.get_by_role("button", name="Execute").click()

    shown = operation.locator(".live-responses-table .response-col_description pre").first
    expect(shown).to_contain_text("predictions", timeout=15_000)
    answer = json.loads(shown.inner_text())
    assert [round(value) for value in answer["predictions"]] == [3, 5, 7]
    assert answer["id"] in stack.logged_ids()


def test_prometheus_shows_every_target_up(stack: Stack, page: Page) -> None:
    wait_until(lambda: _targets_up(stack) >= {"ml-api", "model-serve", "prometheus"}, 60, "all targets up")

    page.goto(f"http://localhost:{stack.port('PROMETHEUS_PORT')}/targets", wait_until="commit")
    classic = page.get_by_role("link", name="Use classic web UI")
    expect(classic.or_(page.get_by_text("prometheus (1/1 up)"))).to_be_visible()
    if classic.is_visible():  # Debian's package as it comes, in a stand-in that was built before
        page.goto(f"http://localhost:{stack.port('PROMETHEUS_PORT')}/classic/targets")

    for job in ("ml-api", "model-serve", "prometheus"):
        expect(page.get_by_text(f"{job} (1/1 up)")).to_be_visible()


def test_model_report_shows_pictures_and_numbers(
    stack: Stack, page: Page, requested: list[str], tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    source = stack.compose("exec", "-T", "model-serve", "cat", "/models/current/report.html")
    report.write_text(source.stdout, encoding="utf-8")

    page.goto(report.as_uri())

    expect(page.get_by_role("heading").first).to_contain_text("Model version 1: promoted")
    expect(page.get_by_text("LinearRegression").first).to_be_visible()
    widths = page.locator("img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert len(widths) >= 2
    assert min(widths) > 300
    assert all(url.startswith(("file:", "data:")) for url in requested)


def _targets_up(stack: Stack) -> set[str]:
    return {series["metric"]["job"] for series in stack.query("up == 1")}
