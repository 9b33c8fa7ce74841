"""Rules that every service of every documented combination of files and profiles keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness.repository import COMBINATIONS, Service, is_step, parse, read, resolved, services

pytestmark = pytest.mark.parametrize("combination", COMBINATIONS)

_NOT_IN_THE_CHECKOUT = {"tls", "secrets"}  # a person makes these two
_WITHOUT_HEALTHCHECK = {"nginx-exporter"}  # its image has no program for a check
_ON_EVERY_ADDRESS = {"nginx"}


def _mounts(service: Service, kind: str) -> list[dict[str, Any]]:
    return [mount for mount in service.get("volumes", []) if mount["type"] == kind]


def test_mounted_files_exist_and_are_read_only(combination: str) -> None:
    for name, service in services(combination).items():
        for mount in _mounts(service, "bind"):
            source = Path(mount["source"])
            assert _NOT_IN_THE_CHECKOUT & {source.name, source.parent.name} or source.exists(), (
                f"{name}: there is no {source}"
            )
            assert mount.get("read_only"), f"{name}: {source} is writable"


def test_every_declared_volume_is_used(combination: str) -> None:
    used = {
        mount["source"]
        for service in (*services(combination).values(), *services("everything").values())
        for mount in _mounts(service, "volume")
    }

    assert set(resolved(combination).get("volumes", {})) <= used


def test_images_are_pinned(combination: str) -> None:
    for name, service in services(combination).items():
        if "build" in service:
            only_run = service.get("profiles") == ["tools"]  # `up` never starts it
            shared = f"{name}: shares an image name, so the next `up` would replace it"
            assert only_run or "image" not in service, shared
            continue
        image = service["image"]
        _, _, tag = image.rpartition("/")[2].partition(":")
        assert tag not in {"", "latest"}, f"{name}: {image}"
        assert "@" not in image, f"{name}: {image}: a digest does not fit a stand-in"


def test_somebody_waits_for_every_step(combination: str) -> None:
    """`up --wait` fails when a step without dependants ends, even with exit code 0."""
    everyone = services(combination)
    awaited = {
        dependency
        for service in everyone.values()
        for dependency, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }

    on_demand = {name for name, service in everyone.items() if "tools" in service.get("profiles", [])}

    leaves = {name for name, service in everyone.items() if is_step(service)} - awaited - on_demand
    assert not leaves


_WAITING_BY_ITSELF = {"database-access", "postgres-access"}


def test_every_wait_has_a_condition(combination: str) -> None:
    everyone = services(combination)
    for name, service in everyone.items():
        for dependency, how in service.get("depends_on", {}).items():
            if dependency not in everyone:
                assert how["required"] is False, f"{name} waits for {dependency}, which is not there"
                continue
            step = is_step(everyone[dependency])
            if name in _WAITING_BY_ITSELF:
                wanted = "service_started"
            else:
                wanted = "service_completed_successfully" if step else "service_healthy"
            assert how["condition"] == wanted, f"{name} waits for {dependency}"


def test_every_server_has_a_health_check(combination: str) -> None:
    for name, service in services(combination).items():
        if is_step(service) or name in _WITHOUT_HEALTHCHECK:
            continue
        test = service.get("healthcheck", {}).get("test", [])
        in_image = "build" in service and "HEALTHCHECK" in read(_dockerfile(service))
        assert test[:1] in (["CMD"], ["CMD-SHELL"]) or in_image, name


def test_every_container_is_hardened(combination: str) -> None:
    for name, service in services(combination).items():
        assert service.get("read_only") is True, name
        assert service.get("cap_drop") == ["ALL"], name
        assert not service.get("cap_add"), name
        assert "no-new-privileges:true" in service.get("security_opt", []), name
        assert not service.get("privileged"), name


def test_no_container_is_root(combination: str) -> None:
    for name, service in services(combination).items():
        user = service.get("user", "")
        if "build" in service and not user:
            text = read(_dockerfile(service))
            user = text.rpartition("\nUSER ")[2].split()[0] if "\nUSER " in text else ""
        user = user or _USERS_OF_PUBLIC_IMAGES.get(service.get("image", "").partition(":")[0], "")
        assert user.partition(":")[0] not in {"", "0", "root"}, name


_USERS_OF_PUBLIC_IMAGES = {"prom/prometheus": "nobody", "prom/alertmanager": "nobody"}


def test_every_container_has_limits(combination: str) -> None:
    for name, service in services(combination).items():
        limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
        assert {"memory", "pids"} <= set(limits), name


def test_only_nginx_is_published_beyond_loopback(combination: str) -> None:
    for name, service in services(combination).items():
        for port in service.get("ports", []):
            assert name in _ON_EVERY_ADDRESS or port.get("host_ip") == "127.0.0.1", f"{name}: {port}"


def test_stores_are_published_for_development_only(combination: str) -> None:
    published = {name for name, service in services(combination).items() if service.get("ports")}

    stores = {"database", "postgres", "redis", "rabbitmq"}
    assert not stores & published or "docker-compose.override.yaml" in COMBINATIONS[combination][0]


def test_logging_driver_is_a_setting(combination: str) -> None:
    for name, service in services(combination).items():
        assert service.get("logging", {}).get("driver") == "json-file", name


def _dockerfile(service: Service) -> str:
    return str(service["build"].get("dockerfile", "Dockerfile"))


def test_nobody_names_a_container(combination: str) -> None:
    for path in COMBINATIONS[combination][0]:
        content = parse(path)
        assert not {"version", "name"} & set(content), path
        assert not [
            name for name, service in content["services"].items() if "container_name" in (service or {})
        ]
