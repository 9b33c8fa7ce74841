"""Names and ports in one file are those of another."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest

from tests.harness.repository import COMBINATIONS, Service, compose_config, parse, read, services

_SCHEMES = ("postgresql://", "redis://", "amqp://", "http://")
_PORTS = {"postgres": 5432, "redis": 6379, "rabbitmq": 5672}
_EVERYTHING = "everything"
_OPTIONAL = {"rabbitmq", "model-monitor", "grafana"}  # their users do without them when they are not started


def _all_services() -> dict[str, Service]:
    return services(_EVERYTHING) | services("monitoring")


def _listens_at(name: str) -> set[int]:
    """Return the ports a service listens at: of its image's EXPOSE line, its health check, or the store's."""
    service = _all_services()[name]
    image = service.get("image", "").rpartition("/")[2].partition(":")[0]
    dockerfile = service["build"].get("dockerfile", "Dockerfile") if "build" in service else None
    exposed = re.findall(r"^EXPOSE (\d+)", read(dockerfile), re.MULTILINE) if dockerfile else []
    probed = re.findall(r"\b\d{4,5}\b", " ".join(service.get("healthcheck", {}).get("test", [])))
    return {int(port) for port in (*exposed, *probed)} | ({_PORTS[image]} if image in _PORTS else set())


def test_nginx_passes_to_services_that_listen() -> None:
    upstreams = re.findall(r"server ([a-z-]+):(\d+) resolve", read("nginx/nginx.conf"))

    assert {name for name, _ in upstreams} == {"model-serve", "api"}
    assert all(int(port) in _listens_at(name) for name, port in upstreams)


def test_published_ports_are_those_that_nginx_listens_at() -> None:
    listened = {int(port) for port in re.findall(r"listen (\d+)", read("nginx/nginx.conf"))}

    published = {port["target"] for port in services("plain")["nginx"]["ports"]}

    assert published == {5000, 8000}
    assert published <= listened


def test_prometheus_asks_services_that_listen() -> None:
    configuration = parse("prometheus/prometheus.yml")
    targets = [
        (name, discovery["port"])
        for job in configuration["scrape_configs"]
        for discovery in job.get("dns_sd_configs", [])
        for name in discovery["names"]
    ]

    assert {"api", "model-serve"} <= {name for name, _ in targets}
    for name, port in targets:
        assert port in _listens_at(name), f"{name}:{port}"


def test_prometheus_is_on_the_network_of_its_targets() -> None:
    everyone = services(_EVERYTHING)

    for name in ("api", "model-serve", "nginx"):
        assert set(everyone[name]["networks"]) & set(everyone["prometheus"]["networks"]), name


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_addresses_in_the_environment_are_services_on_the_same_network(combination: str) -> None:
    everyone = services(combination)
    for name, service in everyone.items():
        for variable, value in service.get("environment", {}).items():
            if not str(value).startswith(_SCHEMES):
                continue
            url = urlsplit(str(value))
            if url.hostname == "localhost":
                continue  # for a browser: the test below
            host = everyone.get(str(url.hostname))
            assert host or url.hostname in _OPTIONAL, f"{name}: {variable} names {url.hostname}"
            networks = (host or _all_services()[str(url.hostname)])["networks"]
            assert set(networks) & set(service["networks"]), f"{name}: {variable}"
            assert url.port in _listens_at(str(url.hostname)), f"{name}: {variable}"


@pytest.mark.parametrize(
    ("service", "variable", "port", "leads_to"),
    [
        ("api", "PROMETHEUS_ADDRESS", "PROMETHEUS_PORT", "prometheus"),
        ("api", "GRAFANA_ADDRESS", "GRAFANA_PORT", "grafana"),
        ("model-monitor", "REPORTS_ADDRESS", "MONITOR_PORT", "model-monitor"),
    ],
)
def test_links_follow_the_published_ports_or_the_address_that_is_set(
    service: str, variable: str, port: str, leads_to: str
) -> None:
    files = COMBINATIONS["monitoring"][0]

    def given(**changed: str) -> tuple[str, list[str]]:
        found = json.loads(compose_config("--format", "json", files=files, **changed))["services"]
        published = [each["published"] for each in found[leads_to]["ports"]]
        return found[service]["environment"][variable], published

    assert given(**{port: "23901"}) == ("http://localhost:23901", ["23901"])
    assert given(**{port: "23901", variable: "https://watch.example"})[0] == "https://watch.example"


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_databases_and_roles_in_addresses_are_those_that_are_made(combination: str) -> None:
    everyone = services(combination)
    sql = {"database": read("database/access.sql"), "postgres": read("postgres/access.sql")}
    for name, service in everyone.items():
        for value in service.get("environment", {}).values():
            url = urlsplit(str(value))
            if url.scheme == "postgresql" and url.hostname in everyone:
                store = everyone[url.hostname]
                assert url.path == "/" + store["environment"]["POSTGRES_DB"], name
                assert re.search(rf"\b{url.username}\b", sql[str(url.hostname)]), f"{name}: {url.username}"
