"""The api with a shadow and without one, in turns: what scoring another version costs the callers."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx

from bench.contenders import HOT, HOT_SHARE, MISS, OURS, Contender, running_contenders
from bench.load import put_load
from bench.machine import cpu_seconds
from bench.runs import MANY, RATE_HEADINGS, Measured, median_ratio, rate_cells
from bench.stores import count_rows, running_stores, truncate
from bench.targets import Target, table, target_table
from mlstack.registry.store import ModelStore
from mlstack.registry.trials import begin_shadow, end_trial
from tests.harness.processes.serving import publish_line

_LOADS = (MISS, HOT)
_PATIENCE = 10.0  # seconds until the api has noticed
_RESULTS = ("scored", "dropped", "failed")


class ShadowRun(Measured, frozen=True):
    """One measurement."""

    shadow: bool
    load: str
    rows: dict[str, float]  # for the shadow, by result


def measure(rounds: int, seconds: float, progress: Callable[[str], None]) -> list[ShadowRun]:
    """Measure with each load in turns; raise RuntimeError if a row is missing."""
    found: list[ShadowRun] = []
    with TemporaryDirectory(prefix="ml-stack-bench-") as directory, running_stores() as stores:
        store = ModelStore(Path(directory))
        tried = publish_line(store.root, 3.0)
        publish_line(store.root, 2.0)
        Path(directory).chmod(0o755)
        with running_contenders(stores, progress, {OURS}, models=store.root) as (api,):
            for load in _LOADS:
                _switch(api, store, None)
                put_load(api.port, MANY, HOT_SHARE[load], seconds, 1)  # the first load finds a cold process
                for shadow in (True, False) * rounds:
                    _switch(api, store, tried if shadow else None)
                    truncate(stores.postgres, str(api.database))
                    found.append(_run(api, load, shadow, seconds))
                    run = found[-1]
                    if count_rows(stores.postgres, str(api.database)) != run.seen.ok:
                        raise RuntimeError(f"{load}: not every answered request was logged")
                    state = "with a shadow" if shadow else "without"
                    progress(f"{load}, {state}: {run.per_second:,.0f}/s, {run.rows}")
    return found


def describe(runs: list[ShadowRun]) -> str:
    """Return the tables."""
    targets = [
        Target(f"{load}, with a shadow against without", _ratio(runs, load), 0.9, 0.98, "×")
        for load in _LOADS
    ]
    headings = ("load", "shadow", *RATE_HEADINGS, "rows scored / dropped")
    rows = [_row(_chosen(runs, load, shadow), load, shadow) for load in _LOADS for shadow in (False, True)]
    return f"{target_table(targets)}\n\n{table(headings, rows)}"


def _switch(api: Contender, store: ModelStore, version: int | None) -> None:
    """Begin or end the shadow; return when the api has noticed."""
    if version is not None:
        begin_shadow(store.root, version)
    elif (store.root / "shadow.json").exists():
        end_trial(store.root, "shadow")
    deadline = time.monotonic() + _PATIENCE
    while _metrics(api)["shadow_version"] != float(version or 0):
        if time.monotonic() > deadline:
            raise RuntimeError("the api does not notice the shadow")
        time.sleep(0.1)


def _run(api: Contender, load: str, shadow: bool, seconds: float) -> ShadowRun:
    before, counted = cpu_seconds(api.pids()), _rows(api)
    seed = random.SystemRandom().randrange(1 << 30)
    seen = put_load(api.port, MANY, HOT_SHARE[load], seconds, seed)
    rows = {name: value - counted[name] for name, value in _rows(api).items()}
    used = cpu_seconds(api.pids()) - before
    return ShadowRun(shadow, load, rows, seen=seen, cpu_seconds=used)


def _rows(api: Contender) -> dict[str, float]:
    metrics = _metrics(api)
    return {name: metrics[f'shadow_rows_total{{result="{name}"}}'] for name in _RESULTS}


def _metrics(api: Contender) -> dict[str, float]:
    text = httpx.get(f"http://127.0.0.1:{api.port}/metrics", timeout=10, trust_env=False).text
    samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


def _chosen(runs: list[ShadowRun], load: str, shadow: bool) -> list[ShadowRun]:
    return [run for run in runs if (run.load, run.shadow) == (load, shadow)]


def _ratio(runs: list[ShadowRun], load: str) -> float:
    """Return the median over the rounds of the rate with a shadow by that without."""
    return median_ratio(_chosen(runs, load, True), _chosen(runs, load, False))


def _row(chosen: list[ShadowRun], load: str, shadow: bool) -> tuple[str, ...]:
    scored, dropped = (median(run.rows[name] for run in chosen) for name in ("scored", "dropped"))
    return (
        load,
        "another line" if shadow else "none",
        *rate_cells(chosen),
        f"{scored:,.0f} / {dropped:,.0f}" if shadow else "–",
    )
