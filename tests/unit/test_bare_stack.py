"""The benchmark's bare chain: the stack's containers, networks and waits, without what they do."""

from __future__ import annotations

from bench.bare_stack import bare
from bench.stack_project import ENVIRONMENT
from tests.harness.stack.compose import settings

_CONFIGURATION = {
    "name": "x",
    "services": {
        "store": {
            "image": "postgres:15-alpine",
            "command": ["postgres"],
            "networks": {"inner": None},
            "healthcheck": {"test": ["CMD", "pg_isready"], "interval": "1s"},
        },
        "step": {
            "build": {"context": "."},
            "command": ["python", "00-prepare_data.py"],
            "depends_on": {"store": {"condition": "service_healthy"}},
        },
        "server": {
            "build": {},
            "depends_on": {
                "step": {"condition": "service_completed_successfully"},
                "of another profile": {"condition": "service_completed_successfully", "required": False},
            },
        },
    },
    "volumes": {"data": {"name": "x_data"}},
    "networks": {"inner": {"name": "x_inner", "internal": True}},
}


def test_it_has_the_same_images_networks_volumes_and_waits() -> None:
    chain = bare(_CONFIGURATION)

    assert {name: each["image"] for name, each in chain["services"].items()} == {
        "store": "postgres:15-alpine",
        "step": "x-step",
        "server": "x-server",
    }
    assert {name: list(each["depends_on"]) for name, each in chain["services"].items()} == {
        "store": [],
        "step": ["store"],
        "server": ["step"],
    }
    assert chain["services"]["step"]["depends_on"] == {"store": {"condition": "service_healthy"}}
    assert chain["services"]["store"]["networks"] == {"inner": None}
    assert chain["networks"] == {"inner": {"internal": True}}
    assert chain["volumes"] == {"data": {}}


def test_a_step_ends_at_once_and_a_server_sleeps_and_is_healthy_when_it_is_asked() -> None:
    services = bare(_CONFIGURATION)["services"]

    assert services["step"]["entrypoint"] == ["sh", "-c", "exit 0"]
    assert "sleep" in services["server"]["entrypoint"][-1]
    assert services["store"]["healthcheck"] == {"test": ["CMD", "true"], "interval": "1s"}
    assert services["server"]["healthcheck"]["test"] == ["CMD", "true"]
    assert not any("command" in each for each in services.values())


def test_the_benchmark_has_a_project_and_ports_of_its_own() -> None:
    assert ENVIRONMENT["COMPOSE_PROJECT_NAME"] != settings()["COMPOSE_PROJECT_NAME"]
    assert set(ENVIRONMENT) <= set(settings())
    assert not {ENVIRONMENT[name] for name in ENVIRONMENT if name.endswith("_PORT")} & set(
        settings().values()
    )
