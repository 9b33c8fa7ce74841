"""What the numbers were measured on, and who gets which core."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

_LAST, *_OTHERS = sorted(os.sched_getaffinity(0), reverse=True)
SERVER_CORE = _LAST
LOAD_CORES = set(_OTHERS) or {_LAST}
_PACKAGES = ("uvicorn", "FastAPI", "scikit-learn")


def keep_off_the_server_core() -> None:
    """Leave one core to the server: this process and what it starts, stores and load, use the others."""
    os.sched_setaffinity(0, LOAD_CORES)


def use_every_core() -> None:
    """Take that back, for what is measured in containers: they have all cores, and so has who starts them."""
    os.sched_setaffinity(0, LOAD_CORES | {SERVER_CORE})


def on_server_core(*command: str, **environment: str) -> list[str]:
    """Return the command that runs `command` on the server's core; it keeps one process id throughout."""
    settings = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | environment
    assignments = [f"{name}={value}" for name, value in settings.items()]
    return ["env", *assignments, "taskset", "--cpu-list", str(SERVER_CORE), *command]


def hardware() -> str:
    """Return cores, memory and kernel as a sentence, with nothing that names the machine."""
    cpuinfo, meminfo = Path("/proc/cpuinfo").read_text(), Path("/proc/meminfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpuinfo)
    memory = re.search(r"MemTotal:\s+(\d+)", meminfo)
    cores = len(LOAD_CORES | {SERVER_CORE})
    gib = round(int(memory.group(1)) / (1 << 20)) if memory else 0
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{cores} cores ({model.group(1) if model else platform.machine()}), {gib} GiB, Linux {kernel}."


def software() -> str:
    """Return the versions of what runs as plain processes here as a sentence."""
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
