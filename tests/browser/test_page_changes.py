"""What changes while the page is open: traffic, versions, new predictions; and that it need not move."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from playwright.sync_api import Page, expect

from api.page.traffic_parts import MOST_ROWS
from tests.browser.accessible import assert_accessible
from tests.harness.processes.inference import Stores, inference, is_healthy
from tests.harness.processes.logged_traffic import insert_rows
from tests.harness.processes.serving import ServingProcess, eventually, publish_line
from tests.harness.processes.tried_versions import publish_tree, volume_of_lines

SOON = 30_000  # milliseconds
_COUNT_MOVEMENTS = """
window.moved = 0;
const count = () => { window.moved += 1; };
["animationstart", "transitionrun"].forEach((name) => document.addEventListener(name, count, true));
"""
_MOVING = """
[...document.querySelectorAll("*")].filter((element) => {
  const { animationName, transitionDuration } = getComputedStyle(element);
  return animationName !== "none" || transitionDuration !== "0s";
}).map((element) => element.tagName)
"""


def test_what_is_not_counted_is_a_gap_and_said(page: Page, real_stores: Stores, tmp_path: Path) -> None:
    publish_line(tmp_path / "models", 2.0)
    insert_rows(real_stores, "90 seconds", MOST_ROWS + 1)
    insert_rows(real_stores, "30 seconds", 50)
    with inference(tmp_path / "models", tmp_path / "log", real_stores) as server:
        page.goto(str(server.client.base_url))

        expect(page.locator("#traffic-note")).to_contain_text("Gaps: 1 of 29 parts", timeout=SOON)
        requests = page.locator("#charts svg").first
        expect(requests).to_have_attribute("aria-label", "requests a second: 0, with gaps")
        expect(requests.locator("path.curve")).to_have_count(2)
        assert_accessible(page)


def test_new_versions_and_verdicts_are_listed(page: Page, real_stores: Stores, tmp_path: Path) -> None:
    """While the served version stays."""
    store = volume_of_lines(tmp_path / "models", 2.0)
    with inference(store.root, tmp_path / "log", real_stores) as server:
        page.goto(str(server.client.base_url))
        verdicts = page.locator("#version-rows td:nth-child(2)")
        expect(verdicts).to_have_text(["promoted, served now"], timeout=SOON)

        candidate = publish_tree(store)
        expect(verdicts).to_have_text(["candidate", "promoted, served now"], timeout=SOON)
        store.reject(candidate, "it errs more")

        expect(verdicts).to_have_text(["rejected", "promoted, served now"], timeout=SOON)


def one_more_arrives(page: Page, server: ServingProcess) -> None:
    """Open the page, and wait until it marks a prediction that came afterwards."""
    assert eventually(partial(is_healthy, server), 30)
    server.predict({"values": [1]})
    page.add_init_script(_COUNT_MOVEMENTS)
    page.goto(str(server.client.base_url))
    expect(page.locator("#log-rows tr").first).to_be_visible(timeout=SOON)
    server.predict({"values": [12.34375]})
    page.locator("#log-rows tr.new").first.wait_for(timeout=SOON)


def test_a_new_prediction_moves(page: Page, real_stores: Stores, model_dir: Path, tmp_path: Path) -> None:
    page.emulate_media(reduced_motion="no-preference")
    with inference(model_dir, tmp_path / "log", real_stores) as server:
        one_more_arrives(page, server)

        page.wait_for_function("window.moved > 0", timeout=SOON)


def test_nothing_moves_for_who_wants_less_motion(
    page: Page, real_stores: Stores, model_dir: Path, tmp_path: Path
) -> None:
    page.emulate_media(reduced_motion="reduce")
    with inference(model_dir, tmp_path / "log", real_stores) as server:
        one_more_arrives(page, server)
        assert page.evaluate(_MOVING) == []

        expect(page.locator("#log-rows tr.new")).to_have_count(0, timeout=SOON)
        assert page.evaluate("window.moved") == 0
