"""No path leads out of what a server serves."""

from __future__ import annotations

import re

import pytest

from tests.harness.attacks.exchanges import HOST, ask
from tests.harness.stack.compose import Stack

pytestmark = pytest.mark.usefixtures("aftermath")

_UP = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "....//", "%252e%252e%252f", "..%c0%af", "..;/")
_TARGETS = ("etc/passwd", "proc/self/environ", "app/api/main.py")
_BELOW = ("/", "/docs/", "/static-offline-docs/", "/data/", "/v2/models/", "/versions/1/", "/jobs/")


def test_the_documentation_serves_files(stack: Stack) -> None:
    """So there is a way that a path could lead astray, and it is among those below."""
    links = re.findall(r'(?:src|href)="(/[^"]+/)[^"/]+"', stack.api.get("/docs").text)

    assert links
    assert set(links) <= set(_BELOW)


@pytest.mark.parametrize("up", _UP)
def test_no_file_is_served_from_outside(port: int, up: str) -> None:
    paths = [f"{below}{up * depth}{target}" for below in _BELOW for depth in (1, 6) for target in _TARGETS]

    answers = [ask(port, b"GET " + path.encode() + b" HTTP/1.1\r\n" + HOST + b"\r\n") for path in paths]

    assert {answer.status for answer in answers} <= {400, 404, 405, 422}
    assert not [answer for answer in answers if b"root:" in answer.content or b"import " in answer.content]
