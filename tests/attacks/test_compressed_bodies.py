"""Compressed bodies at the front door: nginx passes them on as they are, and counts them as they come."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.harness.attacks.aftermath import Aftermath
from tests.harness.attacks.exchanges import assert_problem
from tests.harness.stack.compose import Stack, settings

pytestmark = pytest.mark.usefixtures("aftermath")

MOST = int(settings()["MAX_BODY_BYTES"])
ROWS = {"instances": [[1.0], [2.0], [3.0]]}
TENSOR = {"inputs": [{"name": "input", "shape": [3, 1], "datatype": "FP64", "data": [1, 2, 3]}]}
ROUTES: dict[str, Any] = {
    "/predict": ROWS,
    "/v1/models/model:predict": ROWS,
    "/v2/models/model/infer": TENSOR,
    "/invocations": ROWS,
}
CODINGS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
BOMB = gzip.compress(b" " * (900 * MOST))


def post(stack: Stack, path: str, body: bytes, coding: str) -> httpx.Response:
    headers = {"content-type": "application/json", "content-encoding": coding}
    return stack.api.post(path, content=body, headers=headers)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("coding", CODINGS)
def test_every_protocol_is_reached_compressed(stack: Stack, path: str, coding: str) -> None:
    answer = post(stack, path, CODINGS[coding](json.dumps(ROUTES[path]).encode()), coding)

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("coding", CODINGS)
def test_a_long_answer_arrives_as_the_client_accepts_it(stack: Stack, coding: str) -> None:
    body = json.dumps({"instances": [[number] for number in range(5000)]}).encode()
    headers = {"content-type": "application/json", "accept-encoding": coding}

    answer = stack.api.post("/predict", content=body, headers=headers)

    assert answer.headers["content-encoding"] == coding
    assert len(answer.json()["predictions"]) == 5000


@pytest.mark.parametrize("path", ROUTES)
def test_a_bomb_harms_nothing(stack: Stack, aftermath: Aftermath, path: str) -> None:
    """0.9 MB that would become 900 MB, twenty times."""
    answers = [post(stack, path, BOMB, "gzip") for _ in range(20)]

    aftermath.keep(*answers)
    assert {answer.status_code for answer in answers} == {413}


@pytest.mark.parametrize("path", ROUTES)
def test_nginx_refuses_what_is_too_long_compressed(stack: Stack, path: str) -> None:
    answer = post(stack, path, b"\0" * (MOST + 1), "gzip")

    assert "1048576" in assert_problem(answer, 413)
