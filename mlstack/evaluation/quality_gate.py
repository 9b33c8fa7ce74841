"""The quality gate: only a version that passed it is served. An operator's decision is never overruled."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mlstack.data.database import connected
from mlstack.registry.atomic_files import write_errors
from mlstack.registry.manifest import Manifest
from mlstack.registry.picture import write_picture
from mlstack.registry.store import ModelStore
from mlstack.registry.verdicts import Evaluation
from mlstack.runtime.refusals import ModelRefused, QualityGateFailed

if TYPE_CHECKING:
    from mlstack.evaluation.comparison import Comparison

logger = logging.getLogger(__name__)


def pending_version(store: ModelStore) -> int | None:
    """Return the version that has no verdict yet, None if there is nothing to evaluate.

    Raise QualityGateFailed if the latest version was rejected and no operator has promoted another one since,
    ModelRefused if the latest or the current version is damaged.
    """
    latest, current = store.latest(), store.current()
    if latest is None:
        raise QualityGateFailed("no version has been trained yet: run model-train")
    store.verified(latest)
    evaluation = store.evaluation(latest)
    if evaluation.verdict == "candidate":
        return latest
    if evaluation.verdict == "rejected" and not evaluation.accepted:
        raise QualityGateFailed(rejection_message(latest, evaluation.reason, current))
    if current is None:
        raise QualityGateFailed(
            f"version {latest} was {evaluation.verdict}, and no version is current: promote one"
        )
    store.verified(current)
    if evaluation.verdict != "promoted":
        logger.warning(
            "the latest version is not served", extra={"model_version": latest, "reason": evaluation.reason}
        )
    return None


def rejection_message(version: int, reason: str, current: int | None) -> str:
    """Return the log line for a rejected version."""
    served = f"version {current} stays current" if current else "nothing is served"
    return f"version {version} rejected: {reason}; {served}"


def evaluate(
    store: ModelStore, version: int, database_url: str, tolerance: float, command: str = "model-evaluate"
) -> Evaluation:
    """Evaluate `version`, write its report, promote or reject it; return the verdict.

    `command` is what the history of served versions names.
    """
    from mlstack.evaluation.picture import picture_of  # noqa: PLC0415 - imports NumPy
    from mlstack.evaluation.report import write_report  # noqa: PLC0415

    manifest = store.verified(version)
    try:
        comparison = _compare(store, version, manifest, database_url, tolerance)
    except ModelRefused as refused:
        verdict = Evaluation().with_verdict("rejected", str(refused))
    else:
        verdict = comparison.evaluation
        if (verdict.rmse, verdict.log_loss) != (None, None):  # non-finite predictions cannot be drawn
            with write_errors(store.root):
                write_report(comparison, store.path(version))
                write_picture(store.path(version), picture_of(comparison))
    store.record(version, verdict, command)
    return verdict


def _compare(
    store: ModelStore, version: int, manifest: Manifest, database_url: str, tolerance: float
) -> Comparison:
    # NumPy and what needs it are slow to import, and a run with nothing to do needs none of it.
    from mlstack.data.reading import data_digest, read_table  # noqa: PLC0415
    from mlstack.evaluation.comparison import compare_on_holdout  # noqa: PLC0415
    from mlstack.evaluation.streamed_comparison import compare_streamed  # noqa: PLC0415

    name, columns = manifest.provenance.table, manifest.table_columns
    with connected(database_url) as connection:
        if manifest.provenance.split == "hashed":
            return compare_streamed(store, version, connection, tolerance)
        table = read_table(connection, name, columns)
    return compare_on_holdout(store, version, table, data_digest(table, name, columns), tolerance)
