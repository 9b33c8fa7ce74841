"""The Swarm's overlay: what `docker stack deploy` cannot have is not in it, what the stack needs is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.harness.repository import MAIN, Service, compose_config, parse, read, services
from tests.harness.repository_root import ROOT

_OVERLAY = "docker-compose.swarm.yaml"
_MONITORING = "docker-compose.swarm-monitoring.yaml"
_OBJECT_STORE = "docker-compose.swarm-object-store.yaml"
_VARIANTS = [(), (_MONITORING,), (_OBJECT_STORE,), (_MONITORING, _OBJECT_STORE)]
_ALL = _VARIANTS[-1]
_SCRIPT = "scripts/operate/swarm-deploy.sh"
_TOLD = "linear_features_with_feedback x"  # a table for training, and its column
# What a Swarm ignores or refuses; `depends_on` as Compose's long form.
_UNKNOWN = ("depends_on", "network_mode", "shm_size", "tmpfs", "profiles", "build", "container_name")


@cache
def deployed(*overlays: str) -> dict[str, Any]:
    """Return what swarm-deploy.sh gives to the Swarm, with one word in place of every variable of its own."""
    parsed: dict[str, Any] = json.loads(_config(overlays, "--format", "json"))
    return parsed


def _config(overlays: tuple[str, ...], *options: str) -> str:
    text = "".join(map(read, (_OVERLAY, *overlays)))
    names = re.findall(r"\$\{((?:STACK|DIGEST|REGISTRY|TAG|DOCKER)[A-Z_]*)", text)
    values = dict.fromkeys(names, "x") | {"MODEL_DIR": "/mnt", "DOCKER_SOCKET": "/run/docker.sock"}
    return compose_config(*options, files=(MAIN, "docker-compose.prod.yaml", _OVERLAY, *overlays), **values)


def _services(*overlays: str) -> dict[str, Service]:
    found: dict[str, Service] = deployed(*overlays)["services"]
    return found


def _binds(*overlays: str) -> set[str]:
    mounts = [mount for service in _services(*overlays).values() for mount in service.get("volumes", [])]
    return {mount["source"] for mount in mounts if mount["type"] == "bind"}


def test_every_service_of_production_is_deployed() -> None:
    steps = {"data-validate", "model-train", "model-evaluate"}  # in the job of data-prep
    stores = {"database", "database-access", "postgres", "postgres-access"}

    assert set(_services()) == set(services("production")) - steps | stores


@pytest.mark.parametrize("overlays", _VARIANTS, ids=str)
def test_a_service_has_nothing_that_a_swarm_does_not_know(overlays: tuple[str, ...]) -> None:
    for name, service in _services(*overlays).items():
        assert not set(_UNKNOWN) & {key for key, value in service.items() if value}, name


def test_nothing_is_mounted_from_a_host_but_models() -> None:
    assert _binds() == {"/mnt", "/mnt/events"}
    assert _binds(_OBJECT_STORE) == set()


def test_one_service_has_the_engines_socket_and_one_other_can_reach_it() -> None:
    watched = _services(_MONITORING)
    with_socket = {
        name
        for name, service in watched.items()
        for mount in service.get("volumes", [])
        if "docker.sock" in mount.get("source", "")
    }
    (holder,) = with_socket
    (network,) = watched[holder]["networks"]

    assert _binds(_MONITORING) - _binds() == {"/run/docker.sock"}
    assert deployed(_MONITORING)["networks"][network]["internal"]
    assert {name for name, service in watched.items() if network in service["networks"]} == {
        holder,
        "swarm-exporter",
    }
    assert watched[holder]["cap_drop"] == ["ALL"]
    assert not watched[holder]["user"].startswith(("0", "root"))
    assert not watched[holder].get("ports")


def test_every_alert_and_every_watcher_of_monitoring_is_there_but_grafana() -> None:
    compose = set(services("production, monitored")) - set(services("production"))
    here = _services(_MONITORING)
    rules = {each["target"] for each in here["prometheus"]["configs"] if "/rules/" in each["target"]}

    # nginx shows its own metrics, those of each node by itself
    assert compose - set(here) == {"grafana", "nginx-exporter"}
    assert {Path(path).name for path in rules} == {p.name for p in (ROOT / "prometheus/rules").glob("*.yml")}


def test_targets_are_services_that_share_a_network_with_prometheus() -> None:
    here = _services(_MONITORING)
    jobs = parse("prometheus/swarm/scrape.yml")["scrape_configs"]
    named = {name for job in jobs for sd in job.get("dns_sd_configs", ()) for name in sd["names"]}
    static = {t.split(":")[0] for job in jobs for s in job.get("static_configs", ()) for t in s["targets"]}

    assert named | static == {"swarm-exporter", "nginx", "model-monitor", *static}
    for name in named | static:
        assert set(here[name]["networks"]) & set(here["prometheus"]["networks"]), name


def test_what_uses_models_has_the_object_stores_keys_as_secrets() -> None:
    here = _services(*_ALL)
    users = {name for name, service in here.items() if "MODEL_STORE" in service.get("environment", {})}

    assert users == {"data-prep", "model-serve", "api", "model-monitor"}
    for name in users:
        given = {each["target"] for each in here[name]["secrets"]}
        files = {v for k, v in here[name]["environment"].items() if re.fullmatch("MODEL_STORE_.*_FILE", k)}
        assert len(files) == 2
        assert files <= given, name


@pytest.mark.parametrize("overlays", _VARIANTS, ids=str)
def test_docker_takes_what_the_script_gives_it(overlays: tuple[str, ...], tmp_path: Path) -> None:
    """As the script makes it: the schema of `stack deploy` is an older one than Compose's."""
    if not shutil.which("docker"):
        pytest.skip("docker is not installed")
    (program,) = re.findall(r"sed -E '(s/\^.*)'", read(_SCRIPT))
    given = re.sub(r"^( +file: ).*$", r"\1/dev/null", _config(overlays), flags=re.MULTILINE)
    repaired = subprocess.run(["sed", "-E", program], input=given, capture_output=True, text=True, check=True)
    (tmp_path / "stack.yaml").write_text(repaired.stdout, encoding="utf-8")

    command = ["docker", "stack", "config", "--compose-file", str(tmp_path / "stack.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    if "is not a docker command" in done.stderr:
        pytest.skip("this docker has no `stack config`")
    assert done.returncode == 0, done.stderr


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


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({}, ["00", "05", "10 linear_data x", "20"]),
        (
            {"TRAIN_TABLE": "linear_features", "TRAIN_FEATURES": "x,x_squared"},
            ["00", "05", "15", "10 linear_features x,x_squared", "20"],
        ),
        (
            {"TRAIN_TABLE": "linear_data_with_feedback"},
            ["00", "05", "30 linear_data_with_feedback x", "10 linear_data_with_feedback x", "20"],
        ),
        (
            dict(zip(("TRAIN_TABLE", "TRAIN_FEATURES"), _TOLD.split(), strict=True)),
            [
                "00",
                "05",
                "15",
                "30 linear_features_with_feedback x",
                "10 linear_features_with_feedback x",
                "20",
            ],
        ),
        ({"TRAIN_TABLE": "another"}, ["00", "05", "10 another x", "20"]),
    ],
)
def test_the_steps_run_in_their_order(settings: dict[str, str], steps: list[str], tmp_path: Path) -> None:
    """Run the job's own command; its `python` says which step it is given, and which table training has."""
    service = _services()["data-prep"]
    python = tmp_path / "python"
    training = 'echo "${1%%-*} $DATA_TABLE $DATA_FEATURES"'
    python.write_text(f'#!/bin/sh\ncase $1 in [13]0-*) {training} ;; *) echo "${{1%%-*}}" ;; esac\n')
    python.chmod(0o755)
    *shell, script = [part.replace("$$", "$") for part in service["command"]]
    script = script.replace("/models", str(tmp_path))
    given = {name: str(value) for name, value in service["environment"].items()}
    environment = given | settings | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    done = subprocess.run([*shell, script], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == steps


def test_a_step_that_fails_ends_the_job(tmp_path: Path) -> None:
    (tmp_path / "python").write_text('#!/bin/sh\necho "${1%%-*}"\n[ "${1%%-*}" != 05 ]\n')
    (tmp_path / "python").chmod(0o755)
    *shell, script = [part.replace("$$", "$") for part in _services()["data-prep"]["command"]]
    command = [*shell, script.replace("/models", str(tmp_path))]

    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(command, env=path, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stdout.split() == ["00", "05"]


def test_every_config_and_secret_has_a_digest_of_its_own_file_in_its_name() -> None:
    script, text = read(_SCRIPT), "".join(map(read, (_OVERLAY, *_ALL)))
    listed = " ".join(re.findall(r"^ *secrets\+?=\(([^)]*)\)", script, re.MULTILINE))
    digested = dict(re.findall(r"\$\{(DIGEST_[A-Z_]+)\}\", file: (\./[^}]+)\}$", text, re.MULTILINE))

    configs = {Path(each["file"]).relative_to(ROOT) for each in deployed(*_ALL)["configs"].values()}
    secrets = {name for name in deployed(*_ALL)["secrets"] if not name.startswith("tls_")}

    assert len(digested) == len(configs)
    assert {Path(file) for file in digested.values()} == configs
    assert secrets == set(listed.split())
    for each in (*deployed(*_ALL)["configs"].values(), *deployed(*_ALL)["secrets"].values()):
        assert re.fullmatch(r"x_\w+-x", each["name"]), each["name"]
