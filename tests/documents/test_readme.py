"""README.md: every command in it runs, and answers what is printed there."""

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
_ANSWERS = re.findall(r"```json\n(\{.*?\})\n```", _README, re.DOTALL)
_COMMANDS = [text for block in bash_blocks(_README) if not block.not_run for text in block.commands]
_UP = re.compile(r"^docker[ -]compose .*\bup\b(?!.*( -d\b|--detach|--wait))")


@pytest.fixture(scope="module")
def outputs(terminal: Terminal) -> Iterator[dict[str, str]]:
    """What each command printed; filled by the test that runs them."""
    terminal.close()
    terminal.stack.compose("down", "--volumes", "--remove-orphans")
    yield {}
    terminal.close()


@pytest.mark.parametrize("text", _COMMANDS)
def test_command_runs(terminal: Terminal, outputs: dict[str, str], text: str) -> None:
    def keep(_stack: object, output: str) -> None:
        outputs[text] = output

    terminal.do(Command(text, keep, stays=bool(_UP.match(text))))


def test_first_answer_is_the_one_that_is_printed(outputs: dict[str, str]) -> None:
    first_curl = next(text for text in _COMMANDS if text.startswith("curl"))

    assert json.loads(_ANSWERS[0]) == answer(outputs[first_curl])


def test_second_answer_is_the_one_that_is_printed_but_for_its_id(outputs: dict[str, str]) -> None:
    curl = next(text for text in _COMMANDS if "localhost:8000/predict" in text)

    got, printed = (_without_id(text) for text in (json.dumps(answer(outputs[curl])), _ANSWERS[1]))

    assert got == printed


def _without_id(text: str) -> dict[str, object]:
    """Return the members but the id, to nine decimals: the rest differs from one processor to another."""
    members: dict[str, object] = json.loads(text, parse_float=lambda number: round(float(number), 9))
    del members["id"]
    return members


def test_make_targets_exist() -> None:
    named = set(re.findall(r"`make ([a-z-]+)", _README))

    helped = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert {"up", "test"} <= named <= set(re.findall(r"make ([a-z-]+)", helped))
