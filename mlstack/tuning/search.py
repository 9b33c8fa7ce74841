"""The search: compare candidates, publish the best one, pass it to the quality gate."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mlstack.data.database import connected
from mlstack.data.reading import data_digest, read_table
from mlstack.data.table_columns import read_columns
from mlstack.evaluation.quality_gate import evaluate
from mlstack.registry.atomic_files import replace_file, write_errors
from mlstack.registry.columns import Column
from mlstack.registry.store import ModelStore
from mlstack.runtime.arrays import FloatArray
from mlstack.training.classes import class_positions, find_classes
from mlstack.training.config import TrainingConfig, content_digest
from mlstack.training.estimators import build_estimator, is_classifier
from mlstack.training.splitting import Dataset, split_in_place, split_stratified
from mlstack.training.train import publish, train
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
    table, columns = _read(gate.database_url, name, configured)
    digest = data_digest(table, name, columns)
    content = search_digest(digest, candidates, seconds)
    before = read_optimization(store.root)
    if before is not None and before.content == content:
        return before, False
    training = _training_rows(table.copy(), columns[-1], configured)
    scores = compare(candidates, training, seconds, columns[:-1])
    chosen = choose(scores, configured)
    found = _record(content, chosen, scores)
    if chosen != configured:
        version = store.find(content_digest(digest, chosen))
        version = version or publish(store, *train(table, chosen, digest, name, columns))
        found = _evaluate(store, version, gate, found)
    if scores:  # without any the search is not recorded, so that the next run repeats it
        _write(store.root, found)
    return found, True


def _read(url: str, name: str, configured: TrainingConfig) -> tuple[FloatArray, tuple[Column, ...]]:
    """Return the table [n, k+1] and its columns, the target last."""
    names = (*configured.features, configured.target)
    with connected(url, snapshot=True) as connection:
        columns = read_columns(connection, name, names, configured.max_categories)
        return read_table(connection, name, columns), columns


def _record(content: str, chosen: TrainingConfig, scores: Sequence[Score]) -> Optimization:
    return Optimization(
        content=content,
        estimator=chosen.estimator,
        parameters=chosen.parameters,
        score=scores[0].measure if scores else "",
        scores=[_line(score) for score in scores],
    )


def _write(root: Path, found: Optimization) -> None:
    with write_errors(root):
        replace_file(root / FILE_NAME, msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


def _training_rows(table: FloatArray, target: Column, configured: TrainingConfig) -> Dataset:
    """Return the training rows of `table`, which is changed; the hold-out is the quality gate's."""
    if not is_classifier(build_estimator(configured)):
        return split_in_place(table, configured.test_fraction)[0]
    classes = find_classes(table[:, -1], target, configured.max_categories)
    table[:, -1] = class_positions(table[:, -1], classes)
    return split_stratified(table, configured.test_fraction)[0]


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
