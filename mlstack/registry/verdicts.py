"""The verdict on a version and the evidence for it: evaluation.json in the version's directory."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from mlstack.registry.atomic_files import replace_file

FILE_NAME = "evaluation.json"

Verdict = Literal["candidate", "promoted", "rejected", "rolled back"]


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a version; a version without verdict is a candidate."""

    verdict: Verdict = "candidate"
    reason: str = ""
    decided_at: str = ""
    accepted: bool = False  # after the rejection an operator promoted another version
    rows: int = 0  # of the hold-out
    rmse: float | None = None  # of a regressor
    baseline_rmse: float | None = None  # of always predicting the mean of the training targets
    current_version: int | None = None  # the version it was compared with
    current_rmse: float | None = None  # on the rows of the hold-out that both take
    log_loss: float | None = None  # of a classifier
    baseline_log_loss: float | None = None  # of always predicting the class frequencies of training
    current_log_loss: float | None = None
    metrics: dict[str, float] = {}  # on the hold-out: what the manifest has, coverage …
    current_metrics: dict[str, float] = {}  # of the current version, on the rows that both take
    shared_metrics: dict[str, float] = {}  # of this version on them, unless they are the whole hold-out
    current_rows: int = 0  # how many they are
    current_scope: str = ""  # which rows they are
    current_unseen_rows: int = 0  # of them, with a category that the current version has not seen
    current_own_holdout: float | None = None  # its rmse or log_loss there, if it has seen rows of this one
    not_compared: str = ""  # which current version was not compared, and why

    def with_verdict(self, verdict: Verdict, reason: str) -> Evaluation:
        """Return the same evidence with another verdict and the present time."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return msgspec.structs.replace(self, verdict=verdict, reason=reason, decided_at=now, accepted=False)


def read_evaluation(directory: Path) -> Evaluation:
    """Return the evaluation of the version in `directory`; a missing or damaged file means no verdict."""
    try:
        return msgspec.json.decode((directory / FILE_NAME).read_bytes(), type=Evaluation)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Evaluation()


def write_evaluation(directory: Path, evaluation: Evaluation) -> None:
    """Replace the evaluation of the version in `directory`."""
    content = msgspec.json.encode(evaluation)
    replace_file(directory / FILE_NAME, msgspec.json.format(content, indent=2) + b"\n")


def accept_rejection(directory: Path) -> None:
    """If the version in `directory` was rejected, mark that an operator has decided since."""
    evaluation = read_evaluation(directory)
    if evaluation.verdict == "rejected" and not evaluation.accepted:
        write_evaluation(directory, msgspec.structs.replace(evaluation, accepted=True))
