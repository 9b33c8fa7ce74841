"""The dashboards are what Grafana reads, and are made from their sources."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from grafana.__main__ import content
from tests.harness.grafana_schema import violations
from tests.harness.repository import parse, services
from tests.harness.repository_root import ROOT

SOURCES = sorted((ROOT / "grafana" / "sources").glob("*.yaml"))
DASHBOARDS = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))


def _read(path: Path) -> dict[str, Any]:
    dashboard: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return dashboard


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboard_is_valid_by_grafanas_own_schema(path: Path) -> None:
    assert violations(_read(path)) == []


MISTAKES = {
    "an unknown key": lambda dashboard: dashboard.update(colour="red"),
    "a wrong type": lambda dashboard: dashboard.update(title=7),
    "a value outside its list": lambda dashboard: dashboard.update(graphTooltip=9),
    "an unknown panel option": lambda dashboard: dashboard["panels"][0]["options"].update(shape="round"),
    "a wrong panel option": lambda dashboard: dashboard["panels"][0]["options"].update(colorMode="vivid"),
    "a wrong target": lambda dashboard: dashboard["panels"][0]["targets"][0].update(instant="yes"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_schema_refuses_a_mistake(mistake: str) -> None:
    dashboard = deepcopy(_read(ROOT / "grafana" / "dashboards" / "requests.json"))

    MISTAKES[mistake](dashboard)

    assert len(violations(dashboard)) == 1


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_dashboard_is_made_from_its_source(source: Path) -> None:
    made = (ROOT / "grafana" / "dashboards" / f"{source.stem}.json").read_text(encoding="utf-8")

    assert made == content(source), "run python -m grafana"


def test_no_dashboard_is_without_a_source() -> None:
    assert [path.stem for path in DASHBOARDS] == [path.stem for path in SOURCES]


def test_dashboards_have_different_ids_and_titles() -> None:
    dashboards = [_read(path) for path in DASHBOARDS]

    for key in ("uid", "title"):
        assert len({dashboard[key] for dashboard in dashboards}) == len(dashboards)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_lie_side_by_side(path: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in _read(path)["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells


def test_every_query_asks_the_provisioned_data_source() -> None:
    (source,) = parse("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    used = {
        target["datasource"]["uid"]
        for path in DASHBOARDS
        for panel in _read(path)["panels"]
        for target in panel["targets"]
    }

    assert used == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"


def test_grafana_reads_the_folders_that_are_mounted() -> None:
    grafana = services("monitoring")["grafana"]
    mounted = {Path(mount["source"]).name: mount["target"] for mount in grafana["volumes"]}
    (provider,) = parse("grafana/provisioning/dashboards/ml-stack.yml")["providers"]

    assert provider["options"]["path"] == mounted["dashboards"]
    assert mounted["provisioning"] == "/etc/grafana/provisioning"
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "grafana" / "dashboards" / Path(home).name).exists()


def test_grafana_asks_for_a_password_and_nothing_from_outside() -> None:
    environment = services("monitoring")["grafana"]["environment"]

    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert environment["GF_SECURITY_ADMIN_PASSWORD"]
    assert environment["GF_ANALYTICS_REPORTING_ENABLED"] == "false"


def test_the_schema_is_that_of_the_grafana_that_runs() -> None:
    image = services("monitoring")["grafana"]["image"]
    (version,) = re.findall(
        r"^grafana-foundation-sdk==\d+!(\d+\.\d+)",
        (ROOT / "tests/requirements.lock").read_text(),
        re.MULTILINE,
    )

    assert image.startswith(f"grafana/grafana:{version}.")
