"""Whether a page is accessible by axe's rules, and not wider than the screen."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_WIDE, _NARROW = (1280, 900), (360, 740)


def assert_accessible(page: Page) -> None:
    """Look at the page as it is now, in the light, in the dark and on a telephone; the last look stays."""
    for dark, (width, height) in ((False, _WIDE), (True, _WIDE), (False, _NARROW)):
        page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": height})

        found = Axe().run(page)

        assert found.response["violations"] == [], found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
