"""docs/settings.md: every setting is there, with the default of .env and the range that the code checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from api.jobs.settings import JobSettings
from api.settings import Settings
from api.worker.settings import WorkerSettings
from mlstack.runtime.secret_files import Secret
from mlstack.serving.settings import read_serving_settings
from mlstack.web.api_keys import ApiKeys
from tests.harness.repository import COMBINATIONS, compose_config, read, services, settings
from tests.harness.repository_root import ROOT

_PAGE, _, _FIXED = read("docs/settings.md").partition("## Fixed by the Compose files")
_ROW = re.compile(r"^\| `([A-Z_]+)` \| (?:`([^`]*)` )?\| (.+?) \| (.+?) \|$", re.MULTILINE)
_README_ROW = re.compile(r"^\| `([A-Z_]+)` \| (?:`([^`]*)` )?\|", re.MULTILINE)
_READ = re.compile(r"""\b(?:env|env_list|env_flag|read_secret|read_url)\(\s*"([A-Z_]+)\"""")
_SECRET = re.compile(r"""\"([A-Z]+(?:_[A-Z]+)*_(?:URL|KEYS))\"""")  # read by their names, file or not
_NUMBER = re.compile(r"""\benv_(int|float)\(\s*"([A-Z_]+)",\s*([^,)]+)(?:,\s*minimum=([^)]+))?\)""")
_ALLOWED = {name: allowed for name, _, allowed, _ in _ROW.findall(_PAGE)}
_OF_NGINX = {"REQUESTS_PER_ADDRESS", "LARGE_BODIES_PER_ADDRESS"}
_NEEDED = {
    "DATABASE_URL": "postgresql://inference:secret@postgres:5432/predictions",
    "REDIS_URL": "redis://api:secret@redis:6379/0",
    "AMQP_URL": "amqp://jobs:secret@rabbitmq:5672/",
    "SEALING_KEY": settings()["SEALING_KEY"],  # without one the api seals with its database's URL
}
_BY_RULES_OF_ITS_OWN = {
    "DATA_MIN",
    "DATA_MAX",
    "TEST_FRACTION",
    "SHADOW_SHARE",
}  # empty is allowed; at most 1


def _sources() -> Iterator[str]:
    for folder in ("mlstack", "api"):
        yield from (path.read_text("utf-8") for path in (ROOT / folder).rglob("*.py"))
    yield from (path.read_text("utf-8") for path in ROOT.glob("[0-9]*.py"))


def _smallest() -> dict[str, tuple[str, float]]:
    """Return, for each number that the code reads, its kind and the least value that all readers accept."""
    found: dict[str, tuple[str, float]] = {}
    for kind, name, _, minimum in _NUMBER.findall("\n".join(_sources())):
        least = float((minimum or "0").replace("_", ""))
        found[name] = (kind, max(least, found.get(name, (kind, least))[1]))
    return found


def test_the_page_has_one_row_for_every_variable_of_env_with_its_default() -> None:
    rows = [(name, default) for name, default, _, _ in _ROW.findall(_PAGE)]

    assert len(rows) == len(dict(rows))
    assert dict(rows) == settings()


def test_the_readme_shows_eight_of_them_with_their_defaults() -> None:
    rows = _README_ROW.findall(read("README.md"))

    assert len(rows) == 8
    assert set(rows) <= set(settings().items())


def test_compose_passes_every_setting_on() -> None:
    """Each gets a value of its own, which must turn up in what the documented combinations start."""
    passed_on = [name for name in settings() if name != "COMPOSE_IGNORE_ORPHANS"]  # Compose reads it itself
    given = {name: _marker(number, name) for number, name in enumerate(passed_on)}

    resolved = "".join(
        compose_config("--format", "json", files=COMBINATIONS[name][0], **given, COMPOSE_PROFILES="*")
        for name in ("everything", "production, everything", "monitoring", "object store")
    )

    assert [name for name, value in given.items() if value not in resolved] == []


