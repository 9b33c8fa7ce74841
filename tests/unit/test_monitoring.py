"""Free space as the file systems say it, and the end of a certificate as openssl says it."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socket import create_server

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from mlstack.monitoring.certificate import CertificateCollector, not_after
from mlstack.monitoring.collectors import read_collectors
from mlstack.monitoring.volumes import VolumeCollector, find_volumes
from mlstack.runtime.settings import SettingsError
from tests.harness.production.certificates import write_certificate, write_expired_certificate

NOT_AFTER = "certificate_not_after_timestamp_seconds"


def sample(collector: Collector, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(collector)
    return registry.get_sample_value(name, labels)


def openssl_not_after(certificate: Path) -> float:
    """Return what openssl reads from a PEM file."""
    command = ["openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", str(certificate)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return datetime.strptime(shown, "notAfter=%Y-%m-%d %H:%M:%SZ").replace(tzinfo=UTC).timestamp()


def der(certificate: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(certificate.read_text())


def write_with_days(folder: Path, days: int, key: str) -> None:
    """Write a certificate that is good for so many days; from 2050 on its time has another form."""
    files = ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        key,
        "-nodes",
        "-days",
        str(days),
        "-subj",
        "/CN=localhost",
    ]
    curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1"] if key == "ec" else []
    subprocess.run([*command, *curve, *files], capture_output=True, check=True)


@pytest.mark.parametrize(("days", "key"), [(90, "rsa:2048"), (90, "ec"), (36_500, "ec")])
def test_the_end_of_a_certificate_is_the_one_that_openssl_reads(tmp_path: Path, days: int, key: str) -> None:
    write_with_days(tmp_path, days, key)

    assert not_after(der(tmp_path / "tls.crt")) == openssl_not_after(tmp_path / "tls.crt")


def test_what_is_no_certificate_is_refused(tmp_path: Path) -> None:
    """Cut short at any byte, or anything else."""
    write_certificate(tmp_path)
    whole = der(tmp_path / "tls.crt")

    for length in range(len(whole)):
        with pytest.raises(ValueError, match=r"certificate|time|ascii|data"):
            not_after(whole[:length])
    with pytest.raises(ValueError, match="not a certificate"):
        not_after(b"\x02\x01\x05")


@contextmanager
def speaking_tls(folder: Path) -> Iterator[str]:
    """Show the pair in a folder to whoever connects; give the address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    with create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection, context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)


def test_an_expired_certificate_is_told_as_well(tmp_path: Path) -> None:
    write_expired_certificate(tmp_path)

    with speaking_tls(tmp_path) as address:
        found = sample(CertificateCollector(address), NOT_AFTER)

    assert found == datetime(2020, 1, 2, tzinfo=UTC).timestamp()


def test_where_nobody_speaks_tls_there_is_no_certificate() -> None:
    with create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        assert sample(CertificateCollector(address), NOT_AFTER) is None  # in two seconds
    assert sample(CertificateCollector(address), NOT_AFTER) is None  # refused
    assert sample(CertificateCollector(""), NOT_AFTER) is None


def test_each_volume_has_the_room_of_its_file_system(tmp_path: Path) -> None:
    (tmp_path / "volumes" / "postgres").mkdir(parents=True)
    volumes = find_volumes(tmp_path / "models", tmp_path / "volumes")
    collector = VolumeCollector(volumes | {"shared": Path("/dev/shm")})  # noqa: S108 - another file system

    shown = subprocess.run(
        ["df", "--block-size=1", "--output=size,avail", "/dev/shm"],  # noqa: S108
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    free = sample(collector, "volume_free_bytes", volume="postgres")

    assert list(volumes) == ["models", "postgres"]
    assert sample(collector, "volume_size_bytes", volume="shared") == float(shown[-2])
    assert free is not None
    assert free > 0
    assert sample(collector, "volume_free_bytes", volume="models") is None  # not mounted


def test_without_other_volumes_there_is_the_models(tmp_path: Path) -> None:
    assert find_volumes(tmp_path, tmp_path / "nothing") == {"models": tmp_path}


@pytest.mark.parametrize(
    ("name", "value"), [("REPORTS_ADDRESS", "javascript:alert(1)"), ("TLS_ADDRESS", "nginx")]
)
def test_what_is_no_address_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=f"{name} must look like"):
        read_collectors(tmp_path)


def test_dashboards_learn_where_a_browser_finds_the_reports(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REPORTS_ADDRESS", "http://localhost:23995/")
    reports, *_ = read_collectors(tmp_path)

    assert sample(reports, "drift_report_info", address="http://localhost:23995") == 1
