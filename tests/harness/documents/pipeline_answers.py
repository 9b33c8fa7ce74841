"""What model-serve must answer to the curl commands of "Multi-Container Data Pipeline Project"."""

from __future__ import annotations

from tests.harness.documents.outcomes import answer
from tests.harness.stack.compose import Stack


def healthy(_stack: Stack, output: str) -> None:
    """Health check with database and model status."""
    report = answer(output)

    assert report["status"] == "healthy"
    assert report["database"] == "connected"
    assert report["model"] == "loaded"


def information(_stack: Stack, output: str) -> None:
    """API information and model status."""
    found = answer(output)

    assert {"GET /", "GET /health", "POST /predict", "GET /data/sample"} <= set(found["endpoints"])
    assert found["model"]["loaded"] is True
    assert abs(found["model"]["coefficients"]["x"] - 2) < 0.05
    assert abs(found["model"]["coefficients"]["intercept"] - 1) < 0.5


def sample(_stack: Stack, output: str) -> None:
    """Rows of y = 2x + 1 + noise, x from 0 to 20."""
    rows = answer(output)["data"]

    assert len(rows) == 10
    assert all(0 <= row["x"] <= 20 and abs(row["y"] - 2 * row["x"] - 1) < 5 * 0.5 for row in rows)


def eleven(_stack: Stack, output: str) -> None:
    """The document's expected output, to the letter."""
    assert '{"predictions": [[11.0]], ' in output
