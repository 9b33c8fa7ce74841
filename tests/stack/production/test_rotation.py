"""A changed secret counts within seconds: the old one is refused, the new one accepted, no request fails."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.production.certificates import write_certificate, write_expired_certificate
from tests.harness.production.rotation import (
    LASTING_KEY,
    SECONDS,
    await_line,
    replace_secret,
    statuses,
    under_load,
)
from tests.harness.production.secret_files import KEYS, secret_file
from tests.harness.production.stack import Production
from tests.harness.stack.waiting import wait_until

NEW = "changed-0123456789"


@pytest.fixture
def key_file(busy: Production) -> Iterator[Path]:
    """The file of API keys; afterwards it holds the usual ones, and they count."""
    file = secret_file(busy.secrets, "api_keys")
    yield file
    file.unlink(missing_ok=True)
    file.write_text("\n".join(KEYS))
    wait_until(lambda: statuses(busy, KEYS[0]) == {200}, SECONDS, "the usual keys")


@pytest.mark.parametrize("how", ["in place", "replaced"])
def test_an_api_key_is_replaced(busy: Production, key_file: Path, how: str) -> None:
    keys = f"{LASTING_KEY}\n{NEW}"

    with under_load(busy):
        if how == "in place":
            key_file.write_text(keys)
        else:
            replace_secret(busy, "api_keys", keys)

        wait_until(lambda: statuses(busy, KEYS[0]) == {401}, SECONDS, "the old key to be refused")
        assert statuses(busy, NEW) == {200}


@pytest.mark.parametrize("content", ["", "short", None], ids=["emptied", "too short", "deleted"])
def test_a_broken_key_file_does_not_open_the_service(
    busy: Production, key_file: Path, content: str | None
) -> None:
    """The earlier keys stay in use, and each replica says why in one line."""
    reason = {"": "holds no key", "short": "at least 16 characters", None: "No such file"}[content]

    with under_load(busy):
        if content is None:
            key_file.unlink()
        else:
            key_file.write_text(content)

        for service in ("api", "model-serve"):
            await_line(busy, service, reason, count=2)
        assert statuses(busy, "") == statuses(busy, "short") == {401}
        assert statuses(busy, KEYS[0]) == {200}


def shown_certificate(stack: Production) -> str:
    """Return the certificate that a new connection is shown."""
    return ssl.get_server_certificate(("localhost", stack.port("API_TLS_PORT"))).strip()


def test_a_certificate_is_replaced(busy: Production, tmp_path: Path) -> None:
    """Connections that are open stay open; new ones see the new certificate."""
    write_certificate(tmp_path)
    new = (tmp_path / "tls.crt").read_text().strip()

    with under_load(busy, tmp_path / "tls.crt"):
        for name in ("tls.crt", "tls.key"):
            (tmp_path / name).replace(busy.secrets / "tls" / name)

        wait_until(lambda: shown_certificate(busy) == new, SECONDS, "the new certificate")


def test_a_pair_that_does_not_match_is_not_taken(busy: Production, tmp_path: Path) -> None:
    write_certificate(tmp_path)
    tls = busy.secrets / "tls"
    key, shown = (tls / "tls.key").read_bytes(), shown_certificate(busy)

    with under_load(busy):
        (tls / "tls.key").write_bytes((tmp_path / "tls.key").read_bytes())

        await_line(busy, "nginx", "key values mismatch")
        assert shown_certificate(busy) == shown
    (tls / "tls.key").write_bytes(key)


def test_an_expired_certificate_is_one_line(busy: Production, tmp_path: Path) -> None:
    tls = busy.secrets / "tls"
    good = {name: (tls / name).read_bytes() for name in ("tls.crt", "tls.key")}
    write_expired_certificate(tmp_path)
    try:
        for name in good:
            (tls / name).write_bytes((tmp_path / name).read_bytes())

        await_line(busy, "nginx", "TLS: the certificate has expired")
    finally:
        for name, content in good.items():
            (tls / name).write_bytes(content)
        wait_until(
            lambda: shown_certificate(busy) == good["tls.crt"].decode().strip(), SECONDS, "the way back"
        )