def _marker(number: int, name: str) -> str:
    if name.endswith("_PORT"):
        return str(61_000 + number)
    if name.endswith("_REPLICAS"):
        return str(71_000 + number)
    forms = {
        "STEP_MEMORY": "77777777777",
        "NGINX_MEMORY": "77777777778",
        "BIND_ADDRESS": "127.0.0.77",
        "TLS_DIR": "/marker-tls",
    }
    return forms.get(name, f"marker-{number}-")


@pytest.mark.parametrize(
    ("service", "sources"),
    [
        ("api", ["api/settings.py"]),
        ("worker", ["api/worker/settings.py", "api/jobs/settings.py", "api/worker/__main__.py"]),
        ("model-serve", ["mlstack/serving/settings.py", "90-serve_model.py"]),
        ("model-monitor", ["95-monitor_model.py", "mlstack/runtime/step.py"]),
        ("data-prep", ["mlstack/data/generation.py", "mlstack/runtime/step.py"]),
        (
            "data-validate",
            ["mlstack/data/validation.py", "mlstack/data/changed_kinds.py", "05-validate_data.py"],
        ),
        ("model-train", ["mlstack/training/config.py", "mlstack/data/changed_kinds.py", "10-train_model.py"]),
        (
            "collect-feedback",
            ["mlstack/live/training_table.py", "30-collect_feedback.py", "mlstack/runtime/step.py"],
        ),
        (
            "model-optimize",
            ["mlstack/tuning/candidates.py", "25-optimize_model.py", "mlstack/runtime/step.py"],
        ),
    ],
)
def test_a_service_is_given_every_setting_that_it_reads(service: str, sources: list[str]) -> None:
    text = "\n".join(map(read, sources))
    names = {*_READ.findall(text), *(name for _, name, _, _ in _NUMBER.findall(text))}

    assert names & set(settings()) <= set(services("everything")[service]["environment"])


def test_every_variable_that_the_code_reads_is_on_the_page() -> None:
    text = "\n".join(_sources())
    names = {*_READ.findall(text), *_SECRET.findall(text), *(name for _, name, _, _ in _NUMBER.findall(text))}

    fixed = set(re.findall(r"`([A-Z_]+)`", "\n".join(re.findall(r"^\| (`.*?) \|", _FIXED, re.MULTILINE))))

    assert names - set(settings()) == fixed


@pytest.mark.parametrize("name", sorted({*_smallest(), *_ALLOWED} & set(settings()) - _BY_RULES_OF_ITS_OWN))
def test_the_range_is_the_one_that_the_code_checks(name: str) -> None:
    if name not in _smallest():
        others = ("RATE_", "JOBS_RETENTION_")  # read by nginx and by postgres/access.sql
        assert "number ≥" not in _ALLOWED[name] or name.startswith(others) or name in _OF_NGINX
        return
    kind, least = _smallest()[name]

    assert _ALLOWED[name] == f"{'whole number' if kind == 'int' else 'number'} ≥ {least:.15g}"


@pytest.mark.parametrize(
    "reader", [Settings.from_env, JobSettings.from_env, WorkerSettings.from_env, read_serving_settings]
)
def test_without_compose_the_programs_take_the_same_defaults(
    reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in settings():
        monkeypatch.delenv(name, raising=False)
    for name, value in _NEEDED.items():
        monkeypatch.setenv(name, value)
    alone = _values(reader())

    for name, value in settings().items():
        monkeypatch.setenv(name, value)

    assert _values(reader()) == alone


def _values(read_settings: Any) -> dict[str, object]:
    """Return settings by name, secrets as their present values."""
    return {field.name: _value(getattr(read_settings, field.name)) for field in fields(read_settings)}


def _value(value: Any) -> object:
    if isinstance(value, ApiKeys):
        return value.secret.value
    if isinstance(value, Secret):
        return value.value
    return _values(value) if is_dataclass(value) else value
