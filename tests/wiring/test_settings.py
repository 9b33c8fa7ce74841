""".env, the Compose files, and the code name the same settings."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.harness.repository import (
    COMBINATIONS,
    compose_config,
    compose_files,
    read,
    services,
    settings,
)
from tests.harness.repository_root import ROOT

_VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z_]+)")


def _used() -> set[str]:
    given = [*(ROOT / "nginx").rglob("*.template"), *ROOT.glob("*/*.env")]
    texts = (*map(read, compose_files()), *(path.read_text("utf-8") for path in given))
    return {name for text in texts for name in _VARIABLE.findall(text)}


def test_every_variable_has_a_value() -> None:
    assert _used() <= set(settings())


def test_every_value_is_used() -> None:
    assert set(settings()) <= _used() | {
        "COMPOSE_PROJECT_NAME",
        "COMPOSE_IGNORE_ORPHANS",
    }  # which Compose itself reads


def test_no_setting_is_given_twice() -> None:
    names = re.findall(r"^([A-Z_]+)=", read(".env"), re.MULTILINE)

    assert [name for name, times in Counter(names).items() if times > 1] == []


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_our_code_reads_every_variable_it_is_given(combination: str) -> None:
    sources = [path for folder in ("mlstack", "api") for path in (ROOT / folder).rglob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in (*sources, *ROOT.glob("[0-9]*.py")))

    unread = {
        f"{name}: {variable}"
        for name, service in services(combination).items()
        if "build" in service
        for variable in service.get("environment", {})
        if f'"{variable.removesuffix("_FILE").removesuffix("_PASSWORD")}"' not in text
        and f'"{variable}"' not in text
    }

    assert not unread


@pytest.mark.parametrize("service", ["model-serve", "api", "nginx"])
def test_another_table_or_regressor_leaves_the_servers_running(service: str) -> None:
    """Compose would replace a server whose definition changed, even if the new model is refused later on."""
    changed = compose_config(
        "--hash", service, DATA_TABLE="houses", DATA_MIN="", MODEL_ESTIMATOR="sklearn.svm.SVR"
    )

    assert changed == compose_config("--hash", service)
