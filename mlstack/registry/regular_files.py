"""Reading files of the model volume, which may hold anything: a pipe, a link to elsewhere, an endless one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from mlstack.runtime.refusals import ModelRefused

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # to open a pipe would wait for its writer


def read_regular_file(directory: Path, name: str, most_bytes: int, advice: str) -> bytes:
    """Return the content of a file in `directory`; raise ModelRefused unless both are what they seem.

    Neither may be a symbolic link, and the file must be a regular one of at most `most_bytes`.
    """
    path = directory / name
    try:
        folder = os.open(directory, _DIRECTORY)
        try:
            file = os.open(name, _FILE, dir_fd=folder)
        finally:
            os.close(folder)
        with os.fdopen(file, "rb") as opened:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise ModelRefused(f"{path}: is not a regular file: {advice}")
            content = opened.read(most_bytes + 1) if status.st_size <= most_bytes else None
    except OSError as error:
        raise ModelRefused(f"{path}: cannot be read ({error.strerror}): {advice}") from error
    if content is None or len(content) > most_bytes:
        raise ModelRefused(f"{path}: has more than {most_bytes} bytes: {advice}")
    return content
