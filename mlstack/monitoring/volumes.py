"""How much room the volumes have. Asking a file system needs no right to read what is in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


def find_volumes(model_dir: Path, others: Path) -> dict[str, Path]:
    """Return the volumes by name: that of the models, and each folder in `others`, if there is one."""
    found = {path.name: path for path in sorted(others.iterdir())} if others.is_dir() else {}
    return {"models": model_dir, **found}


class VolumeCollector(Collector):
    """Asks the file system of each volume at each scrape; the label `volume` is its name."""

    def __init__(self, volumes: Mapping[str, Path]) -> None:
        """Volumes on one file system have the same values."""
        self._volumes = volumes

    def collect(self) -> Iterator[Metric]:
        """Yield size and free space in bytes; nothing for a volume that is not mounted."""
        size = GaugeMetricFamily("volume_size_bytes", "Size of the volume's file system", labels=["volume"])
        free = GaugeMetricFamily(
            "volume_free_bytes", "Bytes that others than root can still write there", labels=["volume"]
        )
        for name, path in self._volumes.items():
            try:
                found = os.statvfs(path)
            except OSError:
                continue
            size.add_metric([name], found.f_frsize * found.f_blocks)
            free.add_metric([name], found.f_frsize * found.f_bavail)
        yield from (size, free)
