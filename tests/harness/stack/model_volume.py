"""Puts a version that a test has made on the stack's model volume, beside the one that is served."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlstack.registry.store import ModelStore
from tests.harness.mixed_models import publish_flowers
from tests.harness.stack.compose import Stack

_UNPACK = """
import base64, io, sys, tarfile
content = io.BytesIO(base64.b64decode(sys.stdin.read()))
tarfile.open(fileobj=content).extractall("/models/versions", filter="data")
"""
_REMOVE = "import shutil, sys; shutil.rmtree('/models/versions/' + sys.stdin.read())"
_VERSIONS = "import os; print(max(map(int, os.listdir('/models/versions'))))"


@contextmanager
def published_version(stack: Stack, root: Path, publish: Callable[[ModelStore], int]) -> Iterator[int]:
    """Give the number of a promoted version that is not the current one; `root` is an empty directory."""
    store = ModelStore(root)
    for number in range(int(_python(stack, _VERSIONS))):  # so that the version gets the next number
        publish_flowers(store, ("a", "b", str(number)))
    version = publish(store)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.add(store.path(version), str(version))
    _python(stack, _UNPACK, base64.b64encode(content.getvalue()).decode())
    try:
        yield version
    finally:
        _python(stack, _REMOVE, str(version))


def _python(stack: Stack, program: str, stdin: str = "") -> str:
    """Run a program with the volume mounted; return what it prints."""
    options = ("run", "--rm", "--no-deps", "-T", "--entrypoint", "python")
    return stack.compose(*options, "models", "-c", program, stdin=stdin).stdout
