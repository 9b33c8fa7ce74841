"""A page of docs/, executed as a reader would: all its commands in one shell."""

from __future__ import annotations

import re
import subprocess

from tests.harness.documents.blocks import bash_blocks
from tests.harness.repository_root import ROOT
from tests.harness.stack.compose import Stack

_MARK = "--- the next command ---"
_SECONDS = 480  # a page may build images
_UP = "docker compose up"
# The servers follow a new version within two seconds; a reader takes longer to type the next command.
_FOLLOWED = """
version=$(docker compose exec -T model-serve readlink /models/current)
for address in localhost:5000 localhost:8000; do
  for _ in $(seq 50); do
    curl -s $address/readyz | tr -d ' ' | grep -q "\"model_version\":${version##*/}}" && break
    sleep 0.1
  done
done
"""
# A version that is tried is noticed within two seconds, too.
_TRIED = re.compile(r"models (shadow|canary) \"\$version\"")
_NOTICED = """
for _ in $(seq 50); do
  curl -s localhost:8000/metrics | grep -q "^%s_version $version" && break
  sleep 0.1
done
"""


def outputs_of(page: str, stack: Stack) -> list[str]:
    """Return what each command of docs/`page` prints on the running stack; all must succeed."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    commands = [command for block in bash_blocks(text) for command in block.commands]
    commands = [command + _followed(command) for command in commands]
    script = f"\necho '{_MARK}'\n".join(["set -e", *commands])
    for name, port in (("SERVE_PORT", 5000), ("API_PORT", 8000)):
        script = script.replace(f"localhost:{port}", f"localhost:{stack.port(name)}")
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=stack.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(_MARK)[1:]


def _followed(command: str) -> str:
    """Return the wait for what a command has changed."""
    if tried := _TRIED.search(command):
        return _NOTICED % tried[1]
    return _FOLLOWED if _UP in command else ""
