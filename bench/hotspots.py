"""Where the api spends its time under load: samples of py-spy, by function."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench.contenders import HIT, HOT_SHARE, MISS, OURS, running_contenders
from bench.load import put_load, warm
from bench.runs import MANY, ONE
from bench.stores import ROOT, running_stores
from bench.targets import table

_PY_SPY = ROOT / "build" / "bench" / "site-packages" / "bin" / "py-spy"
_PER_SECOND = 250
_SHOWN = 20
_AT_WORK = "api/__main__.py"  # on every stack of the event loop; excludes idle threads of pools
_LOADS = ((MISS, MANY), (HIT, MANY), (MISS, ONE))  # the last shows what a batch of one request costs
_LEAD_SECONDS = 1.0  # py-spy takes a moment to start


class Profile(msgspec.Struct, frozen=True):
    """Shares of the samples in which the process was running, by function."""

    load: str  # and the number of connections
    samples: int
    own: dict[str, float]  # at the top of the stack
    total: dict[str, float]  # anywhere on it


def measure(seconds: float, progress: Callable[[str], None]) -> list[Profile]:
    """Profile the api under each load."""
    with running_stores() as stores, running_contenders(stores, progress, {OURS}) as (api,):
        warm(api.port)
        profiles = []
        for load, connections in _LOADS:
            put_load(api.port, connections, HOT_SHARE[load], 1.0, seed=0)
            stacks = _sample(api.pids()[0], api.port, load, connections, seconds)
            name = f"{load}, {connections} connection{'s' if connections > 1 else ''}"
            profiles.append(_profile(name, stacks))
            progress(f"{name}: {profiles[-1].samples} samples")
    return profiles


def describe(profiles: list[Profile]) -> str:
    """Return a table of the functions that use most time, the loads beside each other."""
    own = sum((Counter(profile.own) for profile in profiles), Counter[str]())
    chosen = sorted(own, key=lambda name: -own[name])[:_SHOWN]
    headings = ("function", *(f"{profile.load}: own / with callees" for profile in profiles))
    rows = [
        (f"`{name}`", *(f"{p.own.get(name, 0):.1%} / {p.total.get(name, 0):.1%}" for p in profiles))
        for name in chosen
    ]
    return table(headings, rows)


def _sample(pid: int, port: int, load: str, connections: int, seconds: float) -> str:
    """Return the collapsed stacks: a line `frame;frame;… count` each."""
    with TemporaryDirectory(prefix="ml-stack-bench-") as directory:
        path = Path(directory) / "stacks.txt"
        command = [str(_PY_SPY), "record", "--pid", str(pid), "--format", "raw", "--output", str(path)]
        command += ["--rate", str(_PER_SECOND), "--duration", str(round(seconds)), "--function"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as py_spy:
            put_load(port, connections, HOT_SHARE[load], seconds + 2 * _LEAD_SECONDS, seed=1)
            _, errors = py_spy.communicate(timeout=60)
        with suppress(FileNotFoundError):
            return path.read_text()
    raise RuntimeError(f"py-spy recorded nothing: {errors.decode()[-500:]}")


def _profile(load: str, stacks: str) -> Profile:
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        if _AT_WORK not in stack:
            continue
        frames = [_shortened(frame) for frame in stack.split(";")]
        own[frames[-1]] += int(count)
        total.update(dict.fromkeys(frames, int(count)))
    samples = own.total()
    shares = ({name: n / samples for name, n in counts.most_common()} for counts in (own, total))
    return Profile(load, samples, *shares)


def _shortened(frame: str) -> str:
    """Return `function (file)`, the file without the folders that differ between machines."""
    name, _, place = frame.partition(" (")
    place = place.rstrip(")").partition("site-packages/")[2] or place.rstrip(")")
    return f"{name} ({'/'.join(Path(place).parts[-2:])})" if place else name
