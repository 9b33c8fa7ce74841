"""scripts/operate/rolling-update.sh, told by nothing but the running containers that this is production."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from tests.harness.production.secret_files import KEYS
from tests.harness.production.stack import Production
from tests.harness.stack.containers import find
from tests.harness.stack.kept_load import Load
from tests.harness.stack.scripts import operate, succeed

_SERVERS: dict[str, tuple[str, dict[str, Any]]] = {
    "api": ("API_TLS_PORT", {"features": [1.0, 2.0, 3.0]}),
    "model-serve": ("SERVE_TLS_PORT", {"values": [5]}),
}
_PAUSE = 0.2  # seconds: this stack lets 20 requests a second pass


@pytest.mark.parametrize("service", _SERVERS)
def test_no_request_fails_and_none_is_answered_without_a_key(stack: Production, service: str) -> None:
    port, body = _SERVERS[service]
    url = f"https://localhost:{stack.port(port)}/predict"
    trust = ssl.create_default_context(cafile=stack.secrets / "tls" / "tls.crt")
    before = {each.id for each in find(stack.project, service)}
    with_key = Load(url, body, clients=1, headers={"X-API-Key": KEYS[0]}, trust=trust, pause=_PAUSE)
    without_key = Load(url, body, clients=1, trust=trust, pause=_PAUSE)

    with with_key, without_key:
        succeed(operate("rolling-update.sh", service, environment=stack.environment))
        with_key.wait_for(10)
        without_key.wait_for(10)

    with_key.assert_all_answered()
    assert not without_key.failures
    assert set(without_key.statuses) == {401}
    after = {each.id for each in find(stack.project, service)}
    assert len(after) == len(before)
    assert not after & before


@pytest.mark.parametrize("service", _SERVERS)
def test_the_next_up_recreates_nothing(stack: Production, service: str) -> None:
    before = {each.id for each in find(stack.project, service)}

    stack.compose("up", "--detach", "--no-deps", service)

    assert {each.id for each in find(stack.project, service)} == before
