"""The laboratory and the stack on it, for the whole session."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.repository_root import ROOT
from tests.harness.stack.waiting import wait_until
from tests.harness.swarm.lab import laboratory
from tests.harness.swarm.stack import CHANGED, IMAGES, SwarmStack


@contextmanager
def own_estimator() -> Iterator[None]:
    """Have an estimator of one's own in custom/, as a user does, until the block ends."""
    path = ROOT / "custom" / "model.py"
    assert not path.exists(), f"{path} is in the way: move it until the test has ended"
    path.write_text(
        "from sklearn.linear_model import Ridge\n\n\ndef make_estimator():\n    return Ridge(alpha=1e-6)\n"
    )
    try:
        yield
    finally:
        path.unlink()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwarmStack]:
    """Deploy on empty machines."""
    images = [ROOT / "scripts" / "operate" / "swarm-images.sh"]
    environment = os.environ | {"OBJECT_STORE": "true"}
    subprocess.run(images, env=environment, check=True, capture_output=True)
    with own_estimator():
        subprocess.run(images, env=environment | {"TAG": CHANGED}, check=True, capture_output=True)
    changed = f"FROM ml-stack-api:{CHANGED}\nLABEL changed=yes\n"
    build = ("docker", "build", "--quiet", "--tag", f"ml-stack-api:{CHANGED}", "-")
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
        wait_until(deployed.answers, 120, "an answer from every machine")
        yield deployed
