"""Metrics of feedback."""

from __future__ import annotations

from typing import get_args

from prometheus_client import CollectorRegistry, Counter

from api.feedback.store import State

REGISTRY = CollectorRegistry()
_entries = Counter(
    "feedback_entries_total", "True values of predictions, by outcome", ["outcome"], registry=REGISTRY
)
entries = {state: _entries.labels(state) for state in get_args(State)}
