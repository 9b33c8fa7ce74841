"""Checks the API key of every request, if keys are configured."""

from __future__ import annotations

from flask import Flask, request

from mlstack.web.api_keys import HEADER, ApiKeys


def require_key(app: Flask, keys: ApiKeys) -> None:
    """Check the key before every route of `app`."""

    @app.before_request
    def check() -> None:
        key = request.headers.get(HEADER)
        keys.check(request.path, key.encode() if key else None)
