"""The origin of a model: data, settings, libraries, time."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version

from mlstack.registry.manifest import Provenance
from mlstack.training.config import TrainingConfig, boosters, content_digest
from mlstack.training.splitting import Split


def provenance(
    config: TrainingConfig, data_digest: str, table_name: str, rows: int, split: Split = "shuffled"
) -> Provenance:
    """Return the origin of a model that was trained now."""
    return Provenance(
        content=content_digest(data_digest, config),
        data=data_digest,
        table=table_name,
        rows=rows,
        test_fraction=config.test_fraction,
        split=split,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        libraries={name: version(name) for name in ("scikit-learn", "numpy", "skops")} | boosters(config),
    )
