"""The table of bad bodies through the front door, on both ports: the status each deserves, and never 5xx."""

from __future__ import annotations

import httpx
import pytest

from tests.harness.attacks.exchanges import assert_problem
from tests.harness.bad_inputs import BAD_INPUTS, BadInput
from tests.harness.stack.compose import Stack

pytestmark = pytest.mark.usefixtures("aftermath")

JSON = {"content-type": "application/json"}


@pytest.fixture(params=["api", "serve"])
def client(request: pytest.FixtureRequest, stack: Stack) -> httpx.Client:
    """A client of each server in turn."""
    found: httpx.Client = getattr(stack, str(request.param))
    return found


@pytest.mark.parametrize("bad", BAD_INPUTS, ids=lambda bad: bad.name)
def test_a_bad_body_gets_the_status_it_deserves(client: httpx.Client, bad: BadInput) -> None:
    headers = {} if bad.content_type is None else {"content-type": bad.content_type}

    answer = client.post("/predict", content=bad.body, headers=headers)

    assert bad.expects in assert_problem(answer, bad.status).lower()


@pytest.mark.parametrize("size", [1_048_577, 10_000_000])
def test_a_body_in_chunks_over_the_limit_is_refused(client: httpx.Client, size: int) -> None:
    chunks = (b" " * 65_536 for _ in range(size // 65_536 + 1))

    answer = client.post("/predict", content=chunks, headers=JSON)

    assert "1048576" in assert_problem(answer, 413)


def test_a_body_in_chunks_is_answered(client: httpx.Client) -> None:
    answer = client.post("/predict", content=iter([b'{"val', b'ues": [1', b"0]}"]), headers=JSON)

    assert answer.status_code == 200


COSTLY = {  # what a parser may take long, or much memory, for
    "10,000 keys with one hash each": b"{"
    + b",".join(b'"%d": 0' % (i * (2**61 - 1)) for i in range(10_000))
    + b"}",
    "300,000 open brackets in values": b'{"values": [' + b"[" * 300_000,
    "a number of 4,000 digits": b'{"values": [' + b"9" * 4_000 + b"]}",
    "an exponent of a million digits": b'{"values": [1e' + b"9" * 1_000_000 + b"]}",
    "174,000 numbers that a parser is slow at": b'{"values": [' + b"1e308," * 174_000 + b"1]}",
    "as many of them in one row": b'{"values": [[' + b"1e-310," * 149_000 + b"1]]}",
    "10,000 rows of 50 numbers and one of 49": b'{"values": ['
    + (b"[" + b",".join([b"1"] * 50) + b"],") * 9_999
    + b"["
    + b",".join([b"1"] * 49)
    + b"]]}",
    "a string of a million escapes": b'{"values": ["' + b"\\u0041" * 170_000 + b'"]}',
    "half a million empty lists": b'{"values": [' + b"[]," * 300_000 + b"[]]}",
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_body_is_answered_at_once(client: httpx.Client, name: str) -> None:
    answer = client.post("/predict", content=COSTLY[name], headers=JSON)

    assert_problem(answer, 422)


def test_a_whole_number_of_a_million_digits_is_refused(client: httpx.Client) -> None:
    """It is JSON, but beyond the largest float64. It never becomes an int: that takes quadratic time."""
    body = b'{"values": [' + b"9" * 1_000_000 + b"]}"

    assert_problem(client.post("/predict", content=body, headers=JSON), 422)


def test_a_fraction_of_a_million_digits_is_a_number(client: httpx.Client) -> None:
    body = b'{"values": [0.' + b"9" * 1_000_000 + b"]}"

    assert client.post("/predict", content=body, headers=JSON).status_code == 200


@pytest.mark.parametrize("path", ["/", "/health", "/livez", "/readyz", "/metrics"])
def test_head_is_answered_as_get_is_without_the_body(client: httpx.Client, path: str) -> None:
    head, get = client.head(path), client.get(path)

    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers.get("content-type") == get.headers.get("content-type")


def test_head_is_refused_where_get_is(client: httpx.Client) -> None:
    assert client.head("/predict").status_code == 405
