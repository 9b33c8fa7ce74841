"""A Swarm with a standby: both servers of the prediction log run alike, on machines of their own."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

from tests.harness.repository import MAIN, compose_config, read
from tests.harness.repository_root import ROOT

_FILES = (MAIN, "docker-compose.prod.yaml", "docker-compose.swarm.yaml", "docker-compose.swarm-standby.yaml")
_MEMBERS = ("postgres", "postgres-standby")
_SCRIPT = read("scripts/operate/swarm-deploy.sh")


@cache
def deployed(primary: str = "postgres") -> dict[str, Any]:
    """Return what the script gives to the Swarm, with one word in place of every variable of its own."""
    names = re.findall(r"\$\{((?:STACK|DIGEST|REGISTRY|TAG)[A-Z_]*)", "".join(map(read, _FILES)))
    values = dict.fromkeys(names, "x") | {"MODEL_DIR": "/models", "POSTGRES_PRIMARY": primary}
    parsed: dict[str, Any] = json.loads(compose_config("--format", "json", files=_FILES, **values))
    return parsed


def _member(name: str) -> dict[str, Any]:
    found: dict[str, Any] = deployed()["services"][name]
    return found


@pytest.mark.parametrize(
    "key", ["image", "user", "read_only", "cap_drop", "init", "command", "volumes", "networks", "healthcheck"]
)
def test_both_run_alike(key: str) -> None:
    first, second = (_member(name)[key] for name in _MEMBERS)

    assert first == second


def test_they_never_share_a_machine_and_its_volume() -> None:
    for name, other in (_MEMBERS, _MEMBERS[::-1]):
        constraints = _member(name)["deploy"]["placement"]["constraints"]
        assert constraints == [f"node.labels.{name} == true", f"node.labels.{other} != true"]


def test_each_knows_the_other_and_only_the_first_may_begin_a_log() -> None:
    for name, other in (_MEMBERS, _MEMBERS[::-1]):
        environment = _member(name)["environment"]
        assert (environment["POSTGRES_MEMBER"], environment["POSTGRES_OTHER"]) == (name, other)
    assert "POSTGRES_DB" in _member("postgres")["environment"]
    assert "POSTGRES_DB" not in _member("postgres-standby")["environment"]


@pytest.mark.parametrize("primary", _MEMBERS)
def test_roles_are_set_on_the_machine_of_the_server_that_takes_writes(primary: str) -> None:
    services = deployed(primary)["services"]

    assert services["postgres-access"]["deploy"]["placement"]["constraints"] == [
        f"node.labels.{primary} == true"
    ]
    assert {services[name]["environment"]["POSTGRES_PRIMARY"] for name in _MEMBERS} == {primary}


def test_every_file_that_the_overlay_adds_has_a_digest_in_its_name() -> None:
    overlay = read(_FILES[-1])
    added = re.findall(
        r'^  (\w+): \{name: "\$\{STACK\}_\w+-\$\{DIGEST_(\w+)\}", file: (.*)\}$', overlay, re.MULTILINE
    )

    assert {name for name, _, _ in added} == {
        "member_start",
        "member_sql",
        "member_hba",
        "replication_password",
    }
    for name, digested, file in added:
        assert digested == name.upper()
        assert file.startswith('"${SECRETS_DIR}/') or (ROOT / file).is_file()
    assert "secrets+=(replication_password)" in _SCRIPT
