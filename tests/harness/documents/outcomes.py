"""Outcomes that commands of both documents have in common."""

from __future__ import annotations

import json
from typing import Any

from tests.harness.documents.command import Check, Talk
from tests.harness.documents.program import Program
from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until

SERVERS = ("database", "model-serve", "postgres", "redis", "api", "nginx", "prometheus")
STEPS = ("database-access", "data-prep", "data-validate", "model-train", "model-evaluate", "postgres-access")
_INTERRUPTED = 130  # 128 + SIGINT


def prints(*texts: str) -> Check:
    """Return the check that all of these are printed."""

    def check(_stack: Stack, output: str) -> None:
        missing = [text for text in texts if text not in output]
        assert not missing, f"{missing} not in:\n{output[-3000:]}"

    return check


def follows(*texts: str) -> Talk:
    """Return the talk with a program that prints all of these and runs until Ctrl-C."""

    def talk(_stack: Stack, program: Program) -> None:
        wait_until(lambda: all(text in program.output for text in texts), 20, f"{texts} to be printed")
        assert program.exit_code is None
        program.press_ctrl_c()
        assert program.wait(10) in {0, _INTERRUPTED}

    return talk


def everything_runs(stack: Stack, _output: str) -> None:
    """Every step has succeeded, every server is healthy."""
    by_service = {each.service: each for each in stack.containers()}
    assert {name: by_service[name].exit_code for name in STEPS} == dict.fromkeys(STEPS, 0)
    assert {name: by_service[name].state for name in STEPS} == dict.fromkeys(STEPS, "exited")
    assert {name: by_service[name].health for name in SERVERS} == dict.fromkeys(SERVERS, "healthy")


def answer(output: str) -> Any:
    """Return the JSON that curl has printed, with or without its progress meter."""
    return json.loads(output[output.index("{") : output.rindex("}") + 1])
