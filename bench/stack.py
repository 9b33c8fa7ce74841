"""The whole stack in containers: time to healthy, a run with nothing to do, memory at rest, image sizes.

A bare chain of the same containers, measured in turn with it, shows what the engine and Compose take.

It runs as a separate Compose project on separate loopback ports, and removes all of it at the end.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, median_low
from tempfile import TemporaryDirectory

import msgspec

from bench.bare_stack import bare
from bench.import_costs import import_costs
from bench.machine import use_every_core
from bench.stack_project import PROJECT, cleaned_up, compose, run, timed, timed_up
from bench.stack_times import Times, profile, recorded
from bench.targets import Target, table, target_table

_LAST_STEP = "model-evaluate"  # it depends on all others
_REST_SECONDS = 20.0
_MIB = {"B": 1 / (1 << 20), "KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0}


class StackNumbers(msgspec.Struct, frozen=True):
    """Times in seconds, memory in MiB, sizes in MB."""

    healthy: list[float]  # from empty volumes
    bare: list[float]  # the same containers with nothing in them to do, round by round
    steps: list[float]  # nothing to do
    bare_steps: list[float]
    times: list[dict[str, Times]]  # of each round of `healthy`
    bare_times: list[dict[str, Times]]
    imports: list[tuple[str, str, float]]  # service, what it imports, CPU seconds
    memory: dict[str, float]
    images: dict[str, int]


def measure(rounds: int, progress: Callable[[str], None]) -> StackNumbers:
    """Start the stack on empty volumes `rounds` times; measure the last one at rest."""
    use_every_core()
    run("scripts/bootstrap/base-images.sh", "ensure")
    progress("building the images")
    compose("build", "--quiet")
    with cleaned_up(), TemporaryDirectory(prefix="ml-stack-bench-") as directory:
        chain = Path(directory, "bare.json")
        chain.write_text(json.dumps(bare(json.loads(compose("config", "--format", "json")))))
        found: dict[str, list[float]] = {"healthy": [], "bare": [], "steps": [], "bare_steps": []}
        times: dict[str, list[dict[str, Times]]] = {"times": [], "bare_times": []}
        for _ in range(rounds):  # the stack itself last: it is measured at rest
            for prefix, files in (("bare", ("--file", str(chain))), ("", ())):
                times[f"{prefix}_times".strip("_")].append(_measure_once(found, prefix, files))
            progress(", ".join(f"{name} {seconds[-1]:.1f} s" for name, seconds in found.items()))
        time.sleep(_REST_SECONDS)
        memory = _memory()
        return StackNumbers(
            **found,
            times=times["times"],
            bare_times=times["bare_times"],
            imports=import_costs(),
            memory=memory,
            images=_image_sizes(),
        )


def _measure_once(found: dict[str, list[float]], prefix: str, files: tuple[str, ...]) -> dict[str, Times]:
    """Start the stack, or the bare chain, on empty volumes, and run the steps again; return its times."""
    compose("down", "--volumes", "--remove-orphans", "--timeout", "2")
    with recorded() as times:
        found[prefix or "healthy"].append(timed_up(*files))
    again = timed(*files, "up", "--no-build", "--no-log-prefix", _LAST_STEP)
    found["bare_steps" if prefix else "steps"].append(again)
    return times


def describe(numbers: StackNumbers) -> str:
    """Return the tables."""
    total = sum(numbers.memory.values())
    over = median(ours - chain for ours, chain in zip(numbers.healthy, numbers.bare, strict=True))
    largest = max(size for name, size in numbers.images.items() if name.startswith(PROJECT))
    figures = [
        ("`up --wait`, images built, empty volumes", median(numbers.healthy), 10, 8, "s"),
        ("the same, above a bare chain of the same containers", over, 2.5, None, "s"),
        ("all steps with nothing to do", median(numbers.steps), 3.5, 2, "s"),
        ("memory of the idle stack", total, 700, 400, "MiB"),
        ("the largest image of ours", largest, 300, None, "MB"),
    ]
    targets = [Target(*figure, at_most=True) for figure in figures]
    limits = [
        ("`up --wait` of a bare chain: the same containers, which do nothing", f"{median(numbers.bare):.1f}"),
        ("its steps again", f"{median(numbers.bare_steps):.1f}"),
    ]
    typical = numbers.healthy.index(median_low(numbers.healthy))
    way_up = profile(numbers.times[typical], numbers.bare_times[typical])
    imports = [(service, what, f"{seconds:.2f}") for service, what, seconds in numbers.imports]
    containers = [(name, f"{size:.0f}") for name, size in sorted(numbers.memory.items())]
    images = [(f"`{name}`", f"{size:,}") for name, size in sorted(numbers.images.items())]
    return "\n\n".join(
        (
            target_table(targets),
            table(("limit", "s"), limits),
            table(("service", "starts at s", "done at s", "takes s", "in the bare chain s"), way_up),
            table(("service", "what it imports", "CPU s"), imports),
            table(("container", "MiB"), containers),
            table(("image", "MB"), images),
        )
    )


def _memory() -> dict[str, float]:
    """Return the memory of each running container, without the page cache, which the kernel can reclaim."""
    containers = compose("ps", "--quiet").split()
    lines = run("docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *containers)
    found = {}
    for line in lines.splitlines():
        name, used = line.split()[:2]
        size = re.fullmatch(r"([\d.]+)([A-Za-z]+)", used)
        assert size is not None, line
        found[name.removeprefix(f"{PROJECT}-")] = float(size[1]) * _MIB[size[2]]
    return found


def _image_sizes() -> dict[str, int]:
    images = sorted(set(compose("config", "--images").split()))
    sizes = run("docker", "image", "inspect", "--format", "{{.Size}}", *images).split()
    return {
        image.removeprefix(f"{PROJECT}/"): int(size) // 10**6
        for image, size in zip(images, sizes, strict=True)
    }
