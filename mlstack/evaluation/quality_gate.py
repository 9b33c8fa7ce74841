"""The quality gate: only a version that passed is served, and what a person decided stands."""

from __future__ import annotations

import logging

from mlstack.data.database import connected
from mlstack.data.reading import data_digest, read_table
from mlstack.evaluation.comparison import judge
from mlstack.evaluation.report import write_report
from mlstack.registry.atomic_files import writing
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.refusals import GateClosed, ModelRefused

logger = logging.getLogger(__name__)


def pending(store: ModelStore) -> int | None:
    """Return the version that waits for a verdict, None if there is nothing to judge.

    Raise GateClosed if the latest version was rejected and no person has chosen another since, ModelRefused
    if it or the current version is damaged.
    """
    latest, current = store.latest(), store.current()
    if latest is None:
        raise GateClosed("no version has been trained yet: run model-train")
    store.verified(latest)
    evaluation = store.evaluation(latest)
    if evaluation.verdict == "candidate":
        return latest
    if evaluation.verdict == "rejected" and not evaluation.accepted:
        raise GateClosed(rejection(latest, evaluation.reason, current))
    if current is None:
        raise GateClosed(f"version {latest} was {evaluation.verdict}, and no version is current: promote one")
    store.verified(current)
    if evaluation.verdict != "promoted":
        logger.warning(
            "the latest version is not served", extra={"model_version": latest, "reason": evaluation.reason}
        )
    return None


def rejection(version: int, reason: str, current: int | None) -> str:
    """Return the one line for a rejected version."""
    served = f"version {current} stays current" if current else "nothing is served"
    return f"version {version} rejected: {reason}; {served}"


def evaluate(store: ModelStore, version: int, database_url: str, tolerance: float) -> Evaluation:
    """Judge `version`, write its report, promote or reject it; return the verdict."""
    manifest = store.verified(version)
    name, columns = manifest.provenance.table, (*manifest.features, manifest.target)
    with connected(database_url) as connection:
        table = read_table(connection, name, columns)
    try:
        judgement = judge(store, version, table, data_digest(table, name, columns), tolerance)
    except ModelRefused as refused:
        verdict = Evaluation().decided("rejected", str(refused))
    else:
        verdict = judgement.evaluation
        if verdict.rmse is not None:  # else there is nothing to draw: its predictions are no numbers
            with writing(store.root):
                write_report(judgement, store.path(version))
    store.record(version, verdict)
    return verdict
