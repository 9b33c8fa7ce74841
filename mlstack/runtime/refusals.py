"""Expected failures that an operator can correct: the message is one line with the cause and what to do."""

from __future__ import annotations


class Refusal(Exception):
    """Base class. A step logs the message, without a traceback, and exits with code 1."""


class DatabaseUnavailable(Refusal):
    """The database cannot be reached, refuses the login, or lacks a table, column or permission."""


class DataRefused(Refusal):
    """The table failed validation; `findings` has one line per fault."""

    def __init__(self, *findings: str) -> None:
        super().__init__("; ".join(findings))
        self.findings = findings


class TrainingRefused(Refusal):
    """The estimator cannot be trained on these data with these parameters."""


class StoreRefused(Refusal):
    """The model volume cannot be written, or does not have the version."""


class ModelRefused(Refusal):
    """A published version is damaged or not loadable, and must not be served."""


class QualityGateFailed(Refusal):
    """The latest version did not pass the quality gate."""
