"""The production stack with one replica of each server, for the attacks that it is shipped against."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from tests.harness.production.stack import Production, production_stack

PORTS = {"api": ("API_PORT", "API_TLS_PORT"), "model-serve": ("SERVE_PORT", "SERVE_TLS_PORT")}


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """The production stack."""
    with production_stack(tmp_path_factory.mktemp("secrets")) as running:
        yield running


@pytest.fixture(scope="package")
def trust(stack: Production) -> ssl.SSLContext:
    """TLS that trusts the test's certificate."""
    return ssl.create_default_context(cafile=stack.secrets / "tls" / "tls.crt")


@pytest.fixture(params=PORTS)
def ports(request: pytest.FixtureRequest, stack: Production) -> tuple[int, int]:
    """The plain and the TLS port of a server: each in turn."""
    plain, tls = PORTS[str(request.param)]
    return stack.port(plain), stack.port(tls)
