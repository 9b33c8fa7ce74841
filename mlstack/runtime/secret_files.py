"""Secrets from files, followed while the process runs: a change counts within seconds, without a restart.

A file may be edited, replaced, or half-written at the moment it is read. So new content counts when two looks
in a row have found it, and refused content (empty, unreadable, malformed) never replaces the value in use.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from mlstack.runtime.settings import SettingsError

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0

T = TypeVar("T")


class Secret(Generic[T]):
    """The present value of a setting that may come from a file; any thread may read `value`."""

    def __init__(self, name: str, read: Callable[[], T]) -> None:
        """Call `read` for the value now and after each change; raise the SettingsError of the first call.

        The files are those in `name`_FILE and `name`_PASSWORD_FILE; without one the value is constant.
        """
        self.name = name
        self._read = read
        given = (os.environ.get(f"{name}{suffix}", "") for suffix in ("_FILE", "_PASSWORD_FILE"))
        self._files = [Path(path) for path in given if path]
        self._taken = self._pending = self._contents()
        self.value = read()

    @property
    def is_followed(self) -> bool:
        """Whether the value comes from a file."""
        return bool(self._files)

    def look(self, *, confirmed: bool = False) -> None:
        """Take over new content that the look before has found, too, or any that is `confirmed`."""
        contents = self._contents()
        if contents == self._taken:
            self._pending = contents
            return
        if contents != self._pending and not confirmed:
            self._pending = contents
            return
        self._taken = contents
        try:
            value = self._read()
        except SettingsError as error:
            details = {"setting": self.name, "reason": str(error)}
            logger.error("changed secret refused: the earlier one stays in use", extra=details)
            return
        if value != self.value:
            self.value = value
            logger.info("changed secret in use", extra={"setting": self.name})

    def _contents(self) -> list[bytes | str]:
        return [_content(path) for path in self._files]


def follow(*secrets: Secret[Any]) -> None:
    """Look at the files of `secrets` every second, on a daemon thread of this process."""
    followed = [secret for secret in secrets if secret.is_followed]
    if followed:
        threading.Thread(target=_follow, args=(followed,), name="secret-files", daemon=True).start()


def _follow(secrets: list[Secret[Any]]) -> None:
    while True:
        time.sleep(_LOOK_SECONDS)
        for secret in secrets:
            secret.look()


def _content(path: Path) -> bytes | str:
    try:
        return path.read_bytes()
    except OSError as error:
        return str(error.strerror)
