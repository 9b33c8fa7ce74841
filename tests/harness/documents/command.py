"""One command of a document, and its expected outcome."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from tests.harness.documents.program import Program
from tests.harness.stack.compose import Stack

Check = Callable[[Stack, str], None]  # gets the stack, and what the command has printed so far
Talk = Callable[[Stack, Program], None]  # uses the program, and ends it
Settings = AbstractContextManager[dict[str, str]]


def no_settings(_stack: Stack) -> Settings:
    """Use the settings of .env."""
    return nullcontext({})


def nothing(_stack: Stack, _output: str) -> None:
    """Accept any output."""


@dataclass(frozen=True)
class Command:
    """`text` as the document has it. Where that cannot run, `reason` says why and `instead` is run.

    It ends with exit code 0, unless an attribute below says otherwise.
    """

    text: str
    check: Check = nothing
    reason: str = ""
    instead: str = ""
    stays: bool = False  # `up` in the foreground: healthy after a while; runs during the next commands
    until_ctrl_c: bool = False  # the same, but stopped by Ctrl-C as soon as the check is done
    talk: Talk | None = None
    settings: Callable[[Stack], Settings] = no_settings  # the environment that the document assumes
    only_without: str = ""  # with this image on the machine it can run as written after all

    def runnable(self, stack: Stack) -> str:
        """Return what is typed: with the names and ports of this run's project."""
        as_written = not self.instead or (self.only_without and _is_here(self.only_without))
        text = self.text if as_written else self.instead.replace("PROJECT", stack.project)
        for name, port in (("SERVE_PORT", 5000), ("API_PORT", 8000), ("PROMETHEUS_PORT", 9090)):
            text = text.replace(f"localhost:{port}", f"localhost:{stack.port(name)}")
        return text.replace("-i :5000", f"-i :{stack.port('SERVE_PORT')}")


def _is_here(image: str) -> bool:
    return (
        subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode
        == 0
    )
