"""The page at GET / of port 8000, as a person sees it, through nginx."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.harness.stack.compose import Stack

# As a model of text columns would have it logged.
_HOSTILE_ROW = """
INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp", model_version, cached,
                         intervals, request_id, latency)
VALUES (gen_random_uuid(), '[["<img src=x onerror=document.title=1><script>document.title=2</script>"]]',
        '[1]', '[1]', now(), 1, false, '[[0, 2]]', 'hostile', 0.001)
"""


@pytest.fixture
def address(stack: Stack) -> str:
    """Where the page is."""
    return f"http://localhost:{stack.port('API_PORT')}/"


def test_a_question_is_answered_and_drawn_into_the_picture(
    page: Page, address: str, requested: list[str], violations: list[str]
) -> None:
    page.goto(address)
    expect(page.get_by_role("status").first).to_have_text("healthy")
    page.get_by_label("x", exact=True).fill("5")

    page.get_by_role("button", name="Predict").press("Enter")

    expect(page.locator("#answer")).to_contain_text("y = 11")
    expect(page.locator("#answer")).to_contain_text("95 % interval 10.071 to 11.929")
    expect(page.locator("circle.asked").first).to_be_visible()
    assert page.locator("circle.training").count() == 80
    expect(page.locator("#log-rows tr").first).to_contain_text("[5.0]", timeout=10_000)
    assert {urlsplit(url).netloc for url in requested if url != "data:,"} == {urlsplit(address).netloc}
    assert violations == []


def test_predictions_of_others_arrive_by_themselves(stack: Stack, page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("#log-rows tr").first).to_be_visible()

    stack.api.post("/predict", json={"features": [12.34375]})

    expect(page.get_by_role("cell", name="[12.34375]").first).to_be_visible(timeout=10_000)


def test_what_is_not_a_number_cannot_be_asked(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("x", exact=True).fill("")

    page.get_by_role("button", name="Predict").click()

    assert page.get_by_label("x", exact=True).evaluate("input => !input.validity.valid")
    expect(page.locator("#answer")).to_be_empty()


def test_values_that_try_to_be_html_are_text(
    stack: Stack, page: Page, address: str, violations: list[str]
) -> None:
    stack.psql("postgres", "predictions", _HOSTILE_ROW)
    try:
        page.goto(address)

        expect(page.locator("#log-rows")).to_contain_text("onerror", timeout=10_000)
        expect(page).to_have_title("ml-stack")
        assert page.locator("#log-rows img, #log-rows script").count() == 0
        assert violations == []
    finally:
        stack.psql("postgres", "predictions", "DELETE FROM predictions WHERE request_id = 'hostile'")


def test_a_report_opens_from_the_page(page: Page, address: str) -> None:
    page.goto(address)

    page.get_by_role("link", name="report on version 1").click()

    expect(page.get_by_role("heading").first).to_contain_text("Model version 1")


def test_prometheus_is_linked_where_it_is_published(stack: Stack, page: Page, address: str) -> None:
    """Grafana does not run here."""
    page.goto(address)

    expect(page.locator("nav a")).to_have_text(["API documentation", "Prometheus"], timeout=30_000)
    found = page.get_by_role("link", name="Prometheus").get_attribute("href")
    assert found == f"http://localhost:{stack.port('PROMETHEUS_PORT')}"
    expect(page.locator("#monitor-text")).to_contain_text("The monitor does not run", timeout=30_000)


@pytest.fixture(params=["light", "dark", "narrow"])
def looked_at(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page in the light, in the dark, and on a telephone."""
    narrow = request.param == "narrow"
    context = browser.new_context(
        color_scheme="dark" if request.param == "dark" else "light",
        viewport={"width": 360, "height": 740} if narrow else {"width": 1280, "height": 900},
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


def test_it_is_accessible(looked_at: Page, address: str) -> None:
    """By axe's rules; and nothing is wider than the screen."""
    looked_at.goto(address)
    expect(looked_at.locator("#log-rows tr").first).to_be_visible()
    looked_at.get_by_role("button", name="Predict").click()
    expect(looked_at.locator("#answer strong")).to_be_visible()

    found = Axe().run(looked_at)

    assert found.response["violations"] == [], found.generate_report()
    assert looked_at.evaluate("document.documentElement.scrollWidth <= innerWidth")
