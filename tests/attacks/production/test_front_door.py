"""What production adds at the front door: TLS, metrics that stay inside, a rate for each address."""

from __future__ import annotations

import socket
import ssl
import warnings

import pytest

from tests.harness.attacks.exchanges import HOST, ask, assert_problem, prediction
from tests.harness.production.secret_files import KEYS

_KEY = f"X-API-Key: {KEYS[0]}\r\n".encode()
_METRICS = [
    *("/metrics", "//metrics", "/./metrics", "/x/../metrics", "/%6detrics", "/metrics?x=1", "/metrics/"),
    *("/metrics%0a", "/metrics%0d", "/metrics%00", "/metrics%20", "/metrics;x", "/metrics.", "/METRICS"),
    *(
        "/%2fmetrics",
        "/metrics%2f",
        "/metrics%3f",
        "/metrics%23",
        "/v2/../metrics",
        "http://localhost/metrics",
    ),
]


def _get(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\n".encode() + HOST + _KEY + b"\r\n"


@pytest.mark.parametrize("path", _METRICS)
def test_no_spelling_of_the_path_shows_the_metrics(
    ports: tuple[int, int], trust: ssl.SSLContext, path: str
) -> None:
    plain, tls = ports

    answers = [ask(plain, _get(path)), ask(tls, _get(path), trust), ask(plain, _get(path, "POST"))]

    assert {answer.status for answer in answers} <= {400, 404, 429}
    assert not [answer for answer in answers if b"# HELP" in answer.content]


def test_hidden_metrics_are_a_problem_like_any_other(ports: tuple[int, int]) -> None:
    assert_problem(ask(ports[0], _get("/metrics")), 404)


def test_plain_http_on_a_tls_port_is_told_so(ports: tuple[int, int]) -> None:
    answer = ask(ports[1], _get("/livez"))

    assert "https://" in assert_problem(answer, 400)


@pytest.mark.parametrize("data", [b"TRACE / HTTP/1.1\r\n", b"GET / HTTP/2.0\r\n", b"GET\r\n"])
def test_problems_over_tls_keep_browsers_on_tls(
    ports: tuple[int, int], trust: ssl.SSLContext, data: bytes
) -> None:
    answer = ask(ports[1], data + HOST + b"\r\n", trust)

    assert_problem(answer, answer.status)
    assert answer.header("strict-transport-security") == "max-age=31536000"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_tls_below_1_2_is_refused(ports: tuple[int, int], version: ssl.TLSVersion) -> None:
    assert _handshake(ports[1], ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        _handshake(ports[1], version)


def _handshake(port: int, version: ssl.TLSVersion) -> str | None:
    """Return the version that was agreed on, with a client that speaks this one only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain) as made,
    ):
        return made.version()


@pytest.mark.parametrize("path", ["/nothing", "/health%20", "/health;x", "/HEALTHY", "/predict"])
def test_no_header_and_no_path_escapes_the_rate_limit(ports: tuple[int, int], path: str) -> None:
    forged = "".join(f"{name}: 10.0.0.%d\r\n" for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded"))
    head = f"GET {path} HTTP/1.1\r\n".encode() + HOST + _KEY

    statuses = [ask(ports[0], head + (forged % (i, i, i)).encode() + b"\r\n").status for i in range(60)]

    assert statuses.count(429) > 10


def test_a_probes_path_with_a_line_feed_reaches_no_server(ports: tuple[int, int]) -> None:
    """Such a path was free of the rate limit, as the probe's own is."""
    answer = ask(ports[0], _get("/health%0a"))

    assert "printable" in assert_problem(answer, 400)


def test_probes_are_not_limited(ports: tuple[int, int]) -> None:
    assert {ask(ports[0], _get("/livez")).status for _ in range(60)} == {200}


def test_a_key_is_asked_for_whatever_the_path_looks_like(ports: tuple[int, int]) -> None:
    request = prediction().replace(b"/predict", b"/predict/../predict")

    answer = ask(ports[0], request)

    assert answer.status in {401, 404, 429}
