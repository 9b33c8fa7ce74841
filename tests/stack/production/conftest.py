"""The production stack, once for all tests of this folder."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx
import pytest

from tests.harness.production.rotation import with_two_replicas
from tests.harness.production.secret_files import KEYS
from tests.harness.production.stack import Production, production_stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """The production stack."""
    with production_stack(tmp_path_factory.mktemp("secrets")) as running:
        yield running


@pytest.fixture(scope="package")
def client(stack: Production) -> Iterator[httpx.Client]:
    """A client over HTTPS that trusts the test's certificate and has a key."""
    address = f"https://localhost:{stack.port('API_TLS_PORT')}"
    trust = ssl.create_default_context(cafile=stack.secrets / "tls" / "tls.crt")
    with httpx.Client(base_url=address, verify=trust, headers={"X-API-Key": KEYS[0]}) as made:
        yield made


@pytest.fixture(scope="package")
def busy(stack: Production) -> Production:
    """Two replicas of both servers, a worker, the exporters and the drift monitor."""
    return with_two_replicas(stack)
