"""Models that are not linear, behind the api and behind plain FastAPI: one row a request, none sent twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.contenders import OURS, PLAIN, Contender, running_contenders
from bench.load import put_load, sending
from bench.machine import cpu_seconds
from bench.model_cases import MIXED, MIXED_BODY, MODELS, publish
from bench.runs import MANY, RATE_HEADINGS, Measured, median_ratio, rate_cells
from bench.stores import count_rows, running_stores, truncate
from bench.targets import Target, table, target_table


class ModelRun(Measured, frozen=True):
    """One measurement."""

    model: str
    contender: str


def measure(rounds: int, seconds: float, progress: Callable[[str], None]) -> list[ModelRun]:
    """Measure the api and plain FastAPI with each model, in turns; raise RuntimeError if a row is missing."""
    found: list[ModelRun] = []
    for model, (config, _) in MODELS.items():
        with TemporaryDirectory(prefix="ml-stack-bench-") as directory, running_stores() as stores:
            publish(Path(directory), config)
            body = sending(MIXED_BODY) if config.features == MIXED else nullcontext()
            with (
                body,
                running_contenders(stores, progress, {PLAIN, OURS}, models=Path(directory)) as contenders,
            ):
                for contender in contenders * rounds:
                    if contender.database:
                        truncate(stores.postgres, contender.database)
                    run = _run(model, contender, seconds)
                    if contender.database and count_rows(stores.postgres, contender.database) != run.seen.ok:
                        raise RuntimeError(f"{model}: not every answered request was logged")
                    found.append(run)
                    progress(f"{model}, {contender.name}: {run.per_second:,.0f}/s")
    return found


def describe(runs: list[ModelRun]) -> str:
    """Return the tables."""
    targets = [
        Target(
            f"{model}, all miss, against plain FastAPI + model.predict",
            _ratio(runs, model),
            wanted,
            None,
            "×",
        )
        for model, (_, wanted) in MODELS.items()
    ]
    headings = ("model", "contender", *RATE_HEADINGS)
    rows = [_row(runs, model, contender) for model in MODELS for contender in (PLAIN, OURS)]
    return f"{target_table(targets)}\n\n{table(headings, rows)}"


def _run(model: str, contender: Contender, seconds: float) -> ModelRun:
    before = cpu_seconds(contender.pids())
    seen = put_load(contender.port, MANY, 0.0, seconds, random.SystemRandom().randrange(1 << 30))
    used = cpu_seconds(contender.pids()) - before
    return ModelRun(model, contender.name, seen=seen, cpu_seconds=used)


def _chosen(runs: list[ModelRun], model: str, contender: str) -> list[ModelRun]:
    return [run for run in runs if (run.model, run.contender) == (model, contender)]


def _ratio(runs: list[ModelRun], model: str) -> float:
    """Return the median of the api's rate by that of plain FastAPI, round by round."""
    return median_ratio(_chosen(runs, model, OURS), _chosen(runs, model, PLAIN))


def _row(runs: list[ModelRun], model: str, contender: str) -> tuple[str, ...]:
    return (
        model,
        "**our api**, as shipped" if contender == OURS else "FastAPI + model.predict, no cache, no log",
        *rate_cells(_chosen(runs, model, contender)),
    )
