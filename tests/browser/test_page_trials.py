"""What is tried beside the current version, on the page: a shadow and how it compares, a canary."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from mlstack.registry.trials import begin_canary, begin_shadow, end_trial
from tests.harness.processes.inference import Stores, undisturbed
from tests.harness.processes.serving import eventually
from tests.harness.processes.tried_versions import volume_of_lines

SOON = 30_000  # milliseconds


@pytest.mark.parametrize("key", ["", "a-key-of-sixteen-characters"], ids=["without a key", "with a key"])
def test_what_is_tried_is_told(page: Page, tmp_path: Path, real_stores: Stores, key: str) -> None:
    """Version 1 doubles; version 2 takes it four times, which the true values contradict."""
    root = volume_of_lines(tmp_path / "models", 2.0, 4.0).root
    settings = {"API_KEYS": key} if key else {}
    with undisturbed(root, tmp_path / "log", real_stores, **settings) as server:
        headers = {"X-API-Key": key}
        page.goto(str(server.client.base_url))
        if key:
            page.get_by_label("API key").fill(key)
            page.get_by_role("button", name="Use it").click()
        section, text = page.locator("#trials"), page.locator("#trials-text")
        expect(page.locator("#content")).to_be_visible(timeout=SOON)
        expect(section).to_be_hidden()

        begin_shadow(root, 2)
        expect(text).to_contain_text("Shadow: version 2 is scored", timeout=SOON)
        assert eventually(lambda: server.metric("shadow_version") == 2)
        answers = [
            server.client.post("/predict", json={"values": [n]}, headers=headers).json() for n in range(1, 31)
        ]
        truths = [{"id": each["id"], "actual": each["predictions"]} for each in answers]
        assert server.client.post("/feedback", json=truths, headers=headers).status_code == 200
        expect(text).to_contain_text("on 30 true values", timeout=SOON)
        expect(text).to_contain_text("Compared on 30 requests with 30 rows: mean difference")
        expect(text).to_contain_text("Version 2 errs more than version 1, and not by chance")

        begin_canary(root, 2, 0.1)
        expect(text).to_contain_text("Canary: version 2 answers 10 % of the callers", timeout=SOON)
        assert Axe().run(page).response["violations"] == []

        end_trial(root, "shadow")
        end_trial(root, "canary")
        expect(section).to_be_hidden(timeout=SOON)
