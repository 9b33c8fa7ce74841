"""`docker-compose -f docker-compose.yaml -f docker-compose.….yaml up`, and the logging driver."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.harness.documents.passwords import back_to_the_default
from tests.harness.production.external_stores import external_postgres
from tests.harness.production.secret_files import KEYS, write_secrets
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack
from tests.harness.stack.waiting import wait_until

_OVERLAY = yaml.safe_load(re.sub(r"!\w+", "", (ROOT / "docker-compose.monitoring.yaml").read_text()))
GRAFANA = str(_OVERLAY["services"]["grafana"]["image"])


@contextmanager
def external_database(stack: Stack) -> Iterator[dict[str, str]]:
    """Run a database server outside the stack, and write the secrets' files."""
    with tempfile.TemporaryDirectory() as folder, external_postgres(f"{stack.project}-external") as address:
        Path(folder).chmod(0o755)
        write_secrets(Path(folder), address)
        yield {"SECRETS_DIR": folder, "TLS_DIR": f"{folder}/tls"}


def production(stack: Stack, _output: str) -> None:
    """Both servers answer requests with a key."""
    with_key = {"X-API-Key": KEYS[0]}

    assert stack.serve.post("/predict", json={"values": [5]}).status_code == 401
    answer = stack.serve.post("/predict", json={"values": [5]}, headers=with_key)
    assert answer.json()["predictions"] == [[11.0]]
    answer = stack.api.post("/predict", json={"features": [1, 2, 3]}, headers=with_key)
    assert len(answer.json()["predictions"]) == 3


def logs_are_json_files(stack: Stack, output: str) -> None:
    """Every container logs by the driver that was asked for; and the password is .env's again."""
    back_to_the_default(stack, output)
    drivers = {each.service: each.inspected["HostConfig"]["LogConfig"]["Type"] for each in stack.containers()}
    assert set(drivers.values()) == {"json-file"}, drivers


def monitoring(stack: Stack, _output: str) -> None:
    """Prometheus scrapes the exporters, too, and has alerting rules."""

    def answering() -> set[str]:
        return {series["metric"]["job"] for series in stack.query("up == 1")}

    exporters = {"redis", "nginx", "postgres"}
    wait_until(lambda: len(answering()) >= 3 + len(exporters), 60, f"targets besides {answering()}")
    groups = stack.prometheus.get("/api/v1/rules").json()["data"]["groups"]
    assert any(rule["type"] == "alerting" for group in groups for rule in group["rules"])
