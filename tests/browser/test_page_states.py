"""The page where not all is well: a key is required, no model, a store away, columns of any kind."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from mlstack.registry.store import ModelStore
from tests.browser.accessible import assert_accessible
from tests.harness.mixed_models import publish_houses, publish_passengers
from tests.harness.processes.inference import Stores, inference
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import publish_line

SOON = 30_000  # milliseconds
KEY = "a-key-of-sixteen-characters"


def test_a_key_is_asked_for_and_used(page: Page, real_stores: Stores, tmp_path: Path) -> None:
    publish_line(tmp_path / "models", 2.0)
    with inference(tmp_path / "models", tmp_path / "log", real_stores, API_KEYS=KEY) as server:
        page.goto(str(server.client.base_url))
        expect(page.get_by_label("API key")).to_be_visible()
        assert_accessible(page)
        page.get_by_label("API key").fill("another-key-of-some-length")
        page.get_by_role("button", name="Use it").click()
        expect(page.get_by_role("alert")).to_have_text("This key is not valid.")
        assert_accessible(page)
        page.get_by_label("API key").fill(KEY)
        page.get_by_role("button", name="Use it").click()
        page.get_by_role("button", name="Predict").click()

        expect(page.locator("#answer strong")).to_be_visible()
        expect(page.get_by_label("API key")).to_be_hidden()


def test_no_model_is_said_and_then_one_arrives(page: Page, real_stores: Stores, tmp_path: Path) -> None:
    with inference(tmp_path / "models", tmp_path / "log", real_stores) as server:
        page.goto(str(server.client.base_url))
        expect(page.locator("#model-none")).to_contain_text("no model is loaded yet")
        expect(page.get_by_role("button", name="Predict")).to_be_hidden()
        assert_accessible(page)

        publish_line(tmp_path / "models", 2.0)

        expect(page.get_by_role("button", name="Predict")).to_be_visible(timeout=15_000)


def test_the_form_follows_the_model(page: Page, real_stores: Stores, tmp_path: Path) -> None:
    """Numbers, categories, booleans, and what may be empty; an unseen category is told."""
    store = ModelStore(tmp_path / "models")
    publish_houses(store)
    with inference(store.root, tmp_path / "log", real_stores) as server:
        page.goto(str(server.client.base_url))
        page.get_by_label("city").fill("Paris")
        page.get_by_label("rooms (may be empty)").fill("")
        page.get_by_label("garden").select_option("true")
        page.get_by_role("button", name="Predict").click()
        expect(page.locator("#answer")).to_contain_text("Not seen in training: city")

        publish_passengers(store)
        page.get_by_label("port (may be empty)").fill("Kiel", timeout=15_000)
        page.get_by_role("button", name="Predict").click()

        expect(page.locator("#answer")).to_contain_text("95 % set:")
        assert page.locator("#answer meter").count() == 2


def test_a_store_away_is_said(page: Page, real_stores: Stores, tmp_path: Path) -> None:
    """PostgreSQL, then both, then Redis: predictions are answered while one of them is there."""
    publish_line(tmp_path / "models", 2.0)
    with inference(tmp_path / "models", tmp_path / "log", real_stores) as server:
        page.goto(str(server.client.base_url))
        health = page.get_by_role("status").first
        expect(health).to_have_text("healthy", timeout=SOON)

        with stopped(real_stores.redis):
            with stopped(real_stores.postgres):
                expect(health).to_have_text("unhealthy, PostgreSQL and Redis away", timeout=SOON)
                page.get_by_role("button", name="Predict").click()
                expect(page.locator("#answer .error")).to_contain_text("PostgreSQL and Redis")
                assert_accessible(page)
            expect(health).to_have_text("degraded, Redis away", timeout=SOON)
            expect(page.locator("#log-away")).to_be_hidden(timeout=SOON)
            page.get_by_role("button", name="Predict").click()
            expect(page.locator("#answer")).to_contain_text("computed", timeout=SOON)
            expect(page.locator("#log-rows tr").first).to_be_visible(timeout=SOON)
            assert_accessible(page)

        expect(health).to_have_text("healthy", timeout=SOON)
        with stopped(real_stores.postgres):
            expect(health).to_have_text("degraded, PostgreSQL away", timeout=SOON)
            expect(page.locator("#log-away")).to_be_visible(timeout=SOON)
            assert_accessible(page)

        expect(health).to_have_text("healthy", timeout=SOON)
