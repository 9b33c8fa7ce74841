"""What the containers' processes spend on imports, in CPU seconds, measured in their images."""

from __future__ import annotations

from statistics import median

from bench.stack_project import PROJECT, run

_RUNS = 3
_SCRIPT = """
import sys
from importlib import import_module
from resource import RUSAGE_SELF, getrusage
for name in sys.argv[1:]:
    import_module(name)
used = getrusage(RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""
# Service -> what it imports on the way up, and what that is.
IMPORTS = {
    "data-prep": (("mlstack.data.preparation", "mlstack.runtime.step"), "psycopg2"),
    "data-validate": (
        ("mlstack.data.validation", "mlstack.registry.opening", "mlstack.runtime.step"),
        "psycopg2",
    ),
    "model-train": (("sklearn.linear_model", "joblib", "skops.io"), "scikit-learn, skops"),
    "model-evaluate": (
        ("mlstack.evaluation.comparison", "mlstack.evaluation.report", "jinja2", "leather"),
        "NumPy, and what draws the report",
    ),
    "model-serve": (
        ("mlstack.serving.server", "mlstack.serving.app", "skops.io"),
        "scikit-learn, skops, Flask, gunicorn, SQLAlchemy",
    ),
    "api": (
        ("uvicorn", "api.main", "skops.io"),
        "scikit-learn, skops, FastAPI, uvicorn, clients of the stores",
    ),
}  # fmt: skip


def import_costs() -> list[tuple[str, str, float]]:
    """Return services, what they import, and the median CPU seconds of a process that does only that."""
    return [
        (service, what, median(_cpu_seconds(service, modules) for _ in range(_RUNS)))
        for service, (modules, what) in IMPORTS.items()
    ]


def _cpu_seconds(service: str, modules: tuple[str, ...]) -> float:
    options = ("--rm", "--read-only", "--network", "none", "--entrypoint", "python")
    return float(run("docker", "run", *options, f"{PROJECT}-{service}", "-c", _SCRIPT, *modules))
