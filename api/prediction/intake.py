"""Turns requests into questions to the model: the same code for every protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from api.http_server.asgi import Receive, read_body
from api.http_server.memory import Share
from api.prediction.identifiers import Headers
from mlstack.inference.encoding import Cell
from mlstack.inference.loaded_model import LoadedModel
from mlstack.runtime.arrays import FloatArray
from mlstack.web.bodies import check_json, has_slow_numbers
from mlstack.web.callers import Callers
from mlstack.web.classes import check_answer_size
from mlstack.web.instances import check_rows
from mlstack.web.requests import decode_rows
from mlstack.web.rows import Rows, encode, read_rows
from mlstack.web.served_models import ServedModels

T = TypeVar("T")


class Question(NamedTuple):
    """The content of a body: the rows, the model that answers, and the version the client requested."""

    model: LoadedModel
    rows: Rows
    asked_version: int | None


class Intake:
    """Reads, checks and identifies requests; limits are per request."""

    def __init__(self, models: ServedModels, callers: Callers, max_rows: int, max_body_bytes: int) -> None:
        """`models` selects the model that answers, for one of the `callers`."""
        self._models = models
        self.callers = callers
        self.max_rows = max_rows
        self._max_body_bytes = max_body_bytes

    async def body(self, headers: Headers, receive: Receive, share: Share) -> bytes:
        """Return the whole body, decompressed; raise what read_body raises."""
        return await read_body(receive, self._max_body_bytes, share, headers.get(b"content-encoding", b""))

    async def question(
        self, headers: Headers, receive: Receive, share: Share, *, later: bool = False
    ) -> Question:
        """Read the JSON body of POST /predict and POST /jobs; raise a Problem that says what is wrong.

        What is answered `later` is for the version that is current then: no canary answers it.
        """
        body = await self.body(headers, receive, share)
        check_json(headers.get(b"content-type", b"").decode("latin-1"))
        asked = await parse(partial(decode_rows, max_rows=self.max_rows), body)
        model = await self.model(asked.model_version, None if later else headers)
        rows = read_rows(asked, model, self.max_rows)
        share.resize(cost(rows, model))
        return Question(model, rows, asked.model_version)

    async def model(self, version: int | None, headers: Headers | None) -> LoadedModel:
        """Return the model that answers this caller, or `version`; an older one is loaded in a thread.

        Without `headers` it is the current one.
        """
        if version is None:
            if headers is None or self._models.challengers.canary is None:
                return self._models.select(None)
            return self._models.select(None, self.callers.of(headers))
        return await asyncio.to_thread(self._models.select, version)

    def rows(self, values: FloatArray, model: LoadedModel, share: Share) -> FloatArray:
        """Return checked rows of numbers that a protocol has read; raise InvalidInput or Unavailable."""
        rows = check_rows(values, model.n_features, self.max_rows)
        check_answer_size(model, len(rows), self.max_rows)
        share.resize(cost(Rows(rows), model))
        return rows

    def cells(self, rows: Sequence[Sequence[Cell]], model: LoadedModel, share: Share) -> Rows:
        """Return encoded rows of values that a protocol has read; raise InvalidInput or Unavailable."""
        encoded = encode(rows, model, self.max_rows)
        share.resize(cost(encoded, model))
        return encoded


async def parse(decode: Callable[[bytes], T], body: bytes) -> T:
    """Return the decoded body; one of slow numbers is decoded in a thread, which yields to the event loop."""
    return await asyncio.to_thread(decode, body) if has_slow_numbers(body) else decode(body)


def cost(rows: Rows, model: LoadedModel) -> int:
    """Return the most bytes that rows and their answer hold, in all the forms that they take.

    The rows are held as an array, as bytes, and as JSON for the log; a row's answer as members, as the body
    of the response, as a row of the log and as an entry of the cache.
    """
    answers = len(rows.encoded) * model.answer_bytes
    return (rows.encoded.nbytes + answers + len(rows.sent or "")) * 5
