"""Failures a person can act on: the message is the one line that says what is wrong and what to do."""

from __future__ import annotations


class Refusal(Exception):
    """Base of all of them; a step logs the message and exits with 1, never a traceback."""


class DatabaseUnavailable(Refusal):
    """The database cannot be reached, or does not let us in, or lacks what was asked for."""


class DataRefused(Refusal):
    """The table does not hold data a model may be trained on; carries one line per finding."""

    def __init__(self, *findings: str) -> None:
        """The first finding alone is a complete message too."""
        super().__init__("; ".join(findings))
        self.findings = findings


class TrainingRefused(Refusal):
    """No model can be made of these data with these parameters."""


class StoreRefused(Refusal):
    """The model volume cannot be read or written, or has no such version."""


class ModelRefused(Refusal):
    """A published version is damaged, foreign or does not fit; it must not be served."""


class GateClosed(Refusal):
    """The quality gate did not let the newest version through."""
