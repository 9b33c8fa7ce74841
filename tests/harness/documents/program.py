"""A program on a pseudo-terminal: a test can type on its keyboard, press Ctrl-C and close its window."""

from __future__ import annotations

import io
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pexpect

_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[=>])")


class Program:
    """`bash -c command` on a pseudo-terminal; a thread reads its output, so that it never blocks."""

    def __init__(self, command: str, environment: dict[str, str], directory: str) -> None:
        """Start it at once."""
        self.exit_code: int | None = None  # None while it runs, negative after a signal
        self._child = pexpect.spawn(
            "bash", ["-c", command], env=environment | {"TERM": "xterm"}, cwd=directory,
            encoding="utf-8", codec_errors="replace", dimensions=(50, 200), timeout=None,
        )  # fmt: skip
        self._child.logfile_read = self._printed = io.StringIO()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """What it has printed so far, without colours and cursor movements."""
        return _ESCAPES.sub("", self._printed.getvalue().replace("\r\n", "\n"))

    def type(self, text: str) -> None:
        """Type on its keyboard."""
        self._child.send(text)

    def press_ctrl_c(self) -> None:
        """Interrupt it from the keyboard."""
        self._child.sendintr()

    def wait(self, seconds: float) -> int:
        """Return the exit code; raise TimeoutError if it takes longer."""
        self._reader.join(seconds)
        if self.exit_code is None:
            raise TimeoutError(f"still running after {seconds} s; it printed:\n{self.output[-3000:]}")
        return self.exit_code

    def close_window(self) -> None:
        """End it as a closed terminal window does, by SIGHUP; containers that it has started keep running."""
        for number in (signal.SIGHUP, signal.SIGKILL):
            if self.exit_code is None and self._child.pid is not None:
                os.killpg(self._child.pid, number)
                self._reader.join(5)
        self._child.close()

    def _read(self) -> None:
        """Read to the end, then collect the exit code: two threads must not both wait for one process."""
        self._child.expect(pexpect.EOF)
        self._child.wait()
        assert self._child.status is not None
        self.exit_code = os.waitstatus_to_exitcode(self._child.status)


@contextmanager
def program(command: str, environment: dict[str, str], directory: str) -> Iterator[Program]:
    """Run a program for the time of a `with` block."""
    running = Program(command, environment, directory)
    try:
        yield running
    finally:
        running.close_window()
