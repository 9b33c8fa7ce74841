"""The operator's pages word for word, with external databases, keys and a certificate."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.harness.documents.blocks import bash_blocks
from tests.harness.documents.command import Command
from tests.harness.documents.operator_pages import MONITORING, OPERATIONS, delete_backups
from tests.harness.monitoring.images import overlay_images
from tests.harness.production.stack import Production
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack, terminal_environment


@pytest.fixture(scope="module")
def desk(stack: Production) -> Iterator[Stack]:
    """The stack as an operator's shell sees it; what is exported stays in its environment."""
    stack.compose("--profile", "*", "down", "--timeout", "5")
    urls = stack.administrator()
    places = {"TRAINING": urls["DATABASE_ADMIN_URL"], "PREDICTIONS": urls["POSTGRES_ADMIN_URL"]}
    desk = Stack(terminal_environment() | stack.environment | places)
    delete_backups(desk)
    yield desk
    desk.prometheus.close()
    delete_backups(desk)
    added = ("worker", "rabbitmq", *overlay_images(), "model-monitor")
    desk.compose("--profile", "*", "rm", "--force", "--stop", *added)
    stack.compose("up", "--detach", "--wait")


@pytest.mark.parametrize(
    ("page", "commands"),
    [("operations.md", OPERATIONS), ("monitoring.md", MONITORING)],
    ids=["operations", "monitoring"],
)
def test_every_command_of_the_page_is_in_the_list(page: str, commands: tuple[Command, ...]) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    written = [command for block in bash_blocks(text) for command in block.commands]

    assert written == [command.text for command in commands]
    assert all(bool(command.reason) == bool(command.instead) for command in commands)


@pytest.mark.parametrize("command", OPERATIONS + MONITORING, ids=lambda command: command.text[:60])
def test_command(stack: Production, desk: Stack, command: Command) -> None:
    if "restore.sh" in command.text:
        stack.empty_databases()  # what the page asks an administrator for

    output = _type(desk, command.runnable(desk))

    assert "orphan" not in output
    command.check(desk, output)


def _type(desk: Stack, text: str) -> str:
    """Do what a shell does; `export` counts for the commands that follow."""
    exported = text.startswith("export ")
    name = text.removeprefix("export ").partition("=")[0]
    shell = f'set -e; {text}; printf %s "${name}"' if exported else text
    done = subprocess.run(
        ["bash", "-c", shell], cwd=ROOT, env=desk.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    output = done.stdout + done.stderr
    assert done.returncode == 0, f"{text}\nexited {done.returncode}:\n{output[-3000:]}"
    if exported:
        desk.environment[name] = done.stdout
    return output
