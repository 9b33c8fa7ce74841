"""What lies on the model volume is not believed: whatever a version is, the one before goes on answering."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pytest
import skops.io
from sklearn.tree import DecisionTreeRegressor

from mlstack.registry.manifest import read_manifest, write_manifest
from mlstack.registry.store import ModelStore
from tests.harness.model_versions import line_table, promote, publish
from tests.harness.processes.inference import Stores, inference, is_healthy
from tests.harness.processes.serving import ServingProcess, eventually, publish_line, serving

LIMIT = 96 << 20


class Foreign:
    """A type that is not scikit-learn's own."""

    def predict(self, rows: object) -> object:
        """Return what it is given."""
        return rows


def bomb(artifact: Path) -> None:
    """1.2 GB of zeros in a megabyte."""
    with (
        zipfile.ZipFile(artifact, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w") as member,
    ):
        for _ in range(1200):
            member.write(bytes(1 << 20))


def bomb_of_lists(artifact: Path) -> None:
    """Within the limit when unpacked, and twenty times that when it is parsed."""
    with zipfile.ZipFile(artifact, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b"[" + b"[]," * (25 << 20) + b"1]")


def too_long(artifact: Path) -> None:
    """A file over the limit that takes no room on the disk."""
    os.truncate(artifact, LIMIT + 1)


def pipe(artifact: Path) -> None:
    """Opening it waits for a writer that never comes."""
    artifact.unlink()
    os.mkfifo(artifact)


def link(artifact: Path) -> None:
    """The very file, but somewhere else."""
    elsewhere = artifact.parents[3] / "elsewhere.skops"
    shutil.copy(artifact, elsewhere)
    artifact.unlink()
    artifact.symlink_to(elsewhere)


def linked_directory(artifact: Path) -> None:
    """The whole version is somewhere else."""
    elsewhere = artifact.parents[3] / "elsewhere"
    shutil.rmtree(elsewhere, ignore_errors=True)
    artifact.parent.rename(elsewhere)
    artifact.parent.symlink_to(elsewhere)


def pickled(artifact: Path) -> None:
    """A pickle, which would run code."""
    artifact.write_bytes(pickle.dumps(DecisionTreeRegressor()))


def foreign(artifact: Path) -> None:
    """An archive as it should be, with a type that is not trusted."""
    skops.io.dump(Foreign(), artifact)


def tree_with(artifact: Path, left: int) -> None:
    """A tree whose first node's left child is that one."""
    tree = DecisionTreeRegressor(max_depth=2).fit(np.arange(20.0).reshape(-1, 1), np.arange(20.0))
    packed = io.BytesIO()
    skops.io.dump(tree, packed)
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(artifact, "w") as new:
        for member in old.infolist():
            new.writestr(member.filename, _with_left_child(old.read(member), left))


def _with_left_child(content: bytes, left: int) -> bytes:
    if not content.startswith(b"\x93NUMPY") or b"left_child" not in content:
        return content
    nodes = np.load(io.BytesIO(content))
    nodes["left_child"][0] = left
    changed = io.BytesIO()
    np.save(changed, nodes)
    return changed.getvalue()


def endless_tree(artifact: Path) -> None:
    """Its first node leads to itself, so predicting never ends."""
    tree_with(artifact, 0)


def crashing_tree(artifact: Path) -> None:
    """Its first node leads far out of memory."""
    tree_with(artifact, 1 << 40)


DAMAGES: list[Callable[[Path], None]] = [
    bomb, bomb_of_lists, too_long, pipe, link, linked_directory, pickled, foreign, crashing_tree,
    endless_tree,
]  # fmt: skip
UNSIGNED = {pipe, link, linked_directory, too_long}  # nothing could be signed, or nothing need be


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume with a good version 1; the damaged ones follow."""
    root: Path = tmp_path_factory.mktemp("volume")
    publish_line(root / "models", 2.0)
    return root / "models"


@pytest.fixture(scope="module")
def servers(volume: Path, real_stores: Stores) -> Iterator[list[ServingProcess]]:
    """Both servers, with room for models of up to 96 MiB."""
    log = volume.parent / "flask.log"
    with (
        inference(volume, volume.parent / "api.log", real_stores, MODEL_MAX_BYTES=LIMIT) as api,
        serving(volume, log, MODEL_MAX_BYTES=str(LIMIT)) as flask,
    ):
        assert eventually(lambda: is_healthy(api))
        yield [api, flask]


def publish_damaged(volume: Path, damage: Callable[[Path], None]) -> int:
    """Publish a version, damage its artifact, give it a manifest to match, and make it current."""
    store = ModelStore(volume)
    version = publish(store, line_table(3.0 + len(store.versions())))
    directory = store.path(version)
    damage(directory / "model.skops")
    if damage not in UNSIGNED:
        manifest = msgspec.structs.replace(read_manifest(directory), files={})
        (directory / "manifest.json").unlink()
        write_manifest(directory, manifest, version)
    promote(store, version)
    return version


def answers_with(server: ServingProcess, version: int) -> bool:
    """Return whether that version is the one that answers."""
    return server.metric("model_version") == version


def refuses(server: ServingProcess, version: int) -> bool:
    """Return whether the server says that it has refused that version."""
    refused = [line for line in server.log_lines() if line["event"] == "model refused"]
    return any(line["model_version"] == version for line in refused)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_version_is_refused_once_and_the_one_before_answers(
    servers: list[ServingProcess], volume: Path, damage: Callable[[Path], None]
) -> None:
    """By both servers, which go on with version 1, and do not try the other again until it changes."""
    version = publish_damaged(volume, damage)

    for server in servers:
        assert eventually(partial(refuses, server, version), 90), server.log_path.read_text()
        seen = server.metric("model_loads_total")
        answer = server.predict({"values": [5], "model_version": 1}).json()
        asked = [server.predict({"values": [5], "model_version": version}).status_code for _ in range(20)]
        assert answer["model_version"] == server.predict({"values": [5]}).json()["model_version"] == 1
        assert asked == [404] * 20
        assert server.metric("model_refused") == 1
        assert server.metric("model_loads_total") == seen

    for server in servers:
        refused = [line for line in server.log_lines() if line["event"] == "model refused"]
        assert len([line for line in refused if line["model_version"] == version]) == 1
        assert server.metric("process_resident_memory_bytes") < 400e6


def test_the_next_good_version_is_followed(servers: list[ServingProcess], volume: Path) -> None:
    version = publish_line(volume, 77.0)

    for server in servers:
        assert eventually(partial(answers_with, server, version), 10)
        assert server.metric("model_refused") == 0
