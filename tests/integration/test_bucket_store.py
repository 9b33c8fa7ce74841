"""Models in a bucket: nodes follow within seconds, serve without it, and never take what is damaged."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from mlstack.inference.current_model import CurrentModel
from mlstack.models.__main__ import main
from mlstack.registry.bucket.address import read_bucket_address
from mlstack.registry.bucket.client import Conflict
from mlstack.registry.bucket.remote_store import RemoteModelStore
from mlstack.runtime.refusals import StoreRefused
from mlstack.web.problems import Unavailable
from mlstack.web.served_models import ServedModels
from tests.harness.model_versions import damage, line_table, promote, publish
from tests.harness.processes.object_store import (
    ObjectStore,
    ignoring_conditions,
    object_store,
    settings,
)
from tests.harness.processes.outage import stopped
from tests.harness.processes.serving import eventually

_FOLLOWED_SECONDS = 2.0
_LARGE = ("model.pkl", "model.skops")


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    """The S3 server of this module."""
    with object_store() as running:
        yield running


class Nodes:
    """Machines with a folder each, and one place in the bucket."""

    def __init__(self, server: ObjectStore, root: Path) -> None:
        self.place = server.new_place()
        self._root = root

    def store(self, node: str, most_bytes: int = 1 << 30) -> RemoteModelStore:
        """Return the store as a process on that node opens it."""
        return RemoteModelStore(read_bucket_address(self.place), self._root / node, most_bytes)


@pytest.fixture
def nodes(server: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nodes:
    """Machines without anything yet."""
    made = Nodes(server, tmp_path)
    for name, value in settings(made.place, server.endpoint, tmp_path / "cli").items():
        monkeypatch.setenv(name, value)
    return made


def test_every_node_follows_within_two_seconds(nodes: Nodes) -> None:
    writer = nodes.store("training")
    promote(writer, publish(writer, line_table()))
    followers = [ServedModels(nodes.store(name)) for name in ("first", "second")]
    for follower in followers:
        follower.follow()

    for version in (2, 1):
        if version == 2:
            promote(writer, publish(writer, line_table(3.0)))
        else:
            writer.rollback()
        changed = time.monotonic()
        assert eventually(partial(_all_serve, followers, version))
        assert time.monotonic() - changed < _FOLLOWED_SECONDS


def _all_serve(followers: list[ServedModels], version: int) -> bool:
    return all(follower.select(None).version == version for follower in followers)


def test_a_restart_with_a_warm_cache_needs_no_store(server: ObjectStore, nodes: Nodes) -> None:
    writer = nodes.store("training")
    promote(writer, publish(writer, line_table()))
    CurrentModel(nodes.store("node")).refresh()

    with stopped(server):
        models = ServedModels(nodes.store("node"))

        assert models.select(None).version == 1
        assert models.current.refusal is None
        cold = ServedModels(nodes.store("another"))
        with pytest.raises(Unavailable, match="cannot be reached"):
            cold.select(None)


def test_an_unreachable_store_is_told_once_and_an_older_version_is_refused_for_now(
    nodes: Nodes, server: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    writer = nodes.store("training")
    for slope in (2.0, 3.0):
        promote(writer, publish(writer, line_table(slope)))
    models = ServedModels(nodes.store("node"))

    with stopped(server), caplog.at_level(logging.WARNING):
        for _ in range(3):
            models.current.refresh()
        with pytest.raises(Unavailable, match="version 1 cannot be fetched"):
            models.select(1)

    told = [record.getMessage() for record in caplog.records]
    assert told == ["model store unreachable", "version cannot be had"]


def test_of_two_decisions_at_once_one_wins_and_the_other_says_so(nodes: Nodes) -> None:
    first, second = nodes.store("first"), nodes.store("second")
    for slope in (2.0, 3.0, 4.0):
        promote(first, publish(first, line_table(slope)))
    pushing = second._push

    def push_late(folder: Path, applied: object) -> None:
        first.promote(1)
        pushing(folder, applied)  # type: ignore[arg-type]

    second._push = push_late  # type: ignore[method-assign]
    with pytest.raises(StoreRefused, match="another writer has changed the store at the same moment"):
        second.rollback()

    first.refresh()
    assert (first.current(), second.current()) == (1, 3)
    second.refresh()
    assert [entry.version for entry in second.history()] == [1, 2, 3, 1]
    assert second.evaluation(3).verdict == "promoted"


def test_a_put_that_was_done_although_its_answer_was_lost_counts(nodes: Nodes) -> None:
    bucket = nodes.store("node")._bucket
    tag = bucket.replace("index.json", b"{}", "")

    assert bucket.replace("index.json", b"{}", "") == tag
    with pytest.raises(Conflict):
        bucket.replace("index.json", b"{ }", "")


def test_a_server_that_ignores_conditions_is_refused(
    server: ObjectStore, nodes: Nodes, tmp_path: Path
) -> None:
    with ignoring_conditions(server) as endpoint:
        address = replace(read_bucket_address(nodes.place), endpoint=endpoint)
        store = RemoteModelStore(address, tmp_path / "node", 1 << 30)

        with pytest.raises(StoreRefused, match=r"ignores the condition If-None-Match .*model-store\.md"):
            publish(store, line_table())

    assert nodes.store("another").versions() == []


def test_a_damaged_version_is_not_taken_over_and_the_old_one_answers(
    nodes: Nodes, caplog: pytest.LogCaptureFixture
) -> None:
    writer = nodes.store("training")
    promote(writer, publish(writer, line_table()))
    model = CurrentModel(nodes.store("node"))
    model.refresh()
    second = publish(writer, line_table(3.0))
    intact = (writer.path(second) / "model.skops").read_bytes()
    damage(writer, second, "model.skops", b"other")
    promote(writer, second)

    with caplog.at_level(logging.ERROR):
        changes = [model.refresh() for _ in range(3)]

    assert changes == [False, False, False]
    assert model.get() is not None
    assert "is damaged: its SHA-256 differs" in str(model.refusal)
    assert [record.getMessage() for record in caplog.records] == ["model refused"]

    damage(writer, second, "model.skops", intact)
    fresh = CurrentModel(nodes.store("node"))
    assert fresh.refresh()
    assert fresh.refusal is None


def test_a_file_that_was_damaged_on_a_node_is_downloaded_again(nodes: Nodes) -> None:
    store = nodes.store("node")
    version = promote(store, publish(store, line_table()))
    (store.path(version) / "model.skops").write_bytes(b"")
    (store.path(version) / "manifest.json").write_text("{")

    assert store.verified(version).version == version
    assert CurrentModel(store).refresh()


def test_the_cache_is_bounded_and_keeps_the_version_that_is_served(nodes: Nodes) -> None:
    writer = nodes.store("training")
    for slope in (2.0, 3.0, 4.0, 5.0):
        promote(writer, publish(writer, line_table(slope)))
    size = sum((writer.path(1) / name).stat().st_size for name in _LARGE)
    node = nodes.store("node", most_bytes=2 * size)
    node.refresh()

    for version in (1, 2, 3, 1):
        node.verified(version)

    kept = {int(path.parent.name) for path in node.root.glob("versions/*/model.skops")}
    assert kept == {1, 4}
    assert node.versions() == [1, 2, 3, 4]


def test_an_index_that_is_gone_leaves_the_mirror_as_it_is(nodes: Nodes) -> None:
    writer = nodes.store("training")
    promote(writer, publish(writer, line_table()))
    models = ServedModels(nodes.store("node"))

    writer._bucket.delete(["index.json"])
    models.current.refresh()

    assert (models.select(None).version, models.current.refusal) == (1, None)
    assert ServedModels(nodes.store("node")).select(None).version == 1
    with pytest.raises(StoreRefused, match=r"index\.json is gone: restore it"):
        writer.rollback()


def test_prune_deletes_objects_of_deleted_versions_after_an_hour(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = nodes.store("node")
    for slope in (2.0, 3.0, 4.0):
        promote(store, publish(store, line_table(slope)))
    store.prune(keep=1)
    assert [key for key in store._bucket.names() if key.startswith("versions/1/")]

    stale = -timedelta(seconds=2)  # S3's times are whole
    monkeypatch.setattr("mlstack.registry.bucket.remote_store._STALE", stale)
    store.prune(keep=1)

    assert not [key for key in store._bucket.names() if key.startswith("versions/1/")]
    another = nodes.store("another")
    another.refresh()
    assert another.verified(3).version == 3


def test_a_commands_output_is_that_of_a_folder(nodes: Nodes, capsys: pytest.CaptureFixture[str]) -> None:
    writer = nodes.store("training")
    for slope in (2.0, 3.0):
        promote(writer, publish(writer, line_table(slope)))

    codes = [main(["list"]), main(["rollback"]), main(["history"]), main(["show", "1"])]

    assert codes == [0, 0, 0, 0]
    printed = capsys.readouterr().out
    assert "version 1 is current" in printed
    assert "models rollback" in printed


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"MODEL_STORE": "s3://"}, "MODEL_STORE must look like"),
        ({"MODEL_STORE": "gs://bucket"}, "MODEL_STORE must look like"),
        ({"MODEL_STORE": "s3://no-such-bucket/x"}, "there is no such bucket"),
        ({"MODEL_STORE_ENDPOINT": "minio:9000"}, "MODEL_STORE_ENDPOINT must look like https://host:port"),
        ({"MODEL_STORE_ENDPOINT": "http://127.0.0.1:1"}, "check MODEL_STORE_ENDPOINT"),
        ({"MODEL_STORE_SECRET_KEY": ""}, "must both be set, or neither"),
        ({"MODEL_CACHE_BYTES": "1"}, "MODEL_CACHE_BYTES must be at least"),
    ],
)
@pytest.mark.usefixtures("nodes")
def test_what_is_wrong_is_one_line(
    given: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    assert main(["list"]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


@pytest.mark.parametrize("command", [("shadow", "1"), ("canary", "1", "--share", "0.1"), ("shadow", "--off")])
def test_no_version_is_tried_beside_a_buckets(
    command: tuple[str, ...], nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = nodes.store("training")
    promote(writer, publish(writer, line_table()))

    assert main([*command]) == 1

    assert "a version is tried in a model volume only" in capsys.readouterr().err


def test_changed_keys_are_read_from_their_files(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_text("from-a-file\n")
    monkeypatch.delenv("MODEL_STORE_ACCESS_KEY")
    monkeypatch.setenv("MODEL_STORE_ACCESS_KEY_FILE", str(path))

    store = nodes.store("node")
    assert promote(store, publish(store, line_table())) == 1

    address = store._bucket.address
    for content, used in (("another", "another"), ("", "another"), ("third", "third")):
        path.write_text(content)
        assert address._present_keys()["access_key_id"] == used
    assert "third" not in repr(address)
