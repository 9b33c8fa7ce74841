"""The search: compare candidates, publish the best one, pass it to the quality gate."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mlstack.data.database import connected
from mlstack.evaluation.quality_gate import evaluate
from mlstack.registry.store import ModelStore
from mlstack.training.config import TrainingConfig, content_digest
from mlstack.training.input import TrainingInput, read_training_input
from mlstack.training.streamed import train_on
from mlstack.training.streaming import StreamedTable
from mlstack.training.train import publish
from mlstack.tuning.compared_rows import compared_rows, read_table_or_sample
from mlstack.tuning.cross_validation import Score, choose, compare

FILE_NAME = "optimization.json"


@dataclass(frozen=True)
class Gate:
    """What the quality gate needs: the database with the rows, and the tolerated increase of RMSE."""

    database_url: str
    tolerance: float


class Optimization(msgspec.Struct, frozen=True, kw_only=True):
    """The last search and its result: optimization.json in the model volume."""

    content: str  # SHA-256 over data, code, candidates and time limit
    estimator: str  # of the chosen candidate
    parameters: dict[str, Any]
    model_version: int | None = None  # None: the configured model stays
    verdict: str = ""  # of the quality gate
    reason: str = ""
    score: str = ""  # by which the candidates were compared: rmse or log_loss
    scores: list[dict[str, Any]] = []


def search_digest(data_digest: str, candidates: Sequence[TrainingConfig], seconds: float) -> str:
    """Return the SHA-256 over data, code, candidates and time limit: an equal search is not repeated."""
    digests = [content_digest(data_digest, config) for config in candidates]
    return hashlib.sha256("\n".join([*digests, str(seconds)]).encode()).hexdigest()


def read_optimization(root: Path) -> Optimization | None:
    """Return the last search; a missing or damaged record counts as none."""
    try:
        return msgspec.json.decode((root / FILE_NAME).read_bytes(), type=Optimization)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def optimize(
    store: ModelStore, name: str, candidates: Sequence[TrainingConfig], seconds: float, gate: Gate
) -> tuple[Optimization, bool]:
    """Search among candidates for table `name`, publish and evaluate the best; return the result.

    The first candidate is the configured model; if it is the best, nothing is published. The flag is False if
    the same search was done before.
    """
    configured = candidates[0]
    source = read_table_or_sample(gate.database_url, name, configured)
    content = search_digest(source.digest, candidates, seconds)
    before = read_optimization(store.root)
    if before is not None and before.content == content:
        return before, False
    scores = compare(candidates, compared_rows(source, configured), seconds, source.columns[:-1])
    chosen = choose(scores, configured)
    found = _record(content, chosen, scores)
    if chosen != configured:
        found = _evaluate(store, _trained(store, source, chosen, name, gate), gate, found)
    if scores:  # without any the search is not recorded, so that the next run repeats it
        store.write_file(FILE_NAME, msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    return found, True


def _trained(store: ModelStore, source: TrainingInput, chosen: TrainingConfig, name: str, gate: Gate) -> int:
    """Return the version of the chosen candidate, which is trained if there is none."""
    version = store.find(content_digest(source.digest, chosen))
    if version is not None:
        return version
    if isinstance(source.rows, StreamedTable):  # a long table is read again: now for this candidate
        with connected(gate.database_url, snapshot=True) as connection:
            source = read_training_input(connection, name, chosen)
    return publish(store, *train_on(source, chosen, name))


def _record(content: str, chosen: TrainingConfig, scores: Sequence[Score]) -> Optimization:
    return Optimization(
        content=content,
        estimator=chosen.estimator,
        parameters=chosen.parameters,
        score=scores[0].measure if scores else "",
        scores=[_line(score) for score in scores],
    )


def _evaluate(store: ModelStore, version: int, gate: Gate, found: Optimization) -> Optimization:
    evaluation = store.evaluation(version)
    if evaluation.verdict == "candidate":
        evaluation = evaluate(store, version, gate.database_url, gate.tolerance, "model-optimize")
    return msgspec.structs.replace(
        found, model_version=version, verdict=evaluation.verdict, reason=evaluation.reason
    )


def _line(score: Score) -> dict[str, Any]:
    return {
        "estimator": score.config.estimator,
        "parameters": score.config.parameters,
        score.measure: score.error,
        "standard_error": score.standard_error,
        "seconds": round(score.seconds, 3),
    }
