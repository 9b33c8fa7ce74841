"""The files that must agree with each other, parsed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml

from tests.harness.repository_root import ROOT

MAIN = "docker-compose.yaml"
OVERRIDE = "docker-compose.override.yaml"
OBJECT_STORE = "docker-compose.object-store.yaml"

# Every documented way to start the stack: its files and its profiles.
COMBINATIONS = {
    "development": ((MAIN, OVERRIDE), ()),
    "plain": ((MAIN,), ()),
    "async": ((MAIN, OVERRIDE), ("async",)),
    "extended": ((MAIN, OVERRIDE), ("extended",)),
    "everything": ((MAIN, OVERRIDE), ("*",)),
    "production": ((MAIN, "docker-compose.prod.yaml"), ()),
    "production, async": ((MAIN, "docker-compose.prod.yaml"), ("async",)),
    "production, monitored": ((MAIN, "docker-compose.prod.yaml", "docker-compose.monitoring.yaml"), ()),
    "production, everything": (
        (MAIN, "docker-compose.prod.yaml", "docker-compose.monitoring.yaml"),
        ("async", "extended"),
    ),
    "object store": ((MAIN, OVERRIDE, OBJECT_STORE), ("*",)),
    "production, object store": ((MAIN, "docker-compose.prod.yaml", OBJECT_STORE), ("async", "extended")),
    "monitoring": ((MAIN, "docker-compose.monitoring.yaml"), ()),
    "monitoring, async": ((MAIN, "docker-compose.monitoring.yaml"), ("async",)),
}

Service = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """Reads Compose's own tags, !reset and !override, as what they are put on."""


def _untagged(loader: yaml.Loader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _untagged)


def read(path: str) -> str:
    """Return the text of a file of the checkout."""
    return (ROOT / path).read_text(encoding="utf-8")


def parse(path: str) -> Any:
    """Return a YAML file of the checkout as it stands there."""
    return yaml.load(read(path), _Loader)  # noqa: S506 - a SafeLoader


def compose_files() -> list[str]:
    """Return the names of all Compose files; the Swarm's has variables that only swarm-deploy.sh sets."""
    return sorted(path.name for path in ROOT.glob("docker-compose*.yaml") if "swarm" not in path.name)


def dockerfiles() -> list[str]:
    """Return the Dockerfiles of our images: those that a Compose file builds."""
    return ["Dockerfile", "api/Dockerfile"]


def settings() -> dict[str, str]:
    """Return what .env sets, in order."""
    return dict(line.split("=", 1) for line in read(".env").splitlines() if re.match(r"[A-Z_]+=", line))


def compose_config(*options: str, files: tuple[str, ...] = (MAIN,), **changed: str) -> str:
    """Return what `docker compose config` prints with settings `changed`; skip where there is no Compose."""
    alone = ROOT / "build" / "bin" / "docker-compose"  # where there is no docker command
    compose = ["docker", "compose"] if shutil.which("docker") else [str(alone)]
    if not shutil.which(compose[0]):
        pytest.skip("docker compose is not installed")
    environment = {name: value for name, value in os.environ.items() if name not in settings()}
    arguments = [part for name in files for part in ("-f", name)]
    done = subprocess.run(
        [*compose, *arguments, "config", *options],
        cwd=ROOT, env=environment | changed, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "is not a docker command" in done.stderr or "unknown" in done.stderr:
        pytest.skip("docker compose is not installed")
    assert done.returncode == 0, done.stderr
    assert "level=warning" not in done.stderr, done.stderr
    return done.stdout


@cache
def resolved(combination: str) -> dict[str, Any]:
    """Return what `docker compose config` makes of a combination; skip where there is no Compose."""
    files, profiles = COMBINATIONS[combination]
    parsed: dict[str, Any] = json.loads(
        compose_config("--format", "json", files=files, COMPOSE_PROFILES=",".join(profiles))
    )
    return parsed


def services(combination: str) -> dict[str, Service]:
    """Return the services that a combination starts."""
    found: dict[str, Service] = resolved(combination)["services"]
    return found


def is_step(service: Service) -> bool:
    """Return whether a service is meant to end: a one-shot."""
    return str(service.get("restart", "no")) == "no"
