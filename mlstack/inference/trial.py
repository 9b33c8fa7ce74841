"""Loads a version in a process of its own first: what ends the loader must not end the server.

A damaged or forged file may need more memory than there is, never come to an end, or crash the libraries
that read it. So a child process loads each version before the server does; if that fails, the version is
refused. Child processes are forked by a process that was itself forked from the server at its start: by then
skops is imported, which takes seconds, and no thread runs yet, which would make forking unsafe.
"""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import NoReturn

from mlstack.inference.boosters import import_installed
from mlstack.inference.current_model import fingerprint
from mlstack.inference.loaded_model import LoadedModel
from mlstack.inference.loading import load_published, read_published
from mlstack.runtime.refusals import ModelRefused

DEFAULT_MOST_BYTES = 256 << 20
_TRIAL_SECONDS = 30.0
_MARGIN_SECONDS = 10.0  # for a busy machine, until the answer must be there
_LOOK_SECONDS = 0.005  # in which a child can take some ten megabytes
_FIRST_DESCRIPTOR = 3  # after standard input, output and error


class TrialLoader:
    """Loads versions, each after a trial; start it while the process has one thread."""

    def __init__(self, most_bytes: int = DEFAULT_MOST_BYTES, seconds: float = _TRIAL_SECONDS) -> None:
        """A version may need `most_bytes` of memory, packed or unpacked, and `seconds` to load."""
        import skops.io  # noqa: F401, PLC0415 - so that no trial has to

        import_installed()
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._asking = threading.Lock()
        self._refused: dict[tuple[object, ...], str] = {}  # not tried again until it changes
        self._trials, theirs = Pipe()
        self._process = os.fork()
        if self._process == 0:
            _serve_trials(theirs, most_bytes, seconds)
        theirs.close()

    def load(self, directory: Path) -> LoadedModel:
        """Return the version in `directory`; raise ModelRefused if it is damaged, or its loader was ended."""
        published = read_published(directory, self._most_bytes)
        seen = (directory, *fingerprint(directory))
        with self._asking:
            if seen not in self._refused:
                refusal = self._try(directory, published.manifest.digest)
                if refusal is None:
                    return load_published(published, self._most_bytes)
                self._refused[seen] = refusal
            raise ModelRefused(self._refused[seen])

    def close(self) -> None:
        """End the process that makes trials."""
        self._trials.close()
        os.waitpid(self._process, 0)

    def _try(self, directory: Path, digest: str) -> str | None:
        try:
            self._trials.send((directory, digest))
            if self._trials.poll(self._seconds + _MARGIN_SECONDS):
                refusal: str | None = self._trials.recv()
                return refusal
        except (OSError, EOFError):
            pass
        return f"{directory}: cannot be tried, because the process for trials is gone: restart the server"


def _serve_trials(requests: Connection, most_bytes: int, seconds: float) -> NoReturn:
    """Make a trial for each request, until the server is gone."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # it ends with the server, not before
    for descriptor in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208
        if descriptor >= _FIRST_DESCRIPTOR and descriptor != requests.fileno():
            with suppress(OSError):
                os.close(descriptor)  # a listening socket must not live on here
    with suppress(OSError, EOFError):
        while True:
            directory, digest = requests.recv()
            requests.send(_trial(directory, digest, most_bytes, seconds))
    os._exit(0)


def _trial(directory: Path, digest: str, most_bytes: int, seconds: float) -> str | None:
    """Return None if a child process could load the version of that digest, else why it could not."""
    outcome, theirs = Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        theirs.send(_attempt(directory, digest, most_bytes))
        os._exit(0)
    theirs.close()
    try:
        return _outcome(outcome, child, directory, most_bytes, seconds)
    except EOFError:
        return f"{directory}: loading it ended the process that tried: it is damaged"
    finally:
        outcome.close()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _outcome(outcome: Connection, child: int, directory: Path, most_bytes: int, seconds: float) -> str | None:
    """Return what the child says, or why it will not be waited for; raise EOFError if it has ended."""
    at_first, deadline = _private_bytes(child), time.monotonic() + seconds
    while not outcome.poll(_LOOK_SECONDS):
        if _private_bytes(child) - at_first > most_bytes:
            return f"{directory}: needs more than {most_bytes >> 20} MiB of memory (MODEL_MAX_BYTES)"
        if time.monotonic() > deadline:
            return f"{directory}: was not loaded within {seconds:.0f} s"
    refusal: str | None = outcome.recv()
    return refusal


def _attempt(directory: Path, digest: str, most_bytes: int) -> str | None:
    """Load the version here; return why that is not possible."""
    try:
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")  # if one must be killed: not the server
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)  # what libraries print is no line of the log
        published = read_published(directory, most_bytes)
        if published.manifest.digest != digest:
            return f"{directory}: was changed while it was loaded"
        load_published(published, most_bytes)
    except ModelRefused as refused:
        return str(refused)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it must not happen in the server
        return f"{directory}: cannot be loaded ({type(error).__name__}: {error})"
    return None


def _private_bytes(process: int) -> int:
    """Return the resident bytes that are no file's, or 0 when the process has ended.

    Not the address space, which rlimits bound: numerical libraries map much more than they use.
    """
    try:
        _, resident, shared, *_ = Path(f"/proc/{process}/statm").read_text().split()
    except OSError:
        return 0
    return (int(resident) - int(shared)) * resource.getpagesize()
