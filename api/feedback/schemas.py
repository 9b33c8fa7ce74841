"""Requests and answers about true values."""

from __future__ import annotations

from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from mlstack.web.problems import InvalidInput

Value = float | str | bool | None
_UUIDV7 = 7
_encode = msgspec.json.Encoder().encode


class Truth(msgspec.Struct):
    """The true value of each row of one prediction; of a single row also without a list. null: not known."""

    id: UUID
    actual: Annotated[list[Value], msgspec.Meta(min_length=1)] | Value

    def entry(self) -> Entry:
        """Return what is stored; raise InvalidInput for a text that PostgreSQL cannot store."""
        values = self.actual if isinstance(self.actual, list) else [self.actual]
        if any(isinstance(value, str) and "\0" in value for value in values):
            raise InvalidInput(f"expected texts without U+0000 as the true values of {self.id}")
        return Entry(self.id, _encode(values).decode(), len(values))


class Entry(NamedTuple):
    """The true values of one prediction, as a JSON list, and how many there are."""

    id: UUID
    actual: str
    rows: int

    @property
    def milliseconds(self) -> int | None:
        """When the prediction was made, since the epoch; None if the id is not one of this service's."""
        return self.id.int >> 80 if self.id.version == _UUIDV7 else None


class Mismatch(BaseModel):
    """True values of another number of rows than the prediction has."""

    id: UUID
    expected: int
    got: int


class FeedbackReport(BaseModel):
    """What became of each entry. Accepted and corrected ones are committed."""

    accepted: int = Field(description="The first true values of a prediction")
    repeated: int = Field(description="The same values as before: nothing was stored")
    corrected: int = Field(description="Other values than before: both are kept, the newer ones count")
    unknown: list[UUID] = Field(description="Ids of no prediction in the log")
    mismatched: list[Mismatch] = Field(description="Entries with another number of rows than the prediction")
