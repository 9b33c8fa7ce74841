"""Models that are not linear, behind the api and behind plain FastAPI: one row a request, none sent twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec

from bench.contenders import OURS, PLAIN, Contender, running_contenders
from bench.load import Seen, put_load, sending
from bench.machine import cpu_seconds
from bench.model_cases import MIXED, MIXED_BODY, MODELS, publish
from bench.runs import MANY
from bench.stores import count_rows, running_stores, truncate
from bench.targets import Target, table, target_table


class ModelRun(msgspec.Struct, frozen=True):
    """One measurement."""

    model: str
    contender: str
    seen: Seen
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        """Requests answered with 200 in a second."""
        return self.seen.ok / self.seen.seconds


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
    headings = ("model", "contender", "requests/s", "p50 / p99 ms", "CPU s / 1000")
    rows = [_row(runs, model, contender) for model in MODELS for contender in (PLAIN, OURS)]
    return f"{target_table(targets)}\n\n{table(headings, rows)}"


def _run(model: str, contender: Contender, seconds: float) -> ModelRun:
    before = cpu_seconds(contender.pids())
    seen = put_load(contender.port, MANY, 0.0, seconds, random.SystemRandom().randrange(1 << 30))
    return ModelRun(model, contender.name, seen, cpu_seconds(contender.pids()) - before)


def _chosen(runs: list[ModelRun], model: str, contender: str) -> list[ModelRun]:
    return [run for run in runs if (run.model, run.contender) == (model, contender)]


def _ratio(runs: list[ModelRun], model: str) -> float:
    """Return the median of the api's rate by that of plain FastAPI, round by round."""
    pairs = zip(_chosen(runs, model, OURS), _chosen(runs, model, PLAIN), strict=True)
    return median(ours.per_second / plain.per_second for ours, plain in pairs)


def _row(runs: list[ModelRun], model: str, contender: str) -> tuple[str, ...]:
    chosen = _chosen(runs, model, contender)
    p50, p99 = (median(getattr(run.seen, name) for run in chosen) * 1e3 for name in ("p50", "p99"))
    return (
        model,
        "**our api**, as shipped" if contender == OURS else "FastAPI + model.predict, no cache, no log",
        f"{median(run.per_second for run in chosen):,.0f}",
        f"{p50:.2f} / {p99:.2f}",
        f"{median(1000 * run.cpu_seconds / run.seen.ok for run in chosen):.3f}",
    )
