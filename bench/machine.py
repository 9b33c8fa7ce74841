"""The machine: its description for the tables, and which processes run on which core."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import psutil

_LAST, *_OTHERS = sorted(os.sched_getaffinity(0), reverse=True)
SERVER_CORE = _LAST
LOAD_CORES = set(_OTHERS) or {_LAST}
_PACKAGES = ("uvicorn", "FastAPI", "scikit-learn")


def keep_off_the_server_core() -> None:
    """Keep this process and its children, stores and load among them, off the server's core."""
    os.sched_setaffinity(0, LOAD_CORES)


def use_every_core() -> None:
    """Undo keep_off_the_server_core, for measurements in containers, which use all cores."""
    os.sched_setaffinity(0, LOAD_CORES | {SERVER_CORE})


def on_server_core(directory: Path, *command: str, **environment: str) -> list[str]:
    """Return the command that runs `command` in `directory` on the server's core, all in one process."""
    return on_core(SERVER_CORE, directory, *command, **environment)


def on_core(core: int, directory: Path, *command: str, **environment: str) -> list[str]:
    """Return the command that runs `command` in `directory` on one core, all in one process."""
    settings = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | environment
    assignments = [f"{name}={value}" for name, value in settings.items()]
    return ["env", f"--chdir={directory}", *assignments, "taskset", "--cpu-list", str(core), *command]


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the user and system time of these processes and all processes below them."""
    roots = [psutil.Process(pid) for pid in pids]
    return sum(
        map(_cpu_seconds, (process for root in roots for process in (root, *root.children(recursive=True))))
    )


def _cpu_seconds(process: psutil.Process) -> float:
    """Return its user and system time, 0 if it has just ended, as PostgreSQL's own workers do."""
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system
    return 0.0


def cpu_seconds_of_ended_children() -> float:
    """Return the user and system time of this process's children that have ended, such as wrk."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def hardware() -> str:
    """Return cores, memory and kernel as a sentence, with nothing that names the machine."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    cores = len(LOAD_CORES | {SERVER_CORE})
    gib = round(psutil.virtual_memory().total / (1 << 30))
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{cores} cores ({model.group(1) if model else platform.machine()}), {gib} GiB, Linux {kernel}."


def software() -> str:
    """Return the versions of the software that runs as plain processes, as a sentence."""
    return f"Python {platform.python_version()}, {', '.join((*map(_package, _PACKAGES), *_programs()))}."


def _package(name: str) -> str:
    return f"{name} {version(name)}"


def _programs() -> list[str]:
    asked = {
        "PostgreSQL": ["psql", "--version"],
        "Redis": ["redis-server", "--version"],
        "nginx": ["nginx", "-v"],
        "wrk": ["wrk", "-v"],
    }
    return [f"{name} {_version(command)}" for name, command in asked.items()]


def _version(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        return "not installed"
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", answer.stdout + answer.stderr)
    return found.group() if found else "unknown"
