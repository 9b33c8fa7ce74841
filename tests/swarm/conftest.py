"""The laboratory and the stack on it, for the whole session."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.repository_root import ROOT
from tests.harness.swarm.lab import laboratory
from tests.harness.swarm.stack import CHANGED, IMAGES, SwarmStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwarmStack]:
    """Deploy on empty machines."""
    subprocess.run([ROOT / "scripts" / "operate" / "swarm-images.sh"], check=True, capture_output=True)
    for image in ("ml-stack-steps", "ml-stack-api"):
        changed = f"FROM {image}:latest\nLABEL changed=yes\n"
        build = ("docker", "build", "--quiet", "--tag", f"{image}:{CHANGED}", "-")
        subprocess.run(build, input=changed, text=True, check=True, capture_output=True)
    folder = Path(os.environ.get("LAB", "/var/lib/ml-stack-lab"))
    with laboratory(folder) as lab:
        lab.run("load", *IMAGES)
        deployed = SwarmStack(lab, tmp_path_factory.mktemp("swarm"))
        deployed.folder.parent.chmod(0o755)
        deployed.folder.chmod(0o755)
        deployed.prepare()
        deployed.deploy()
        deployed.wait_until_trained()
        deployed.wait_until_complete()
        yield deployed
