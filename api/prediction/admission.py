"""Accepts simple prediction requests from the fast path of api/http_server/direct.py.

Only valid requests are accepted. All others are declined and go to the endpoint, which reports what is wrong:
so each error is produced in one place.
"""

from __future__ import annotations

import math
import time
from array import array
from collections.abc import Callable

import msgspec

from api.http_server.direct import DirectProtocol, Headers
from api.http_server.exchange import DirectExchange
from api.http_server.metrics import http
from api.prediction.batcher import Batcher
from api.prediction.endpoint import PATH
from api.prediction.identifiers import Headers as Fields
from api.prediction.identifiers import identify
from api.prediction.pending import PendingPrediction
from mlstack.inference.loaded_model import LoadedModel
from mlstack.web.api_keys import ApiKeys
from mlstack.web.instances import PredictRequest
from mlstack.web.problems import Problem
from mlstack.web.served_models import ServedModels

_MOST_NUMBERS = 64  # of a request; parsing more takes longer than the fast path saves
_MOST_BYTES = 8192  # of an answer: these are not counted as memory that requests hold
_REFUSED = (Problem, msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decode = msgspec.json.Decoder(PredictRequest).decode


class Admission:
    """The `direct` handler of POST /predict."""

    path = PATH.encode()
    max_body_bytes = 4096

    def __init__(
        self, models: ServedModels, batcher: Batcher, keys: ApiKeys, caller: Callable[[Fields], bytes]
    ) -> None:
        """Requests are answered by the current model, or the canary; `caller` tells who asks."""
        self._current = models.current
        self._challengers = models.challengers
        self._caller = caller
        self._batcher = batcher
        self._keys = keys
        self._observer = http.observer(PATH, "POST")

    def take(self, headers: Headers, body: bytes, protocol: DirectProtocol) -> DirectExchange | None:
        """Accept a request and return its exchange, which the response completes; or return None."""
        started = time.perf_counter()
        fields = dict(headers)
        model, canary = self._current.get(), self._challengers.canary
        if canary is not None and canary.takes(self._caller(fields)):
            model = canary.model
        if model is None or not model.plain or fields.get(b"content-type") != b"application/json":
            return None
        if b"content-encoding" in fields:
            return None
        try:
            self._keys.check(PATH, fields.get(b"x-api-key"))
            content = _content(_decode(body), model.n_features)
            if content is None or (model.classes and _long(content, model)):
                return None
            identity = identify(fields)
            exchange = DirectExchange(protocol, identity.request, self._observer, started)
            self._batcher.submit(PendingPrediction(identity, model, content, started, exchange))
        except _REFUSED:
            return None
        http.in_flight += 1
        return exchange


def _content(request: PredictRequest, n_features: int) -> bytes | None:
    """Return the float64 values of a short, flat, finite list of rows; None for anything else."""
    values = request.rows()
    if request.model_version is not None:
        return None
    if not 0 < len(values) <= _MOST_NUMBERS or (n_features > 1 and len(values) != n_features):
        return None
    try:
        numbers = array("d", [value + 0.0 for value in values])  # type: ignore[operator] # -0.0 becomes 0.0
    except (TypeError, OverflowError):  # a nested list, an integer beyond 1.8e308
        return None
    return numbers.tobytes() if math.isfinite(sum(numbers)) else None


def _long(content: bytes, model: LoadedModel) -> bool:
    """Return whether the answer may be long: a classifier's has a number for each class."""
    return len(content) // (8 * model.n_features) * model.answer_bytes > _MOST_BYTES
