"""A user's session: one checkout, one project, and one terminal window in which `up` may be running."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from http import HTTPStatus

from tests.harness.documents.command import Command
from tests.harness.documents.program import Program, program
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until

_UP_SECONDS = 240
_STOP_SECONDS = 40


class Terminal:
    """Runs commands one after the other; containers that a command leaves running are there for the next."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._window: Program | None = None

    def do(self, command: Command) -> None:
        """Run a command and check its outcome."""
        with command.settings(self.stack) as settings:
            self._do(command, command.runnable(self.stack), self.stack.environment | settings)

    def close(self) -> None:
        """Close the window in which `up` runs; the containers keep running."""
        if self._window is not None:
            self._window.close_window()
            self._window = None

    def settled(self, since: datetime) -> bool:
        """Return whether the steps have run since then, all servers are healthy, and nginx has found them."""
        containers = self.stack.containers()
        steps = [each for each in containers if each.service == "model-evaluate"]
        if not steps or any(each.state != "exited" or each.started < since for each in steps):
            return False
        assert steps[0].exit_code == 0, "model-evaluate failed"
        servers = [each for each in containers if each.is_server]
        if not all(each.state == "running" and each.health in {"healthy", ""} for each in servers):
            return False
        doors = (self.stack.serve, self.stack.api)
        return all(door.get("/livez").status_code == HTTPStatus.OK for door in doors)

    def _do(self, command: Command, text: str, environment: dict[str, str]) -> None:
        if command.talk:
            with program(text, environment, str(ROOT)) as running:
                command.talk(self.stack, running)
        else:
            up = command.stays or command.until_ctrl_c
            output = self._up(text, environment) if up else self._run(text, environment)
            assert "orphan" not in output, f"{text} warns about containers of an overlay:\n{output}"
            command.check(self.stack, output)
        if command.until_ctrl_c:
            self._stop()

    def _run(self, text: str, environment: dict[str, str]) -> str:
        done = subprocess.run(
            ["bash", "-c", text], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_UP_SECONDS, check=False,
        )  # fmt: skip
        output = done.stdout + done.stderr
        assert done.returncode == 0, f"{text}\nexited {done.returncode}:\n{output[-3000:]}"
        return output

    def _up(self, text: str, environment: dict[str, str]) -> str:
        self.close()
        begin = datetime.now(UTC)
        window = self._window = Program(text, environment, str(ROOT))

        def settled() -> bool:
            assert window.exit_code is None, f"{text}\nended:\n{window.output[-3000:]}"
            return self.settled(begin)

        wait_until(settled, _UP_SECONDS, f"everything healthy after {text}", pause=0.5)
        return window.output

    def _stop(self) -> None:
        assert self._window is not None
        self._window.press_ctrl_c()
        self._window.wait(_STOP_SECONDS)
        self.close()
        left = [(each.service, each.state, each.exit_code) for each in self.stack.containers()]
        assert all(state == "exited" and code == 0 for _, state, code in left), f"after Ctrl-C: {left}"
