"""A request that waits for its answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

import msgspec

from api.prediction.answer import Answer
from api.prediction.cache import cache_key
from api.prediction.identifiers import Identity
from mlstack.inference.loaded_model import LoadedModel
from mlstack.web.problems import Problem

_encode = msgspec.json.Encoder().encode


class Respondent(Protocol):
    """Receives the answer; does nothing if the client has disconnected."""

    def answer(self, body: str) -> None:
        """Send a prediction as JSON."""

    def refuse(self, problem: Problem) -> None:
        """Send a problem."""


class PendingPrediction:
    """A request's rows and the model it was accepted with. Rows are kept as bytes, because many may wait."""

    __slots__ = (
        "answer", "cached", "content", "due", "finished", "id", "key", "model", "n_rows", "request_id",
        "respondent", "sent", "started",
    )  # fmt: skip

    def __init__(
        self, identity: Identity, model: LoadedModel, content: bytes, started: float, respondent: Respondent
    ) -> None:
        """`content` is the rows' float64 values; `started` is time.perf_counter() at the arrival."""
        self.id, self.request_id = identity
        self.model = model
        self.content = content
        self.n_rows = n_rows = len(content) // (8 * model.n_features)
        self.key = cache_key(model.digest, n_rows, content)
        self.started = started
        self.respondent = respondent
        self.sent: str | None = None  # the rows as JSON, where that says more than their values
        self.answer: Answer | None = None
        self.cached = False
        self.due = 0.0  # when it must be decided whether it can be logged
        self.finished = False  # answered or refused

    def input_json(self) -> str:
        """Return the rows as JSON, a list for each."""
        if self.sent is not None:
            return self.sent
        shape = (self.n_rows, self.model.n_features)
        return _encode(memoryview(self.content).cast("d", shape).tolist()).decode()

    def body(self) -> str:
        """Return the body of the response."""
        assert self.answer is not None
        return (
            f'{{"id":"{self.id.text}",{self.answer.members},"model_version":{self.model.version},'
            f'"cached":{"true" if self.cached else "false"}}}'
        )


Batch = list[PendingPrediction]


@dataclass(slots=True)
class FutureRespondent:
    """Gives the answer to a waiting coroutine."""

    future: asyncio.Future[str]

    def answer(self, body: str) -> None:
        """Resume the coroutine with the body."""
        if not self.future.done():
            self.future.set_result(body)

    def refuse(self, problem: Problem) -> None:
        """Raise the problem in the coroutine."""
        if not self.future.done():
            self.future.set_exception(problem)
