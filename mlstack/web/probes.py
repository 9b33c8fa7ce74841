"""The bodies of liveness and readiness probes, the same on both servers."""

from __future__ import annotations

LIVE: dict[str, bool] = {"live": True}


def ready(model_version: int) -> dict[str, bool | int]:
    """Return the body of /readyz while the server accepts predictions."""
    return {"ready": True, "model_version": model_version}
