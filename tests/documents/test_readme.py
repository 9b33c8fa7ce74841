"""README.md: its first thirty lines hold what matters, and every command in it runs."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.harness.documents.blocks import bash_blocks
from tests.harness.documents.command import Command
from tests.harness.documents.outcomes import answer
from tests.harness.documents.session import Terminal
from tests.harness.repository_root import ROOT

_README = (ROOT / "README.md").read_text("utf-8")
_BEGINNING = "\n".join(_README.splitlines()[:30])
_COMMANDS = [text for block in bash_blocks(_README) if not block.not_run for text in block.commands]
_UP = re.compile(r"^docker[ -]compose .*\bup\b(?!.*( -d\b|--detach|--wait))")


@pytest.fixture(scope="module")
def outputs(terminal: Terminal) -> Iterator[dict[str, str]]:
    """What each command printed; filled by the test that runs them."""
    terminal.close()
    terminal.stack.compose("down", "--volumes", "--remove-orphans")
    yield {}
    terminal.close()


def test_begins_with_one_sentence() -> None:
    title, sentence = [line for line in _README.splitlines() if line][:2]

    assert title.startswith("# ")
    assert sentence.endswith(".")
    assert sentence.count(". ") == 0


@pytest.mark.parametrize(
    "text",
    [
        *("docker compose up --build", "make up", "curl ", '"predictions": [[11.0]]', "make test"),
        *("http://localhost:5000", "http://localhost:8000/docs", "http://localhost:9090"),
    ],
)
def test_first_thirty_lines_hold(text: str) -> None:
    assert text in _BEGINNING


@pytest.mark.parametrize("text", _COMMANDS)
def test_command_runs(terminal: Terminal, outputs: dict[str, str], text: str) -> None:
    def keep(_stack: object, output: str) -> None:
        outputs[text] = output

    terminal.do(Command(text, keep, stays=bool(_UP.match(text))))


def test_first_answer_is_the_one_that_is_printed(outputs: dict[str, str]) -> None:
    first_curl = next(text for text in _COMMANDS if text.startswith("curl"))
    printed = re.search(r"```json\n(\{.*?\})\n```", _BEGINNING, re.DOTALL)

    assert printed
    assert json.loads(printed[1]) == answer(outputs[first_curl])


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", _README)

    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_make_targets_exist() -> None:
    named = set(re.findall(r"`make ([a-z-]+)", _README))

    helped = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert {"up", "test"} <= named <= set(re.findall(r"make ([a-z-]+)", helped))
