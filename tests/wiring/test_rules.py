"""Alert and recording rules: each has its own test, and tells the operator what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.harness.repository import COMBINATIONS, parse, services
from tests.harness.repository_root import ROOT

RULE_FILES = sorted(path.name for path in (ROOT / "prometheus" / "rules").glob("*.yml"))
_FROM_THE_START = {"NoModel", "Watchdog"}  # what they wait for is there when the test begins
TEST_FILES = sorted(path.name for path in (ROOT / "prometheus" / "tests").glob("*_test.yml"))


def _rules(kind: str) -> list[dict[str, Any]]:
    groups = [group for name in RULE_FILES for group in parse(f"prometheus/rules/{name}")["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def _checks() -> list[dict[str, Any]]:
    tests = [test for name in TEST_FILES for test in parse(f"prometheus/tests/{name}")["tests"]]
    return [check for test in tests for check in test["promql_expr_test"]]


@pytest.mark.parametrize("alert", [rule["alert"] for rule in _rules("alert")])
def test_alert_is_tested_to_fire_and_to_stay_silent(alert: str) -> None:
    about = [check for check in _checks() if f'alertname="{alert}"' in check["expr"]]

    assert [check for check in about if check["exp_samples"]], "no test in which it fires"
    assert [check for check in about if not check["exp_samples"]] or alert in _FROM_THE_START, (
        "none in which it does not"
    )


@pytest.mark.parametrize("record", [rule["record"] for rule in _rules("record")])
def test_recording_rule_is_tested(record: str) -> None:
    assert [check for check in _checks() if record in check["expr"] and check["exp_samples"]]


@pytest.mark.parametrize("rule", _rules("alert"), ids=lambda rule: rule["alert"])
def test_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info", "none"}
    assert "for" in rule
    assert rule["annotations"]["summary"]
    assert len(rule["annotations"]["description"]) > 40


def test_alerts_have_different_names() -> None:
    names = [rule["alert"] for rule in _rules("alert")]

    assert len(set(names)) == len(names)


def test_commands_in_alerts_name_services_that_there_are() -> None:
    known = set(services("everything")) | set(services("monitoring"))
    texts = [" ".join(rule["annotations"]["description"].split()) for rule in _rules("alert")]
    command = re.compile(r"`docker compose (?:logs|ps|up|restart|exec|run)((?: [^` |]+)*)")
    words = {word for text in texts for named in command.findall(text) for word in named.split()}

    named = {word for word in words if re.fullmatch(r"[a-z]+(-[a-z]+)?", word)}
    assert {"postgres", "redis", "worker", "models"} <= named
    assert named - known == {"history", "list", "rollback", "prune", "redis-cli"}


@pytest.mark.parametrize("name", TEST_FILES)
def test_rule_tests_read_the_rules(name: str) -> None:
    for path in parse(f"prometheus/tests/{name}")["rule_files"]:
        assert (ROOT / "prometheus" / "tests" / path).exists()


def test_targets_of_the_overlay_are_services_that_listen_there() -> None:
    everyone = services("monitoring")
    jobs = parse("prometheus/monitoring/scrape.yml")["scrape_configs"]
    targets = [target for job in jobs for static in job["static_configs"] for target in static["targets"]]

    assert len(targets) == 6
    for host, port in (target.split(":") for target in targets):
        service = everyone[host]
        probe = " ".join(service.get("healthcheck", {}).get("test", [f"exporter:{port}"]))
        assert port in probe, host
        assert set(service["networks"]) & set(everyone["prometheus"]["networks"]), host


_OVERLAY_FILES = ("scrape*.yml", "alertmanagers.yml")


def test_prometheus_reads_the_overlays_files_where_the_overlay_mounts_them() -> None:
    configuration = parse("prometheus/prometheus.yml")
    (discovery,) = configuration["alerting"]["alertmanagers"]
    read = (*configuration["scrape_config_files"], *discovery["file_sd_configs"][0]["files"])
    (folder,) = {str(Path(path).parent) for path in read}

    assert tuple(Path(path).name for path in read) == _OVERLAY_FILES
    for combination, (files, _) in COMBINATIONS.items():
        mounts = {m["target"]: m["source"] for m in services(combination)["prometheus"]["volumes"]}
        assert ("docker-compose.monitoring.yaml" in files) == (folder in mounts), combination
        source = Path(mounts.get(folder, mounts["/etc/prometheus"] + folder.removeprefix("/etc/prometheus")))
        assert source.is_dir(), "Prometheus would log an error every five minutes"
        assert all(list(source.glob(name)) for name in _OVERLAY_FILES) == (folder in mounts), combination
