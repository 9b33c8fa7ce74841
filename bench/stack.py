"""The whole stack in containers: time to healthy, a run with nothing to do, memory at rest, image sizes.

It runs as a separate Compose project on separate loopback ports, and removes all of it at the end.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import msgspec

from bench.machine import use_every_core
from bench.stores import ROOT
from bench.targets import Target, table, target_table

_PROJECT, FIRST_PORT = "ml-stack-bench", 30_200  # of the api
_PORTS = ("API_PORT", "SERVE_PORT", "PROMETHEUS_PORT", "DATABASE_PORT", "POSTGRES_PORT", "REDIS_PORT")
_ENVIRONMENT = {
    "COMPOSE_PROJECT_NAME": _PROJECT,
    "BIND_ADDRESS": "127.0.0.1",
    **{name: str(FIRST_PORT + number) for number, name in enumerate(_PORTS)},
}
_LAST_STEP = "model-evaluate"  # it depends on all others
_REST_SECONDS = 20.0
_MIB = {"B": 1 / (1 << 20), "KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0}


class StackNumbers(msgspec.Struct, frozen=True):
    """Times in seconds, memory in MiB, sizes in MB."""

    healthy: list[float]  # from empty volumes
    steps: list[float]  # nothing to do
    memory: dict[str, float]
    images: dict[str, int]


def measure(rounds: int, progress: Callable[[str], None]) -> StackNumbers:
    """Start the stack on empty volumes `rounds` times; measure the last one at rest."""
    use_every_core()
    run("scripts/bootstrap/base-images.sh", "ensure")
    progress("building the images")
    compose("build", "--quiet")
    with cleaned_up():
        healthy, steps = [], []
        for _ in range(rounds):
            compose("down", "--volumes", "--remove-orphans", "--timeout", "2")
            healthy.append(_timed_up())
            progress(f"healthy after {healthy[-1]:.1f} s")
        for _ in range(rounds):
            steps.append(_timed("up", "--no-build", "--no-log-prefix", _LAST_STEP))
            progress(f"all steps with nothing to do: {steps[-1]:.1f} s")
        time.sleep(_REST_SECONDS)
        return StackNumbers(healthy, steps, _memory(), _image_sizes())


def describe(numbers: StackNumbers) -> str:
    """Return the tables."""
    total = sum(numbers.memory.values())
    targets = [
        Target("`up --wait`, images built, empty volumes", median(numbers.healthy), 15, 8, "s", at_most=True),
        Target("all steps with nothing to do", median(numbers.steps), 5, 2, "s", at_most=True),
        Target("memory of the idle stack", total, 700, 400, "MiB", at_most=True),
    ]
    containers = [(name, f"{size:.0f}") for name, size in sorted(numbers.memory.items())]
    images = [(f"`{name}`", f"{size:,}") for name, size in sorted(numbers.images.items())]
    return "\n\n".join(
        (target_table(targets), table(("container", "MiB"), containers), table(("image", "MB"), images))
    )


@contextmanager
def cleaned_up(*options: str) -> Iterator[None]:
    """Remove the project when the block ends; `options` are those of Compose."""
    try:
        yield
    finally:
        compose(*options, "down", "--volumes", "--remove-orphans", "--rmi", "local", "--timeout", "2")


def _timed_up() -> float:
    try:
        return _timed("up", "--wait", "--no-build")
    except RuntimeError as error:
        raise RuntimeError(f"{error}\n{compose('logs', '--tail', '5')}") from error


def _timed(*arguments: str) -> float:
    started = time.perf_counter()
    compose(*arguments)
    return time.perf_counter() - started


def _memory() -> dict[str, float]:
    """Return the memory of each running container, without the page cache, which the kernel can reclaim."""
    containers = compose("ps", "--quiet").split()
    lines = run("docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *containers)
    found = {}
    for line in lines.splitlines():
        name, used = line.split()[:2]
        size = re.fullmatch(r"([\d.]+)([A-Za-z]+)", used)
        assert size is not None, line
        found[name.removeprefix(f"{_PROJECT}-")] = float(size[1]) * _MIB[size[2]]
    return found


def _image_sizes() -> dict[str, int]:
    images = sorted(set(compose("config", "--images").split()))
    sizes = run("docker", "image", "inspect", "--format", "{{.Size}}", *images).split()
    return {
        image.removeprefix(f"{_PROJECT}/"): int(size) // 10**6
        for image, size in zip(images, sizes, strict=True)
    }


def compose(*arguments: str) -> str:
    """Run docker compose in the benchmark's project and return its output; raise RuntimeError."""
    return run("docker", "compose", *arguments)


def run(*command: str) -> str:
    """Run a command with the benchmark's settings and return its output; raise RuntimeError."""
    environment = os.environ | _ENVIRONMENT
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stdout + done.stderr)[-800:]
        raise RuntimeError(f"{' '.join(command[:3])} ended with {done.returncode}: {words}")
    return done.stdout
