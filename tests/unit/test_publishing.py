"""Publishing a version is atomic and happens once per content, also with concurrent or killed writers."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import get_context
from pathlib import Path

import pytest

from mlstack.inference.artifact import save_estimator
from mlstack.inference.loading import load_model
from mlstack.registry.store import ModelStore
from mlstack.runtime.refusals import ModelRefused, StoreRefused
from mlstack.training.config import TrainingConfig
from mlstack.training.train import train
from tests.harness.model_versions import damage, line_table, promote, publish


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def _tree(store: ModelStore) -> set[str]:
    return {str(path.relative_to(store.root)) for path in store.root.rglob("*")}


def test_the_same_content_is_published_once(store: ModelStore) -> None:
    first = publish(store, line_table())
    before = {path: path.stat().st_mtime_ns for path in store.path(first).iterdir()}

    again = publish(store, line_table())

    assert (first, again, store.versions()) == (1, 1, [1])
    assert {path: path.stat().st_mtime_ns for path in store.path(first).iterdir()} == before


def test_other_data_make_another_version(store: ModelStore) -> None:
    versions = [publish(store, line_table(slope)) for slope in (2.0, 3.0)]

    assert versions == [1, 2]
    assert store.latest() == 2


def test_a_published_version_holds_what_people_and_servers_need(store: ModelStore) -> None:
    version = promote(store, publish(store, line_table()))

    assert (store.root / "current").readlink() == Path("versions/1")
    assert (store.root / "model.pkl").read_bytes() == (store.path(version) / "model.pkl").read_bytes()
    assert {path.name for path in store.path(version).iterdir()} == {
        "evaluation.json",
        "manifest.json",
        "model.pkl",
        "model.skops",
    }
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in store.path(version).iterdir())
    assert store.path(version).stat().st_mode & 0o777 == 0o755


def test_a_failed_publication_leaves_no_trace(store: ModelStore) -> None:
    promote(store, publish(store, line_table()))
    before = _tree(store)
    _, manifest = train(line_table(3.0), TrainingConfig(), "other", "t")

    def fail(directory: Path) -> None:
        (directory / "model.skops").write_bytes(b"half")
        raise OSError(28, os.strerror(28))

    with pytest.raises(StoreRefused, match="the volume is full"):
        store.publish(manifest, fail)

    assert _tree(store) == before


def test_a_publisher_killed_halfway_leaves_the_versions_as_they_were(store: ModelStore) -> None:
    publish(store, line_table())
    victim = get_context("spawn").Process(target=_publish_and_die, args=(store,))

    victim.start()
    victim.join(30)

    assert victim.exitcode == -signal.SIGKILL
    assert store.versions() == [1]
    assert publish(store, line_table(3.0)) == 2
    assert not list((store.root / "versions").glob(".*"))


def _publish_and_die(store: ModelStore) -> None:
    table = line_table(5.0)
    _, manifest = train(table, TrainingConfig(), "killed", "t")
    store.publish(manifest, lambda _directory: os.kill(os.getpid(), signal.SIGKILL))


def test_publishers_at_the_same_time_get_numbers_of_their_own(store: ModelStore) -> None:
    trained = [train(line_table(2.0 + n // 2), TrainingConfig(), f"data {n // 2}", "t") for n in range(6)]
    numbers: list[int] = []

    def work(index: int) -> None:
        estimator, manifest = trained[index]
        numbers.append(store.publish(manifest, lambda directory: save_estimator(estimator, directory)))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(numbers) == [1, 1, 2, 2, 3, 3]
    assert [load_model(store.loadable(n)).version for n in store.versions()] == [1, 2, 3]


def test_a_damaged_version_is_published_anew_under_another_number(store: ModelStore) -> None:
    promote(store, publish(store, line_table()))
    damage(store, 1, "model.skops")

    assert publish(store, line_table()) == 2
    assert store.verified(2).version == 2
    with pytest.raises(ModelRefused):
        store.verified(1)


def test_a_volume_that_cannot_be_written_is_one_line() -> None:
    _, manifest = train(line_table(), TrainingConfig(), "digest", "t")

    with pytest.raises(StoreRefused, match="cannot write to /proc/models"):
        ModelStore(Path("/proc/models")).publish(manifest, lambda _directory: None)
