"""The Swarm's overlay: what `docker stack deploy` cannot have is not in it, what the stack needs is."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from tests.harness.repository import MAIN, Service, compose_config, read, services
from tests.harness.repository_root import ROOT

_OVERLAY = "docker-compose.swarm.yaml"
_SCRIPT = "scripts/operate/swarm-deploy.sh"
# What a Swarm ignores or refuses; `depends_on` as Compose's long form.
_UNKNOWN = ("depends_on", "network_mode", "shm_size", "tmpfs", "profiles", "build", "container_name")


@cache
def deployed() -> dict[str, Any]:
    """Return what swarm-deploy.sh gives to the Swarm, with one word in place of every variable of its own."""
    names = re.findall(r"\$\{((?:STACK|DIGEST|REGISTRY|TAG|MODEL_DIR)[A-Z_]*)", read(_OVERLAY))
    values = dict.fromkeys(names, "x") | {"MODEL_DIR": "/models"}
    files = (MAIN, "docker-compose.prod.yaml", _OVERLAY)
    parsed: dict[str, Any] = json.loads(compose_config("--format", "json", files=files, **values))
    return parsed


def _services() -> dict[str, Service]:
    found: dict[str, Service] = deployed()["services"]
    return found


def test_every_service_of_production_is_deployed() -> None:
    steps = {"data-validate", "model-train", "model-evaluate"}  # in the job of data-prep
    stores = {"database", "database-access", "postgres", "postgres-access"}

    assert set(_services()) == set(services("production")) - steps | stores


def test_a_service_has_nothing_that_a_swarm_does_not_know() -> None:
    for name, service in _services().items():
        assert not set(_UNKNOWN) & {key for key, value in service.items() if value}, name


def test_nothing_is_mounted_from_a_host_but_models() -> None:
    mounts = [mount for service in _services().values() for mount in service.get("volumes", [])]

    assert {mount["source"] for mount in mounts if mount["type"] == "bind"} == {"/models", "/models/events"}


def test_every_file_of_production_is_a_config_or_secret_at_the_same_place() -> None:
    mine = _services()
    for name, service in services("production").items():
        if name not in mine:
            continue
        given = {each["target"] for kind in ("configs", "secrets") for each in mine[name].get(kind, [])}
        for mount in service.get("volumes", ()):
            if mount["type"] != "bind" or mount["target"] == "/app/custom":
                continue
            assert [path for path in given if path.startswith(mount["target"])], (name, mount["target"])


def test_the_steps_run_in_the_order_of_their_numbers() -> None:
    command = " ".join(_services()["data-prep"]["command"])
    found = re.findall(r"\d\d-\w+", command)

    assert (
        found
        == sorted(found)
        == ["00-prepare_data", "05-validate_data", "10-train_model", "20-evaluate_model"]
    )


def test_the_script_digests_every_config_and_secret() -> None:
    script = read(_SCRIPT)
    patterns = re.search(r"^files=\((.*)\)$", script, re.MULTILINE)
    assert patterns is not None
    digested = {path for pattern in patterns[1].split() for path in ROOT.glob(pattern)}
    listed = re.search(r"^secrets=\(([^)]*)\)", script, re.MULTILINE)
    assert listed is not None

    configs = {Path(each["file"]) for each in deployed()["configs"].values()}
    secrets = {name for name in deployed()["secrets"] if not name.startswith("tls_")}

    assert configs <= digested
    assert secrets == set(listed[1].split())
    for each in (*deployed()["configs"].values(), *deployed()["secrets"].values()):
        assert re.fullmatch(r"x_\w+-x", each["name"]), each["name"]
