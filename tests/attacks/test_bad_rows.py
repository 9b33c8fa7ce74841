"""The table of bad rows through the front door, on both ports: refused by the column, never 5xx."""

from __future__ import annotations

import httpx
import pytest

from tests.harness.attacks.exchanges import assert_problem
from tests.harness.bad_inputs import BadInput
from tests.harness.bad_rows import BAD_ROWS
from tests.harness.mixed_models import HOUSE_ROW
from tests.harness.stack.compose import Stack

pytestmark = pytest.mark.usefixtures("aftermath")


@pytest.fixture(params=["api", "serve"])
def client(request: pytest.FixtureRequest, stack: Stack) -> httpx.Client:
    """A client of each server in turn."""
    found: httpx.Client = getattr(stack, str(request.param))
    return found


def ask(client: httpx.Client, version: int, body: bytes) -> httpx.Response:
    """Send a body to the version."""
    content = b'{"model_version": %d, %b' % (version, body.removeprefix(b"{"))
    return client.post("/predict", content=content, headers={"content-type": "application/json"})


@pytest.mark.parametrize("bad", BAD_ROWS, ids=lambda bad: bad.name)
def test_a_bad_row_is_refused_by_its_column(client: httpx.Client, version: int, bad: BadInput) -> None:
    answer = ask(client, version, bad.body)

    assert bad.expects in assert_problem(answer, bad.status).lower()


COSTLY = {  # what a parser may take long, or much memory, for
    "90,000 names in a row": b'{"instances": [{' + b",".join(b'"%x":1' % n for n in range(90_000)) + b"}]}",
    "10,000 names with one hash each": b'{"instances": [{'
    + b",".join(b'"%d": 0' % (n * (2**61 - 1)) for n in range(10_000))
    + b"}]}",
    "125,000 rows of one name": b'{"instances": [' + b'{"a":1},' * 125_000 + b"{}]}",
    "a million quotes": b'{"instances": ["' + b'\\"' * 500_000 + b'"]}',
    "brackets in a text that does not end": b'{"instances": ["' + b"[{" * 500_000,
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_body_is_answered_at_once(client: httpx.Client, version: int, name: str) -> None:
    answer = ask(client, version, COSTLY[name])

    assert answer.status_code in {400, 422}
    assert answer.elapsed.total_seconds() < 5


def test_a_good_row_is_answered(client: httpx.Client, version: int) -> None:
    """The images hold what a model of mixed columns needs."""
    answer = client.post("/predict", json={"instances": [HOUSE_ROW], "model_version": version})

    assert answer.status_code == 200, answer.text
    assert answer.json()["unseen"] == [[]]
