"""What scripts say to those who call them wrongly."""

from __future__ import annotations

import subprocess

import pytest

from tests.harness.repository_root import ROOT

_CALLS = [
    "operate/backup.sh --no-such-option",
    "operate/backup.sh one two",
    "operate/make-secrets.sh",
    "operate/make-secrets.sh just-one",
    "operate/refuse-demo-password.sh",
    "operate/restore.sh",
    "operate/restore.sh --no-such-option",
    "operate/rolling-update.sh",
    "operate/rolling-update.sh nginx",
    "operate/swarm-deploy.sh",
    "operate/swarm-models.sh",
    "bootstrap/base-images.sh",
    "bootstrap/engine.sh",
    "bootstrap/servers.sh",
]


@pytest.mark.parametrize("call", _CALLS)
def test_usage_errors_say_how_to_call_the_script(call: str) -> None:
    script, *arguments = call.split()
    folder, _, file = script.partition("/")

    done = subprocess.run(
        [f"./{file}", *arguments], cwd=ROOT / "scripts" / folder,
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip

    assert done.returncode == 2
    assert done.stdout == ""
    name = script.rpartition("/")[2]
    usage = [line for line in done.stderr.splitlines() if line.strip().startswith(name) or f"/{name}" in line]
    assert usage, done.stderr
    assert not [line for line in done.stderr.splitlines() if line.startswith((str(ROOT), "#", "scripts/"))]
    assert "line " not in done.stderr.partition("\n")[0]
