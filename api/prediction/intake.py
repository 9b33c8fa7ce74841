"""Turns requests into questions to the model: the same code for every protocol."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from api.http_server.asgi import Receive, read_body
from api.http_server.memory import Share
from api.prediction.identifiers import Headers
from mlstack.registry.loaded_model import LoadedModel
from mlstack.runtime.arrays import FloatArray
from mlstack.web.bodies import check_json
from mlstack.web.instances import check_rows, decode_request, to_rows
from mlstack.web.served_models import ServedModels

_ANSWER_BYTES = 108  # of a row: four numbers of at most 24 characters, with brackets and commas


class Question(NamedTuple):
    """The content of a body: rows [n, k], the model that answers, and the version the client requested."""

    model: LoadedModel
    rows: FloatArray
    asked_version: int | None


class Intake:
    """Reads, checks and identifies requests; limits are per request."""

    def __init__(self, models: ServedModels, max_rows: int, max_body_bytes: int) -> None:
        """`models` selects the model that answers."""
        self._models = models
        self.max_rows = max_rows
        self._max_body_bytes = max_body_bytes

    async def body(self, receive: Receive, share: Share) -> bytes:
        """Return the whole body; raise TooLarge or Unavailable."""
        return await read_body(receive, self._max_body_bytes, share)

    async def question(self, headers: Headers, receive: Receive, share: Share) -> Question:
        """Read the JSON body of POST /predict and POST /jobs; raise a Problem that says what is wrong."""
        body = await self.body(receive, share)
        check_json(headers.get(b"content-type", b"").decode("latin-1"))
        request = decode_request(body, self.max_rows)
        model = await self.model(request.model_version)
        rows = to_rows(request.rows(), model.n_features, self.max_rows)
        share.resize(cost(rows))
        return Question(model, rows, request.model_version)

    async def model(self, version: int | None) -> LoadedModel:
        """Return the current model, or `version`; an older one is loaded in a thread."""
        if version is None:
            return self._models.select(None)
        return await asyncio.to_thread(self._models.select, version)

    def rows(self, values: FloatArray, model: LoadedModel, share: Share) -> FloatArray:
        """Return checked rows of a protocol that has read its own; raise InvalidInput or Unavailable."""
        rows = check_rows(values, model.n_features, self.max_rows)
        share.resize(cost(rows))
        return rows


def cost(rows: FloatArray) -> int:
    """Return the most bytes that rows [n, k] and their answer hold, in all the forms that they take.

    The rows are held as an array, as bytes, and as JSON for the log; a row's answer as members, as the body
    of the response, as a row of the log and as an entry of the cache.
    """
    return rows.nbytes * 5 + len(rows) * _ANSWER_BYTES * 5
