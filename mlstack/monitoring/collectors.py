"""Which of them a monitor has, by its settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from mlstack.monitoring.certificate import CertificateCollector
from mlstack.monitoring.volumes import VolumeCollector, find_volumes
from mlstack.runtime.settings import SettingsError, env


class ReportCollector(Collector):
    """Tells dashboards where a browser finds the reports."""

    def __init__(self, address: str) -> None:
        """`address` is a URL without a path."""
        self._address = address

    def collect(self) -> Iterator[Metric]:
        """Yield drift_report_info."""
        about = "Where a browser finds the drift report"
        yield InfoMetricFamily("drift_report", about, value={"address": self._address})


def read_collectors(model_dir: Path) -> tuple[Collector, ...]:
    """Read REPORTS_ADDRESS, TLS_ADDRESS and VOLUMES_DIR; raise SettingsError for what is no address."""
    reports = env("REPORTS_ADDRESS", "http://localhost:9095").rstrip("/")
    if not reports.startswith(("http://", "https://")):
        raise SettingsError(f"REPORTS_ADDRESS must look like http://localhost:9095, not {reports!r}")
    tls = env("TLS_ADDRESS", "")
    if tls and not (tls.rpartition(":")[0] and tls.rpartition(":")[2].isdecimal()):
        raise SettingsError(f"TLS_ADDRESS must look like nginx:8443, not {tls!r}")
    volumes = find_volumes(model_dir, Path(env("VOLUMES_DIR", "/volumes")))
    return ReportCollector(reports), VolumeCollector(volumes), CertificateCollector(tls)
