"""The running stack and a browser, shared by all tests of this folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.harness.stack.compose import Stack
from tests.harness.stack.lifecycle import running_stack

_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def stack(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Stack]:  # noqa: ARG001 - or skip first
    """The whole stack, healthy."""
    with running_stack(request.session, "browser") as running:
        yield running


@pytest.fixture
def requested() -> list[str]:
    """The URLs that the page has asked for, in order."""
    return []


@pytest.fixture
def errors() -> list[str]:
    """The script errors on the page."""
    return []


@pytest.fixture
def page(browser: Browser, requested: list[str], errors: list[str]) -> Iterator[Page]:
    """An empty page."""
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: requested.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()


@pytest.fixture
def violations(page: Page) -> list[str]:
    """What the browser has blocked, and other errors on its console."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found
