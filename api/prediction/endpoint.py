"""POST /predict: a thin ASGI handler with a typed decode, dispatched ahead of FastAPI.

FastAPI's routing costs more than the rest of the answer (docs/decisions/0003-the-hot-path.md). openapi.py
adds the route to the OpenAPI document.
"""

from __future__ import annotations

import time

from api.http_server.asgi import ClientGone, Receive, Scope, Send, send_json, send_problem
from api.http_server.compression import encode_answer
from api.http_server.memory import MemoryBudget, Share
from api.http_server.metrics import CLIENT_GONE, http
from api.prediction.batcher import Batcher
from api.prediction.identifiers import Headers, Identity, identify
from api.prediction.intake import Intake
from mlstack.web.api_keys import ApiKeys
from mlstack.web.problems import Problem

PATH = "/predict"
_JSON = (b"content-type", b"application/json")


class PredictEndpoint:
    """The ASGI application of one path and method."""

    def __init__(self, intake: Intake, batcher: Batcher, keys: ApiKeys, memory: MemoryBudget) -> None:
        """Start the counters that dashboards and alerts use at zero."""
        self._intake = intake
        self._batcher = batcher
        self._keys = keys
        self._memory = memory
        self._observer = http.observer(
            PATH, "POST", 200, 422, 500, 503
        )  # rate() misses the first event of a counter without a zero

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a prediction or a problem, and count it."""
        started = time.perf_counter()
        headers = dict(scope["headers"])
        identity = identify(headers)
        http.in_flight += 1
        status = 500
        try:
            with self._memory.share() as share:
                body = await self._answer(headers, receive, identity, started, share)
                share.resize(2 * len(body))
                body, coding = await encode_answer(body, headers.get(b"accept-encoding", b""))
                added = [_JSON, (b"x-request-id", identity.request.encode()), *coding]
                await send_json(send, 200, body, added)
            status = 200
        except Problem as problem:
            status = problem.status
            await send_problem(send, problem, identity.request)
        except ClientGone:
            status = CLIENT_GONE
        finally:
            http.in_flight -= 1
            self._observer.observe(status, time.perf_counter() - started)

    async def _answer(
        self, headers: Headers, receive: Receive, identity: Identity, started: float, share: Share
    ) -> bytes:
        self._keys.check(PATH, headers.get(b"x-api-key"))
        model, (rows, sent, _), _ = await self._intake.question(headers, receive, share)
        content = rows.tobytes()
        del rows  # what waits is the content alone
        return await self._batcher.answer(identity, model, content, started, sent)
