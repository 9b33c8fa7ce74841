"""The system under test and its client, for the whole session; the table of faults at its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.chaos.ledger import HEADLINE, Ledger
from tests.harness.chaos.recorded_load import Load
from tests.harness.chaos.system import System
from tests.harness.repository_root import ROOT

_LEDGER = Ledger()


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    """What the faults did so far."""
    return _LEDGER


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    """The prediction path, healthy; every test leaves it healthy."""
    running = System()
    running.delete()
    try:
        running.start()
        yield running
    finally:
        if request.session.testsfailed:
            path = ROOT / "build" / "logs" / "chaos.log"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(running.compose("logs", "--no-color", "--timestamps", check=False).stdout)
        running.api.close()
        running.delete()


@pytest.fixture(scope="session")
def load(system: System) -> Iterator[Load]:
    """A client that sends requests continuously."""
    with Load(f"http://127.0.0.1:{system.port('API_PORT')}") as asking:
        yield asking


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line for each fault."""
    if _LEDGER.entries:
        terminalreporter.section("faults under load: what the clients saw")
        terminalreporter.write_line(HEADLINE)
        for entry in _LEDGER.entries:
            terminalreporter.write_line(entry.line())
