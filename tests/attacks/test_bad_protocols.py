"""Bad bodies of every protocol through the front door: 400 in the protocol's form, never 5xx."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.harness.bad_inputs import BadInput
from tests.harness.bad_protocol_bodies import CSV, INVOCATIONS, V1
from tests.harness.bad_rows import BAD_ROWS
from tests.harness.bad_tensors import V2
from tests.harness.mixed_tensors import WRONG
from tests.harness.stack.compose import Stack

pytestmark = pytest.mark.usefixtures("aftermath")

JSON = "application/json"
PREDICT, INFER, INVOKE = "/v1/models/model:predict", "/v2/models/model/infer", "/invocations"
BAD = [
    *[pytest.param(PREDICT, JSON, body, id=f"KServe {name}") for name, body in V1.items()],
    *[pytest.param(INFER, JSON, body, id=f"V2 {name}") for name, body in V2.items()],
    *[pytest.param(INVOKE, JSON, body, id=f"MLflow {name}") for name, body in INVOCATIONS.items()],
    *[pytest.param(INVOKE, "text/csv", body, id=f"CSV {name}") for name, body in CSV.items()],
]


def error(answer: httpx.Response, *members: str) -> str:
    """Assert that an answer is an error with these members; return the last of them, its text."""
    assert (answer.status_code, answer.headers["content-type"]) == (400, JSON), answer.text
    found: dict[str, Any] = answer.json()
    assert set(found) == set(members)
    assert len(found[members[-1]]) < 1000
    return str(found[members[-1]])


@pytest.mark.parametrize(("path", "media_type", "body"), BAD)
def test_a_bad_body_is_told_what_was_expected(stack: Stack, path: str, media_type: str, body: bytes) -> None:
    members = ("error_code", "message") if path == INVOKE else ("error",)

    answer = stack.api.post(path, content=body, headers={"content-type": media_type})

    text = error(answer, *members)
    assert "expected" in text or "JSON" in text
    assert answer.elapsed.total_seconds() < 5


@pytest.mark.parametrize("bad", BAD_ROWS, ids=lambda bad: bad.name)
def test_a_bad_row_is_refused_by_its_column_in_kserves_v1(stack: Stack, version: int, bad: BadInput) -> None:
    content = b'{"model_version": %d, %b' % (version, bad.body.removeprefix(b"{"))

    answer = stack.api.post(PREDICT, content=content, headers={"content-type": JSON})

    assert bad.expects in error(answer, "error").lower()


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_tensor_is_refused_by_its_column(stack: Stack, version: int, name: str) -> None:
    inputs, expected = WRONG[name]

    answer = stack.api.post(f"/v2/models/model/versions/{version}/infer", json={"inputs": inputs})

    assert expected in error(answer, "error")
