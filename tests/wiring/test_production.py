"""What docker-compose.prod.yaml promises, in every documented combination with it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mlstack.runtime.settings import DEMO_PASSWORDS
from tests.harness.repository import COMBINATIONS, Service, is_step, read, services, settings
from tests.harness.repository_root import ROOT

PRODUCTION = [name for name, (files, _) in COMBINATIONS.items() if "docker-compose.prod.yaml" in files]
MONITORED = [name for name in PRODUCTION if "docker-compose.monitoring.yaml" in COMBINATIONS[name][0]]
_PASSWORDS = {name: value for name, value in settings().items() if name.endswith(("_PASSWORD", "_KEY"))}
_SEEN_BY_OTHERS_ONLY = {"grafana-demo"}  # only Grafana reads it, not our programs
_REFUSAL = ROOT / "scripts" / "operate" / "refuse-demo-password.sh"  # before third-party programs


def test_every_demo_password_is_known_to_who_refuses_them() -> None:
    assert set(_PASSWORDS.values()) == DEMO_PASSWORDS | _SEEN_BY_OTHERS_ONLY


@pytest.mark.parametrize("password", sorted({*_PASSWORDS.values(), "my-own"}))
def test_programs_of_others_start_with_a_password_of_your_own_only(tmp_path: Path, password: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{password}\n")

    done = subprocess.run(
        ["sh", _REFUSAL, secret, "echo", "started"], capture_output=True, text=True, check=False
    )

    if password == "my-own":
        assert (done.returncode, done.stdout, done.stderr) == (0, "started\n", "")
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"{secret} holds a demo password")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("combination", PRODUCTION)
def test_no_demo_password_reaches_a_container(combination: str) -> None:
    """Neither as a value, nor in an address, nor, unless it is an everyday word, as a part of anything."""
    everything = services(combination)
    values = {str(value) for each in everything.values() for value in each.get("environment", {}).values()}

    assert not {value for value in values if value in _PASSWORDS.values()}
    assert not {value for value in values if urlsplit(value).password in _PASSWORDS.values()}
    assert not [demo for demo in _PASSWORDS.values() if "-demo" in demo and demo in json.dumps(everything)]


@pytest.mark.parametrize("combination", PRODUCTION)
def test_no_server_of_the_stack_is_addressed_where_external_ones_are_used(combination: str) -> None:
    values = [
        str(value)
        for each in services(combination).values()
        for value in each.get("environment", {}).values()
    ]

    assert not [value for value in values if re.search(r"(^|@)(database|postgres):5432", value)]


@pytest.mark.parametrize("combination", PRODUCTION)
def test_every_file_that_the_environment_names_is_a_secret_of_that_service(combination: str) -> None:
    for name, service in services(combination).items():
        secrets = {target for target, _ in _secrets(service)}
        text = json.dumps(
            [service.get(key) for key in ("environment", "command", "entrypoint", "healthcheck")]
        )

        assert set(re.findall(r"/run/secrets/\w+", text)) == secrets, name


@pytest.mark.parametrize("combination", PRODUCTION)
def test_secrets_are_those_that_are_made_and_documented(combination: str) -> None:
    made = set(re.findall(r"^keep_or_make (\w+) ", read("scripts/operate/make-secrets.sh"), re.MULTILINE))
    documented = set(re.findall(r"^ *\| `(\w+)` \|", read("docs/operations.md"), re.MULTILINE))

    mounted = {name for service in services(combination).values() for _, name in _secrets(service)}

    assert mounted <= made == documented


def _secrets(service: Service) -> set[tuple[str, str]]:
    """Return where a service finds its secrets, and the names of the folders that they come from."""
    mounts = [mount for mount in service.get("volumes", []) if mount["target"].startswith("/run/secrets/")]
    assert all(not mount["bind"].get("create_host_path") for mount in mounts), mounts
    return {(mount["target"], Path(mount["source"]).name) for mount in mounts}


@pytest.mark.parametrize("combination", PRODUCTION)
def test_logs_of_servers_and_steps_rotate(combination: str) -> None:
    for name, service in services(combination).items():
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name


@pytest.mark.parametrize("combination", MONITORED)
def test_monitoring_is_whole_in_production(combination: str) -> None:
    """docker-compose.prod.yaml defines its services without starting them; the overlay starts them all."""
    alone = {name for name, each in services("monitoring").items() if not is_step(each)}

    assert alone - set(services(combination)) == {"database", "postgres"}
