"""Installs custom/requirements.txt: python custom.py REQUIREMENTS, run by the environment's Python.

The packages that are there stay as they are. Whatever is wrong is one line.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PINNED = re.compile(r"[\w.-]+(\[[^\]]*\])?\s*(={2,3}\s*[^\s;,*]+|@\s*\S+)(\s*;.+|\s+--hash.+)?")
_PIP = ("pip", "--python", sys.executable, "--no-cache-dir", "--disable-pip-version-check")
_QUIET = ("--quiet", "--root-user-action", "ignore", "--no-compile")


def unpinned(text: str) -> Iterator[str]:
    """Yield a line per requirement without an exact version; options are left to pip."""
    number, gathered = 0, ""
    for position, line in enumerate(text.splitlines(), 1):
        number = number if gathered else position
        gathered += re.sub(r"(^|\s)#.*", "", line).strip()
        if gathered.endswith("\\"):
            gathered = gathered[:-1]
            continue
        if gathered and not gathered.startswith("-") and not _PINNED.fullmatch(gathered):
            yield f"line {number}: {gathered!r} has no exact version, such as NAME==1.2.3"
        gathered = ""


def reason(said: str) -> str:
    """Return what pip complained about first."""
    errors = [line.partition("ERROR: ")[2] for line in said.splitlines() if "ERROR: " in line]
    if any("ResolutionImpossible" in error for error in errors):
        return f"{errors[0]} The versions must fit those of requirements.lock and api/requirements.lock"
    return (errors or said.strip().splitlines()[-1:] or ["pip failed"])[0][:400]


def install(requirements: Path) -> str | None:
    """Install the packages; return why that is not possible."""
    wrong = list(unpinned(requirements.read_text(encoding="utf-8")))
    if wrong:
        return "; ".join(wrong)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        installed = subprocess.run([*_PIP, "freeze", "--all"], check=True, capture_output=True, text=True)
        constraints.write(installed.stdout)
        constraints.flush()
        command = [*_PIP, "install", *_QUIET, "--constraint", constraints.name, "-r", str(requirements)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    return reason(done.stderr) if done.returncode else None


def provide_openmp(packages: Path, system: Path) -> None:
    """Let LightGBM find libgomp.so.1 where the system has none: scikit-learn brings one."""
    link = system / "libgomp.so.1"
    ours = sorted(packages.glob("scikit_learn.libs/libgomp-*.so*"))
    if ours and not link.exists():
        link.symlink_to(ours[0])


if __name__ == "__main__":
    failure = install(Path(sys.argv[1]))
    if failure:
        sys.exit(f"custom/requirements.txt: {failure}")
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    provide_openmp(Path(sysconfig.get_path("purelib")), Path("/usr/lib") / multiarch)
