"""What `make sbom` lists for an image is what the image holds."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.harness.repository import read
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack

LOCKS = {"api": "api/requirements.lock", "model-serve": "requirements.lock"}


@pytest.mark.parametrize("service", LOCKS)
def test_every_package_of_the_lock_and_of_the_system_is_listed(stack: Stack, service: str) -> None:
    image = str(stack.containers(service)[0].inspected["Config"]["Image"])
    pinned = dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", read(LOCKS[service]), re.MULTILINE))

    subprocess.run([sys.executable, "scripts/develop/sbom.py", image], cwd=ROOT, check=True)

    bill = json.loads((ROOT / "build" / "sbom" / f"{image}.json").read_text("utf-8"))
    found = [each["purl"] for each in bill["components"]]
    listed = {_normal(purl) for purl in found if purl.startswith("pkg:pypi/")}
    assert bill["bomFormat"] == "CycloneDX"
    assert len(listed) > 20
    assert listed <= {_normal(f"pkg:pypi/{name}@{version}") for name, version in pinned.items()}
    assert [purl for purl in found if re.match(r"pkg:(deb|apk)/", purl)]


def _normal(purl: str) -> str:
    return re.sub(r"[-_.]+", "-", purl).lower()
