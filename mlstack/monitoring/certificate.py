"""Until when the certificate is valid that the front door shows, asked for as any client does."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_TIMEOUT_SECONDS = 2.0
_FRESH_SECONDS = 60.0  # a handshake a minute, however often it is scraped
_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18


class CertificateCollector(Collector):
    """Connects to `address`, host:port; without an address, or where nobody speaks TLS, it tells nothing."""

    def __init__(self, address: str) -> None:
        """Open nothing yet."""
        self._host, _, self._port = address.rpartition(":")
        self._not_after: float | None = None
        self._asked = float("-inf")

    def collect(self) -> Iterator[Metric]:
        """Yield the end of the certificate's validity, in seconds since the epoch."""
        if self._host and time.monotonic() - self._asked > _FRESH_SECONDS:
            self._asked = time.monotonic()
            try:
                self._not_after = not_after(shown_certificate(self._host, int(self._port)))
            except (OSError, ValueError):
                self._not_after = None
        if self._not_after is not None:
            yield GaugeMetricFamily(
                "certificate_not_after_timestamp_seconds",
                "Until when the certificate is valid that nginx shows",
                value=self._not_after,
            )


def shown_certificate(host: str, port: int) -> bytes:
    """Return the server's certificate (DER), valid or not; raise OSError if there is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is looked at, not trusted
    with (
        socket.create_connection((host, port), _TIMEOUT_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=host) as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""


def not_after(certificate: bytes) -> float:
    """Return the end of a certificate's validity, in seconds since the epoch (RFC 5280, section 4.1).

    Python's ssl tells it of a certificate that it trusts only. Raise ValueError for what is no certificate.
    """
    signed = _content(certificate, _SEQUENCE)
    rest = _content(signed, _SEQUENCE)
    if rest[:1] == bytes([_VERSION]):
        rest = _after(rest)
    for _ in ("serial number", "signature", "issuer"):
        rest = _after(rest)
    validity = _content(rest, _SEQUENCE)
    return _seconds(_after(validity))


def _seconds(element: bytes) -> float:
    kind, text = element[:1], _content(element, *element[:1]).decode("ascii")
    if kind == bytes([_UTC_TIME]):  # two digits of the year: from 1950 to 2049
        text = ("19" if text[:2] >= "50" else "20") + text
    elif kind != bytes([_GENERALIZED_TIME]):
        raise ValueError("a certificate's validity has no such kind of time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _content(data: bytes, *kind: int) -> bytes:
    """Return what the element at the beginning holds; raise ValueError if it is of another kind."""
    start, end = _bounds(data)
    if (data[0],) != kind:
        raise ValueError("not a certificate")
    return data[start:end]


def _after(data: bytes) -> bytes:
    """Return what follows the element at the beginning."""
    return data[_bounds(data)[1] :]


def _bounds(data: bytes) -> tuple[int, int]:
    """Return where the content of the element at the beginning starts and ends (X.690, section 8.1.3)."""
    start, length = 2, int.from_bytes(data[1:2])
    if length >= 0x80:
        start += length - 0x80
        length = int.from_bytes(data[2:start])
    if len(data) < max(2, start + length):
        raise ValueError("a certificate that ends too soon")
    return start, start + length
