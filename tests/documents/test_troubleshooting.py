"""docs/troubleshooting.md: every command in its blocks runs on a healthy stack."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.harness.documents.blocks import bash_blocks
from tests.harness.documents.command import Command
from tests.harness.documents.session import Terminal
from tests.harness.repository import settings
from tests.harness.repository_root import ROOT

_PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
_COMMANDS = [text for block in bash_blocks(_PAGE) for text in block.commands]


@pytest.fixture(scope="module")
def running(terminal: Terminal) -> Iterator[Terminal]:
    """The stack, healthy."""
    terminal.close()
    terminal.stack.compose("up", "--wait")
    yield terminal
    terminal.stack.compose("down", "--volumes")


@pytest.mark.parametrize("text", _COMMANDS)
def test_command_runs(running: Terminal, text: str) -> None:
    if text.startswith("lsof") and not shutil.which("lsof"):
        pytest.skip("lsof is not installed (Debian: apt-get install lsof)")
    prefix = settings()["COMPOSE_PROJECT_NAME"] + "_"

    running.do(Command(text.replace(prefix, f"{running.stack.project}_")))
