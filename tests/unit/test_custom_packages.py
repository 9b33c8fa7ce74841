"""custom/requirements.txt: what the build of an image installs, and the one line that it says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from images.custom import provide_openmp, unpinned
from tests.harness.repository_root import ROOT


@pytest.mark.parametrize(
    "text",
    [
        "xgboost-cpu==3.4.1\nlightgbm==4.7.0\n",
        "# comment\n\nxgboost_cpu == 3.4.1  # another\n",
        "package[extra]==1.0 ; python_version >= '3.13'\n",
        "package @ https://example.org/package-1.0-py3-none-any.whl\n",
        "package==1.0 \\\n    --hash=sha256:12 \\\n    --hash=sha256:34\nother==2\n",
        "--extra-index-url https://example.org/simple\npackage==1\n",
    ],
)
def test_exact_versions_and_locks_are_taken(text: str) -> None:
    assert list(unpinned(text)) == []


@pytest.mark.parametrize(
    "line", ["xgboost", "xgboost>=3", "xgboost==3.*", "xgboost~=3.2", "a==1,<2", "./folder"]
)
def test_any_other_requirement_is_named_with_its_line(line: str) -> None:
    (found,) = unpinned(f"first==1 \\\n    --hash=sha256:12\n{line}\n")

    assert found.startswith(f"line 3: {line!r} has no exact version")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds base 1.0, and an index with two packages that need it, as files."""
    folder: Path = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (folder / "wheels").mkdir()
    for name, needs in (("base", ""), ("fits", "base==1.0"), ("other", "base==2.0")):
        for version in ("1.0", "2.0"):
            _wheel(folder / "wheels", name, version, needs)
    assert _install(folder, "base==1.0").returncode == 0
    return folder


def _wheel(folder: Path, name: str, version: str, needs: str) -> None:
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        requires = f"Requires-Dist: {needs}\n" if needs else ""
        metadata = f"{name}-{version}.dist-info"
        wheel.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        wheel.writestr(
            f"{metadata}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"
        )
        wheel.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{metadata}/RECORD", "")


def _install(folder: Path, requirements: str) -> subprocess.CompletedProcess[str]:
    """Run the script as install.sh does: by the environment's Python, with a pip from outside."""
    file = folder / "requirements.txt"
    file.write_text(requirements)
    command = [folder / "venv" / "bin" / "python", ROOT / "images" / "custom.py", file]
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder / "wheels"), "PIP_CONFIG_FILE": os.devnull}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    hidden = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return subprocess.run(
        command, env=hidden | settings | {"PATH": path}, check=False, capture_output=True, text=True
    )


def _version(folder: Path, name: str) -> str:
    command = [str(folder / "venv" / "bin" / "python"), "-c", f"import {name}; print({name}.VERSION)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(
    ("requirements", "line"),
    [
        ("fits\n", "line 1: 'fits' has no exact version, such as NAME==1.2.3"),
        ("nowhere==1.0\n", "Could not find a version that satisfies the requirement nowhere==1.0"),
        ("fits==3.0\n", "Could not find a version that satisfies the requirement fits==3.0"),
        ("other==1.0\n", "The versions must fit those of requirements.lock and api/requirements.lock"),
        ("base==2.0\n", "The versions must fit those of requirements.lock and api/requirements.lock"),
        ("fits==1.0 --hash=sha256:" + 64 * "0", "THESE PACKAGES DO NOT MATCH THE HASHES"),
        ("--nonsense\n", "Invalid requirement: --nonsense"),
    ],
)
def test_what_cannot_be_installed_is_one_line(environment: Path, requirements: str, line: str) -> None:
    done = _install(environment, requirements)

    assert done.returncode == 1
    assert done.stderr.startswith("custom/requirements.txt: ")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
    assert _version(environment, "base") == "1.0"


def test_what_fits_is_installed_beside_what_is_there(environment: Path) -> None:
    """The last test of this environment, which it changes."""
    done = _install(environment, "fits==2.0\n")

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert (_version(environment, "fits"), _version(environment, "base")) == ("2.0", "1.0")


def test_openmp_is_provided_once_and_never_in_place_of_the_systems(tmp_path: Path) -> None:
    packages, without, has = (tmp_path / name for name in ("packages", "without", "has"))
    library = packages / "scikit_learn.libs" / "libgomp-e985bcbb.so.1.0.0"
    for folder in (library.parent, without, has):
        folder.mkdir(parents=True)
    library.touch()
    (has / "libgomp.so.1").write_text("the system's")

    for system in (without, without, has):
        provide_openmp(packages, system)

    assert (without / "libgomp.so.1").resolve() == library
    assert (has / "libgomp.so.1").read_text() == "the system's"
