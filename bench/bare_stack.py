"""The stack's containers with nothing in them to do: what the engine and Compose take for themselves.

The same images, networks, volumes, limits, waits and health check intervals; but a server sleeps and is
healthy as soon as it is asked, and a step ends at once.
"""

from __future__ import annotations

from typing import Any

_SLEEP = "trap 'exit 0' TERM; while :; do sleep 1; done"


def bare(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of the bare chain, given what `docker compose config --format json` prints."""
    services = configuration["services"]
    steps = {
        name
        for service in services.values()
        for name, wait in service.get("depends_on", {}).items()
        if wait["condition"] == "service_completed_successfully"
    }
    return {
        "services": {
            name: _bare_service(f"{configuration['name']}-{name}", service, is_step=name in steps)
            | {"depends_on": _waits(service, services)}
            for name, service in services.items()
        },
        "volumes": {name: {} for name in configuration.get("volumes", {})},
        "networks": {
            name: {"internal": network.get("internal", False)}
            for name, network in configuration.get("networks", {}).items()
        },
    }


def _waits(service: dict[str, Any], services: dict[str, Any]) -> dict[str, Any]:
    """Return what a service waits for, of what is there: services of other profiles are not."""
    return {name: wait for name, wait in service.get("depends_on", {}).items() if name in services}


def _bare_service(built: str, service: dict[str, Any], *, is_step: bool) -> dict[str, Any]:
    kept = {name: value for name, value in service.items() if name not in {"build", "entrypoint", "command"}}
    script = "exit 0" if is_step else _SLEEP
    found = {"image": built} | kept | {"entrypoint": ["sh", "-c", script], "pull_policy": "never"}
    if not is_step:
        found["healthcheck"] = service.get("healthcheck", {}) | {"test": ["CMD", "true"]}
    return found
