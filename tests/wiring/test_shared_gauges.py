"""Gauges that every replica reports about a shared table or queue are aggregated by max, not by sum."""

from __future__ import annotations

import re

import pytest

from tests.harness.repository import parse
from tests.harness.repository_root import ROOT

_SHARED = ("jobs", "jobs_queue_messages", "prediction_log_queue_length", "prediction_log_queue_limit")
_AGGREGATION = re.compile(r"\b(max|min|sum|avg|count|topk|bottomk|quantile)\b(?= *(?:by|without|\())")


def _expressions() -> list[str]:
    """Return every query of a dashboard or rule, without the strings in it."""
    rules = [
        rule["expr"]
        for path in (ROOT / "prometheus" / "rules").glob("*.yml")
        for group in parse(f"prometheus/rules/{path.name}")["groups"]
        for rule in group["rules"]
    ]
    panels = [
        query["expr"]
        for path in (ROOT / "grafana" / "sources").glob("*.yaml")
        for panel in parse(f"grafana/sources/{path.name}")["panels"]
        for query in panel["queries"]
    ]
    return [re.sub(r'"[^"]*"', '""', expression) for expression in (*rules, *panels)]


@pytest.mark.parametrize("gauge", _SHARED)
def test_a_gauge_of_what_replicas_share_is_combined_by_max(gauge: str) -> None:
    name = re.compile(rf"(?<![\w:.]){gauge}(?![\w:])")

    before = [expression[: use.start()] for expression in _expressions() for use in name.finditer(expression)]

    assert len(before) >= 2, "neither a panel nor a rule shows it"
    assert [_AGGREGATION.findall(text)[-1:] for text in before] == [["max"]] * len(before)
