"""XGBoost and LightGBM for tests: in a folder of their own, which child processes get by their environment.

The packages of tests/requirements.lock stay without them, as the images are.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from images.custom import provide_openmp
from tests.harness.repository_root import ROOT

_LOCK = ROOT / "tests" / "boosters.lock"
_FOLDER = ROOT / "build" / "boosters"


def booster_environment() -> dict[str, str]:
    """Install both where that was not done before; return what lets a child process import them."""
    mark = hashlib.sha256(_LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    packages = _FOLDER / mark
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / "flock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (packages / "installed").exists():
            _install(packages)
    return {"PYTHONPATH": f"{packages}{os.pathsep}{ROOT}", "LD_LIBRARY_PATH": str(packages / "openmp")}


def _install(packages: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--require-hashes", "--upgrade", "--target", str(packages), "-r", str(_LOCK)]
    done = subprocess.run([*pip, *options], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"XGBOOST AND LIGHTGBM CANNOT BE HAD HERE, nothing of them was tested: {done.stderr}")
    (packages / "openmp").mkdir(exist_ok=True)
    provide_openmp(Path(sysconfig.get_path("purelib")), packages / "openmp")
    (packages / "installed").touch()


def run_script(script: str, *arguments: str, **settings: str) -> Any:
    """Run a Python script with both of them; return the JSON that it prints as its last line."""
    environment = os.environ | booster_environment() | settings
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments], cwd=ROOT, env=environment,
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])
