"""Every command of "Multi-Container Data Pipeline Project" and "Multi-Container ML Application", in order."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.harness.documents import data_pipelines, ml_application
from tests.harness.documents.blocks import bash_blocks
from tests.harness.documents.command import Command
from tests.harness.documents.session import Terminal
from tests.harness.repository_root import ROOT

_DOCUMENTS = ROOT.parent / "shared" / "documents"
_LISTS = {
    "multi-container-data-pipelines.md": data_pipelines.COMMANDS,
    "multi-container-ml-application.md": ml_application.COMMANDS,
}


def _name(command: Command) -> str:
    return " ".join((command.instead or command.text).split())[:70]


@pytest.mark.parametrize("document", [pytest.param(_DOCUMENTS / name, id=name, marks=()) for name in _LISTS])
def test_list_is_complete(document: Path) -> None:
    if not document.exists():
        pytest.skip(f"{document.name} is not beside this checkout")

    written = [text for block in bash_blocks(document.read_text("utf-8")) for text in block.commands]

    assert written == [command.text for command in _LISTS[document.name]]


def test_what_does_not_run_as_written_has_a_reason_and_an_equivalent() -> None:
    commands = [*data_pipelines.COMMANDS, *ml_application.IN_ORDER]

    assert all(bool(command.reason) == bool(command.instead) for command in commands)


@pytest.mark.parametrize("command", data_pipelines.COMMANDS, ids=_name)
def test_data_pipelines(terminal: Terminal, command: Command) -> None:
    if command.text.startswith("lsof") and not shutil.which("lsof"):
        pytest.skip("lsof is not installed (Debian: apt-get install lsof)")

    terminal.do(command)


@pytest.mark.parametrize("command", data_pipelines.ON_EMPTY_VOLUMES, ids=_name)
def test_password_on_empty_volumes(terminal: Terminal, command: Command) -> None:
    terminal.do(command)


@pytest.mark.parametrize("command", ml_application.IN_ORDER, ids=_name)
def test_ml_application(terminal: Terminal, command: Command) -> None:
    terminal.do(command)
