"""A server that cannot start says why in one line, which `up` shows, and exits with 1."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.repository_root import ROOT

DATABASE = {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}
REDIS = {"REDIS_URL": "redis://127.0.0.1:1/0"}
BROKER = {"AMQP_URL": "amqp://jobs:b@127.0.0.1:1/"}
SERVERS = {
    "api": (["-m", "api"], DATABASE | REDIS),
    "model-serve": (["90-serve_model.py"], DATABASE),
    "worker": (["-m", "api.worker"], DATABASE | BROKER),
    "model-monitor": (
        ["95-monitor_model.py"],
        DATABASE | {"TRAINING_DATABASE_URL": DATABASE["DATABASE_URL"]},
    ),
}
FILES = {"short": b"short", "empty": b"", "malformed": b"postgresql://a:b@c:port/d", "binary": b"\xff\xfe"}
MISTAKES = [
    ("api", {"API_KEYS_FILE": "short"}, "at least 16 characters"),
    ("api", {"API_KEYS_FILE": "."}, "directory"),
    ("api", {"DATABASE_URL_FILE": "empty"}, "is empty"),
    ("api", {"DATABASE_URL_FILE": "malformed"}, "must look like postgresql://"),
    ("api", {"REDIS_URL": "redis://host:6379/zero"}, "must look like redis://"),
    ("api", {"REDIS_URL": "rediss://host/0?ssl_cert_reqs=none"}, "unknown parameter ssl_cert_reqs"),
    ("api", {"REDIS_URL": "rediss://host/0?ssl_ca_certs=/absent"}, "No such file"),
    ("api", {"AMQP_URL": "rabbitmq"}, "must look like amqp://"),
    ("api", {"MONITOR_URL": "javascript:alert(1)"}, "MONITOR_URL must look like"),
    ("api", {"GRAFANA_ADDRESS": "javascript:alert(1)"}, "GRAFANA_ADDRESS must look like"),
    ("api", {"JOBS_LEASE_SECONDS": "soon"}, "JOBS_LEASE_SECONDS must be a whole number"),
    ("model-serve", {"API_KEYS_FILE": "short"}, "at least 16 characters"),
    ("model-serve", {"API_KEYS_FILE": "absent"}, "No such file"),
    ("model-serve", {"DATABASE_URL_FILE": "binary"}, "UTF-8"),
    ("worker", {"DATABASE_URL_FILE": "absent"}, "No such file"),
    ("worker", {"AMQP_URL": ""}, "AMQP_URL is not set"),
    ("worker", {"AMQP_URL_PASSWORD_FILE": "empty"}, "is empty"),
    ("model-monitor", {"DATABASE_URL": "http://a/b"}, "must look like postgresql://"),
]


@pytest.mark.parametrize(("server", "settings", "reason"), MISTAKES)
def test_a_mistake_is_one_line(server: str, settings: dict[str, str], reason: str, tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    command, working = SERVERS[server]
    given = {
        name: str(tmp_path / value) if name.endswith("_FILE") else value for name, value in settings.items()
    }
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | working | given

    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    (line,) = [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]
    assert line["level"] == "error"
    assert reason in line["event"]
