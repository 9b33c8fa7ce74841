"""A program in a terminal window of its own, as a person has it: keys can be pressed, the window closed."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import threading
from collections.abc import Iterator

_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[=>])")


class Program:
    """`bash -c command` on a pseudo-terminal; its output is gathered while it runs."""

    def __init__(self, command: str, environment: dict[str, str], directory: str) -> None:
        """Start it at once."""
        self._keyboard, terminal = pty.openpty()
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "bash", "-c", command],
            stdin=terminal, stdout=terminal, stderr=terminal,
            env=environment | {"TERM": "xterm"}, cwd=directory,
        )  # fmt: skip
        os.close(terminal)
        self._output = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """What it has written so far, without colours and cursor movements."""
        text = bytes(self._output).decode(errors="replace").replace("\r\n", "\n")
        return _ESCAPES.sub("", text)

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def type(self, text: str) -> None:
        """Type on its keyboard."""
        os.write(self._keyboard, text.encode())

    def press_ctrl_c(self) -> None:
        """Interrupt it as a person does."""
        self.type("\x03")

    def wait(self, seconds: float) -> int:
        """Return the exit code; subprocess.TimeoutExpired if it takes longer."""
        code = self._process.wait(seconds)
        self._reader.join(5)
        return code

    def close_window(self) -> None:
        """Hang up: what it has started elsewhere, such as containers, goes on."""
        with contextlib.suppress(OSError):
            os.close(self._keyboard)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # the other side is closed
            while data := os.read(self._keyboard, 65536):
                self._output += data


@contextlib.contextmanager
def program(command: str, environment: dict[str, str], directory: str) -> Iterator[Program]:
    """Run a program for the time of a `with` block."""
    running = Program(command, environment, directory)
    try:
        yield running
    finally:
        running.close_window()
