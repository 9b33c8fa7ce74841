"""What docs/operations.md lists: the files of secrets, and a certificate for localhost."""

from __future__ import annotations

from pathlib import Path

from tests.harness.production.certificates import write_certificate
from tests.harness.production.external_stores import PASSWORD

KEYS = ("first-key-0123456789", "second-key-0123456789")
OWN_PASSWORDS = {
    "redis_password": "redis-0123456789",
    "redis_api_password": "redis-api-0123456789",
    "redis_exporter_password": "redis-exporter-0123456789",
    "rabbitmq_password": "rabbitmq-0123456789",
    "grafana_password": "grafana-0123456789",
    "sealing_key": "sealing-0123456789",
}


def write_secrets(folder: Path, address: str) -> None:
    """Write all of them for the databases at `address`, which has no TLS."""
    secrets = OWN_PASSWORDS | {
        "pipeline_database_url": f"postgresql://pipeline:{PASSWORD}@{address}/dsproject",
        "reader_database_url": f"postgresql://reader:{PASSWORD}@{address}/dsproject",
        "inference_database_url": f"postgresql://inference:{PASSWORD}@{address}/predictions",
        "drift_database_url": f"postgresql://drift:{PASSWORD}@{address}/predictions",
        "monitor_password": PASSWORD,
        "database_exporter_uri": f"{address}/dsproject?sslmode=disable",
        "postgres_exporter_uri": f"{address}/predictions?sslmode=disable",
        "api_keys": "\n".join(KEYS),
    }
    for name, content in secrets.items():
        file = secret_file(folder, name)
        file.parent.mkdir()
        file.write_text(content + "\n")
        file.chmod(0o644)
    (folder / "tls").mkdir()
    write_certificate(folder / "tls")


def secret_file(folder: Path, name: str) -> Path:
    """Return the file of a secret: a folder each."""
    return folder / name / "value"
